"""The manifest of a sharded index: JSON that names the files of all ranks, as annulus::mpi::save of C++ does too."""

import json
import re
from typing import NamedTuple

import xxhash

from .. import _core
from .._errors import FormatError

_VERSION = 1


class Shard(NamedTuple):
    """The files of one rank: an index, and the ids of its rows (`_files.write_ids`)."""

    rows: int
    index_bytes: int
    index_xxh3: int
    """XXH3 (Collet) of the whole file, 64 bits."""
    ids_bytes: int
    ids_xxh3: int


class Manifest(NamedTuple):
    tag: str
    """16 digits of hexadecimal, in the names of the files."""
    kind: str
    """ "dynamic nndescent"; "nndescent_index" where a program in C++ has saved an index of a type of its own."""
    n_ids: int
    """Global ids that were given out."""
    shards: list
    """One a rank."""


def names_of(path, tag, rank):
    """The names of a rank's files: of the index, and of its ids."""
    return f"{path}.{tag}.{rank}.index", f"{path}.{tag}.{rank}.ids"


def checksum_of(content):
    """As annulus's files have them."""
    return f"xxh3:{xxhash.xxh3_64_hexdigest(content)}"


def canonical(value):
    """The JSON of a value that checksums are of: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_bytes(manifest):
    shards = {
        "format_version": _VERSION,
        "library_version": _core.version(),
        "tag": manifest.tag,
        "kind": manifest.kind,
        "n_ids": manifest.n_ids,
        "ranks": [shard._asdict() for shard in manifest.shards],
    }
    return json.dumps({"checksum": checksum_of(canonical(shards)), "shards": shards}, indent=1).encode() + b"\n"


def from_bytes(content, path):
    """The manifest in a file of that name. Raises FormatError."""
    try:
        whole = json.loads(content)
        shards, checksum = whole["shards"], whole["checksum"]
        is_whole = checksum_of(canonical(shards)) == checksum
    except (ValueError, LookupError, TypeError, RecursionError):
        raise FormatError(f"{path}: this is no manifest of shards") from None
    if not is_whole:
        raise FormatError(f"{path}: the manifest is not as it was written, by its checksum")
    try:
        version = shards["format_version"]
        if version > _VERSION:
            raise FormatError(f"{path}: format version {version} is newer than {_VERSION}, the newest that is read")
        tag, kind, n_ids = (shards[name] for name in ("tag", "kind", "n_ids"))
        ranks = [Shard(*(rank[name] for name in Shard._fields)) for rank in shards["ranks"]]
        if not re.fullmatch("[0-9a-f]{16}", tag):  # it becomes a part of paths
            raise TypeError("tag")
        if not all(type(number) is int and number >= 0 for shard in [(n_ids,), *ranks] for number in shard):
            raise TypeError("numbers")
    except (LookupError, TypeError) as error:
        raise FormatError(f"{path}: the manifest has other fields: {error}") from None
    return Manifest(tag, str(kind), n_ids, ranks)
