"""Progress of long calls."""


class _Bar:
    """A bar of tqdm's; the share of the whole call that is done, and what it does."""

    def __init__(self):
        try:
            from tqdm.auto import tqdm
        except ImportError:
            message = "progress=True needs the package tqdm; or give a function (stage, fraction, whole)"
            raise ImportError(message) from None
        self._bar = tqdm(total=100, unit="%", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}")

    def __call__(self, stage, fraction, whole):
        self._bar.set_description_str(stage, refresh=False)
        self._bar.update(max(0.0, min(100.0, 100.0 * whole) - self._bar.n))

    def close(self):
        self._bar.close()


class _Function:
    def __init__(self, function):
        self._function = function

    def __call__(self, stage, fraction, whole):
        self._function(stage, fraction, whole)

    def close(self):
        pass


def start(progress):
    """What reports are given to: a bar for True, or a function (stage, fraction, whole)."""
    if progress is True:
        return _Bar()
    if not callable(progress):
        raise TypeError(f"progress: {progress!r}; must be True, False, or a function (stage, fraction, whole)")
    return _Function(progress)
