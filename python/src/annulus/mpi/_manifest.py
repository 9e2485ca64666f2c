"""Sharded indexes in files: one of annulus's index files a rank, and a manifest in JSON that lists them."""

import contextlib
import json
import os
import secrets
from typing import NamedTuple

from .._errors import FormatError

_FORMAT = "annulus sharded index"
_VERSION = 1


class Shard(NamedTuple):
    """The file of one rank, as the manifest has it."""

    file: str
    """Its name, in the folder of the manifest."""
    bytes: int
    checksum: str
    """Of the file's header, which has the checksums of the rest: `checksum_of`."""
    rows: int
    ids: list
    """Pairs (first global id, count), in the order of local ids: `GlobalIds.runs`."""


class Manifest(NamedTuple):
    n_ids: int
    """Global ids that have been given out."""
    shards: list
    """One a rank."""


def split(path):
    """A path, behind links, and its folder."""
    path = os.path.realpath(os.fsdecode(path))
    return path, os.path.dirname(path)


def new_prefix(path):
    """What the shards of a new save are named by, so that those of an older one stay whole until it has succeeded."""
    return f"{os.path.basename(path)}.{secrets.token_hex(4)}"


def shard_of(folder, file, rows, ids):
    path = os.path.join(folder, file)
    return Shard(file, os.path.getsize(path), checksum_of(path), rows, ids)


def check_shard(folder, shard):
    """The path of a shard's file. Raises FormatError where this is not the file that was saved."""
    path = os.path.join(folder, shard.file)
    size = os.path.getsize(path)
    if size != shard.bytes:
        raise FormatError(f"{path}: has {size} bytes; the manifest says {shard.bytes}")
    checksum = checksum_of(path)
    if checksum != shard.checksum:
        raise FormatError(f"{path}: has the checksum {checksum}; the manifest says {shard.checksum}")
    return path


def checksum_of(path):
    """The checksum in the header of an index file. What it is of is checked by whoever opens the index."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > 8 << 20:  # longer ones the library refuses too
                raise ValueError
            return str(json.loads(file.read(length))["__metadata__"]["checksum"])
    except (ValueError, KeyError, TypeError):
        raise FormatError(f"{path}: is not an index of annulus") from None


def write(path, manifest):
    """Replaces the file at once or not at all; flushed to the disk."""
    content = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "n_ids": manifest.n_ids,
        "shards": [shard._asdict() for shard in manifest.shards],
    }
    folder = os.path.dirname(path)
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        remove(folder, [os.path.basename(temporary)])
        raise
    with contextlib.suppress(OSError):  # the file is in its place: from here on, no error would be true
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def read(path):
    """Raises FormatError, which names the file and the defect, for what is no manifest."""

    def fail(reason):
        raise FormatError(f"{path}: {reason}")

    with open(path, "rb") as file:
        text = file.read()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        fail(f"is not a manifest of a sharded index: {error}")
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        fail("is not a manifest of a sharded index")
    version = content.get("format_version")
    if not _is_natural(version) or not 1 <= version <= _VERSION:
        fail(f"format_version {version!r} is not one that this version reads, 1 to {_VERSION}")
    n_ids, shards = content.get("n_ids"), content.get("shards")
    if not _is_natural(n_ids) or not isinstance(shards, list) or not shards:
        fail("has no n_ids or no shards")
    for i, shard in enumerate(shards):
        if not _is_shard(shard):
            fail(f"shard {i} is not as it must be")
    manifest = Manifest(n_ids, [Shard(**shard) for shard in shards])
    if not _are_disjoint(manifest):
        fail("ids of shards overlap, or are not below n_ids")
    return manifest


def files_of(path):
    """The files of a save that is at `path`, as far as their names say that they are of it."""
    try:
        names = [shard.file for shard in read(path).shards]
    except (OSError, ValueError):
        return []
    return [name for name in names if name.startswith(os.path.basename(path) + ".")]


def remove(folder, files):
    """Removes those of the files that are there and may be removed."""
    for file in files:
        with contextlib.suppress(OSError):
            os.remove(os.path.join(folder, file))


def _is_natural(value):
    return type(value) is int and 0 <= value < 2**53


def _is_shard(shard):
    if not isinstance(shard, dict) or shard.keys() != set(Shard._fields):
        return False
    file, ids = shard["file"], shard["ids"]
    is_name = isinstance(file, str) and file not in ("", ".", "..") and not set(file) & {"/", "\\", "\0"}
    is_run = lambda run: isinstance(run, list) and len(run) == 2 and all(map(_is_natural, run)) and run[1] > 0
    return (
        is_name
        and _is_natural(shard["bytes"])
        and isinstance(shard["checksum"], str)
        and _is_natural(shard["rows"])
        and isinstance(ids, list)
        and all(map(is_run, ids))
        and shard["rows"] <= sum(count for _, count in ids)
        and all(a[0] + a[1] <= b[0] for a, b in zip(ids, ids[1:]))  # they rise
    )


def _are_disjoint(manifest):
    runs = sorted(run for shard in manifest.shards for run in shard.ids)
    ends = [first + count for first, count in runs]
    return all(end <= first for end, (first, _) in zip(ends, runs[1:])) and (not ends or ends[-1] <= manifest.n_ids)
