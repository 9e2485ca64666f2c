"""Errors that Python has no class for."""


class FormatError(ValueError):
    """A file is damaged, or holds something else than was asked for."""

    __module__ = "annulus"
