"""The files of a sharded index: for each rank an index and its ids, and a manifest. C++'s annulus::mpi has the same."""

import contextlib
import mmap
import os
import secrets

import numpy
import xxhash

from .. import _core
from .._errors import FormatError
from .._index import open as open_index
from ._collective import together
from ._global_ids import GlobalIds, ids_given_out
from ._manifest import Manifest, Shard, canonical, checksum_of, from_bytes, names_of, to_bytes


def save(comm, path, index, ids, n_ids):
    """Writes each rank's index and ids beside `path`, and then `path`, by rank 0. Collective."""
    path = together(comm, lambda: _behind_links(path))
    tag = comm.bcast(secrets.token_hex(8))
    index_path, ids_path = names_of(path, tag, comm.rank)

    def save_mine():
        index.save(index_path)
        _write(ids_path, _ids_file(ids))
        return Shard(len(index), *_size_and_hash(index_path), *_size_and_hash(ids_path))

    def save_manifest():
        older = _content_of(path)
        _replace(path, to_bytes(Manifest(tag, f"dynamic {index.kind}", n_ids, shards)))
        return older

    try:
        shards = comm.gather(together(comm, save_mine))
        older = together(comm, lambda: save_manifest() if comm.rank == 0 else None)
    except BaseException:
        _remove([index_path, ids_path])
        raise
    _remove(_files_of(comm.bcast(older), path))


def load(comm, path, mapped, metric):
    """(index, ids, number of ids of all ranks) that save has written. Collective."""
    path = together(comm, lambda: _behind_links(path))
    content = comm.bcast(together(comm, lambda: _content_of(path, must_exist=True) if comm.rank == 0 else None))

    def load_mine():
        manifest = from_bytes(content, path)
        if len(manifest.shards) != comm.size:
            n = len(manifest.shards)
            raise ValueError(f"ranks = {comm.size}: {path} has the shards of {n}: open it with as many ranks")
        shard = manifest.shards[comm.rank]
        index_path, ids_path = names_of(path, manifest.tag, comm.rank)
        _check(index_path, shard.index_bytes, None if mapped else shard.index_xxh3)
        _check(ids_path, shard.ids_bytes, shard.ids_xxh3)
        index, ids = open_index(index_path, mapped=mapped, metric=metric), _read_ids(ids_path)
        is_kind = manifest.kind in (f"dynamic {index.kind}", f"{index.kind}_index")
        is_whole = shard.rows <= len(ids) if mapped else ids_given_out(index) == len(ids)
        if not is_kind or not is_whole or len(index) != shard.rows or ids.end > manifest.n_ids:
            raise FormatError(f"{index_path}: this is not the shard that the manifest tells of")
        return index, ids, manifest.n_ids

    return together(comm, load_mine)


def _ids_file(ids):
    """Runs of ids as annulus::save writes them: a safetensors file of one tensor."""
    runs = numpy.array(ids.runs, dtype="<i8").reshape(-1, 3)
    metadata = {
        "kind": "global_ids",
        "format_version": "2",
        "library_version": _core.version(),
        "n_runs": str(len(runs)),
        "checksum.runs": checksum_of(runs.tobytes()),
    }
    tensor = {"dtype": "I64", "shape": runs.shape, "data_offsets": (0, runs.nbytes)}
    header = {"__metadata__": metadata, "runs": tensor}
    metadata["checksum"] = checksum_of(canonical(header))
    text = canonical(header)
    text += b" " * (-(8 + len(text)) % 64)
    return len(text).to_bytes(8, "little") + text + runs.tobytes()


def _read_ids(path):
    """Of a file whose checksum was that of the manifest."""
    content = _content_of(path, must_exist=True)
    begin = 8 + int.from_bytes(content[:8], "little")
    try:
        return GlobalIds(numpy.frombuffer(content, dtype="<i8", offset=begin).reshape(-1, 3).tolist())
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None


def _size_and_hash(path):
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:  # which cannot be mapped
            return 0, xxhash.xxh3_64_intdigest(b"")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return size, xxhash.xxh3_64_intdigest(content)


def _check(path, size, checksum):
    """Raises FormatError for a file of another size or, unless it is None, checksum."""
    found = os.path.getsize(path)
    if found != size:
        raise FormatError(f"{path}: the file has {found} bytes, where the manifest says {size}")
    if checksum is not None and _size_and_hash(path) != (size, checksum):
        raise FormatError(f"{path}: the file is not the one that the manifest tells of, by its checksum")


def _content_of(path, must_exist=False):
    """Of a missing file b"", unless it must exist."""
    if not must_exist and not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def _write(path, content):
    """Writes a new file to the disk."""
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path, content):
    """Replaces a file at once or not at all."""
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f"annulus-{secrets.token_hex(8)}.tmp")
    try:
        _write(temporary, content)
        os.replace(temporary, path)
    except BaseException:
        _remove([temporary])
        raise
    with contextlib.suppress(OSError):  # the file is in its place: an error would not be true any more
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _files_of(content, path):
    """The files that a manifest names; none where it is no manifest."""
    try:
        manifest = from_bytes(content, path)
    except FormatError:
        return []
    return [name for rank in range(len(manifest.shards)) for name in names_of(path, manifest.tag, rank)]


def _remove(files):
    """Those that are there and may be removed; ranks that share the folder do so together."""
    for file in files:
        with contextlib.suppress(OSError):
            os.remove(file)


def _behind_links(path):
    return os.path.realpath(os.fsdecode(path))
