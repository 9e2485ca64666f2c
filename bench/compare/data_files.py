"""Data files beside numpy, h5py and safetensors: each reads what the other wrote, and how quickly."""

import pathlib
import tempfile

import annulus_compare
import numpy as np

from measure import Contender, race

NPY_TYPES = ("float32", "float64", "uint8", "int8", "int32", "uint32", "int64", "float16")
VECS_TYPES = {"float32": "fvecs", "uint8": "bvecs", "int32": "ivecs"}
BIG_ANN_TYPES = {"float32": "fbin", "uint8": "u8bin", "int8": "i8bin", "int32": "ibin"}
SHAPE, QUICK_SHAPE = (600_000, 128), (60_000, 128)  # of float32: 307 MB
DIM = SHAPE[1]


def ours(verb, form, dtype, *arguments):
    return getattr(annulus_compare, f"{verb}_{form}_{dtype}")(*arguments)


def random_rows(shape, dtype):
    """Any bits but NaN's, which would differ from themselves."""
    values = np.random.default_rng(8).integers(-100, 100, shape)
    return values.astype(dtype)


def numpy_vecs(path, dtype):
    """The rows without their headers, in a view."""
    row_bytes = 4 + np.fromfile(path, np.int32, 1)[0] * np.dtype(dtype).itemsize
    return np.fromfile(path, np.uint8).reshape(-1, row_bytes)[:, 4:].view(dtype)


def numpy_big_ann(path, dtype):
    n, d = np.fromfile(path, np.uint32, 2)
    return np.fromfile(path, dtype, offset=8).reshape(n, d)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)


def check_npy(folder, records):
    path = str(folder / "a.npy")
    for dtype in NPY_TYPES:
        for shape in ((37, 19), (1, 5), (64, 1), (0, 7), (300, 700)):
            rows = random_rows(shape, dtype)
            for order in "CF":
                for version in ((1, 0), (2, 0), (3, 0)):
                    with open(path, "wb") as file:
                        np.lib.format.write_array(file, np.asarray(rows, order=order), version)
                    case = f"{dtype} {shape} {order} of version {version}"
                    records.check(same(ours("read", "npy", dtype, path), rows), f"annulus reads numpy's {case}")
                    window = ours("read", "npy", dtype, path, shape[0] // 3, 11)
                    part = rows[shape[0] // 3 :][:11]
                    records.check(same(window, part), f"annulus reads a window of numpy's {case}")
                    if order == "C" or 1 in shape:
                        records.check(same(ours("map", "npy", dtype, path), rows), f"annulus maps numpy's {case}")
            if dtype == "float16":
                continue
            annulus_compare.write_npy(path, rows)
            written = pathlib.Path(path).read_bytes()
            records.check(same(np.load(path), rows), f"numpy reads annulus's {dtype} {shape}")
            np.save(path, rows)
            records.check(pathlib.Path(path).read_bytes() == written, f"numpy writes the bytes of {dtype} {shape}")
        np.save(path, rows.astype(rows.dtype.newbyteorder(">")))
        try:
            ours("read", "npy", dtype, path)
            records.check(rows.dtype.itemsize == 1, f"annulus refuses big-endian {dtype}")
        except RuntimeError as error:
            records.check("big-endian" in str(error), f"annulus refuses big-endian {dtype} by name")


def check_rows(folder, records):
    rows_of = {name: random_rows((37, 19), name) for name in BIG_ANN_TYPES}
    for dtype, extension in VECS_TYPES.items():
        path, rows = str(folder / f"a.{extension}"), rows_of[dtype]
        annulus_compare.write_vecs(path, rows)
        records.check(same(numpy_vecs(path, dtype), rows), f"numpy reads annulus's {extension}")
        headers = np.full((len(rows), 1), rows.shape[1], np.int32).view(np.uint8)
        np.hstack([headers, rows.view(np.uint8)]).tofile(path)
        records.check(same(ours("read", "vecs", dtype, path), rows), f"annulus reads numpy's {extension}")
        records.check(same(ours("map", "vecs", dtype, path), rows), f"annulus maps numpy's {extension}")
    for dtype, extension in BIG_ANN_TYPES.items():
        path, rows = str(folder / f"a.{extension}"), rows_of[dtype]
        annulus_compare.write_big_ann(path, rows)
        records.check(same(numpy_big_ann(path, dtype), rows), f"numpy reads annulus's {extension}")
        with open(path, "wb") as file:
            np.array(rows.shape, np.uint32).tofile(file)
            rows.tofile(file)
        records.check(same(ours("read", "big_ann", dtype, path), rows), f"annulus reads numpy's {extension}")
        records.check(same(ours("map", "big_ann", dtype, path), rows), f"annulus maps numpy's {extension}")


def check_hdf5(folder, records):
    if not hasattr(annulus_compare, "read_ann_benchmarks"):
        return
    import h5py

    path = str(folder / "a.hdf5")
    sets = {"train": random_rows((500, 20), "float32"), "test": random_rows((30, 20), "float32")}
    sets |= {"neighbors": np.arange(300, dtype=np.int32).reshape(30, 10)}
    sets |= {"distances": random_rows((30, 10), "float32")}
    stored = ({}, {"compression": "gzip"}, {"fletcher32": True}, {"chunks": (7, 3)}, {"shuffle": True})
    for how in (*stored, {"dtype": "f8"}, {"dtype": "i2"}):
        for libver in ("earliest", "v110"):
            with h5py.File(path, "w", libver=(libver, "v110")) as file:
                file.attrs["distance"] = "euclidean"
                for name, values in sets.items():
                    file.create_dataset(name, data=values, **how)
            *read, distance = annulus_compare.read_ann_benchmarks(path)
            holds = distance == "euclidean" and all(map(same, read, sets.values()))
            records.check(holds, f"annulus reads h5py's {how} of {libver}")


def check_index_files(folder, records):
    """safetensors opens index files, and finds in them what annulus has in memory."""
    if not hasattr(annulus_compare, "save_indexes"):
        return
    from safetensors import safe_open

    rows = np.random.default_rng(8).random((1000, 16), dtype=np.float32)
    ids, distances, codewords, rotation = annulus_compare.save_indexes(str(folder), rows)
    files = {
        "index": {},
        "graph": {"ids": ids, "distances": distances},
        "quantizer": {"quantizer.codewords": codewords, "rotation": rotation},
    }
    for name, arrays in files.items():
        with safe_open(str(folder / name), framework="numpy") as file:
            kind = file.metadata()["kind"]
            for key, values in arrays.items():
                records.check(same(file.get_tensor(key), values), f"safetensors reads {key} of a {kind}")
            if name == "index":  # by vertex, which is called by the first of its ids
                names = file.get_tensor("first_ids")
                held = file.get_tensor("rows.values")[:, : rows.shape[1]]
                records.check(same(held, rows[names]), f"safetensors reads the rows of a {kind}")
                by_id = np.argsort(names)
                near = names[file.get_tensor("graph.neighbors.ids")][by_id]
                records.check(same(near, ids), f"safetensors reads the graph of a {kind}")
                far = file.get_tensor("graph.neighbors.distances")[by_id]
                records.check(same(far, distances), f"safetensors reads the distances of a {kind}")


def touched(rows):
    """A value of each cache line is used."""
    return rows[:, ::16].sum()


def without_headers(fvecs):
    return fvecs.reshape(-1, DIM + 1)[:, 1:]


def measure_reads(folder, options, records):
    rows = np.random.default_rng(8).random(QUICK_SHAPE if options.quick else SHAPE, dtype=np.float32)
    paths = {name: str(folder / f"big.{name}") for name in ("npy", "fvecs", "fbin")}
    np.save(paths["npy"], rows)
    annulus_compare.write_vecs(paths["fvecs"], rows)
    annulus_compare.write_big_ann(paths["fbin"], rows)
    copy = np.empty_like(rows)
    memcpy = Contender("memcpy", lambda i: np.copyto(copy, rows), "yardstick")
    numpy_reads = {
        "npy": ("numpy.load", lambda path: np.load(path)),
        "fvecs": ("numpy.fromfile", lambda path: np.ascontiguousarray(without_headers(np.fromfile(path, np.float32)))),
        "fbin": ("numpy.fromfile", lambda path: numpy_big_ann(path, "float32")),
    }
    numpy_maps = {
        "npy": ("numpy.load mmap_mode", lambda path: np.load(path, mmap_mode="r")),
        "fvecs": ("numpy.memmap", lambda path: without_headers(np.memmap(path, np.float32, "r"))),
        "fbin": ("numpy.memmap", lambda path: np.memmap(path, np.float32, "r", 8).reshape(-1, DIM)),
    }
    for name, form in (("npy", "npy"), ("fvecs", "vecs"), ("fbin", "big_ann")):
        path, (read_name, numpy_read), (map_name, numpy_map) = paths[name], numpy_reads[name], numpy_maps[name]
        records.check(same(ours("read", form, "float32", path), rows), f"{name} of {rows.nbytes} bytes is read")
        reads = [
            Contender(f"read_{form}", lambda i: ours("read", form, "float32", path), "ours"),
            Contender(read_name, lambda i: numpy_read(path)),
            memcpy,
        ]
        maps = [
            Contender(f"map_{form}", lambda i: touched(ours("map", form, "float32", path)), "ours"),
            Contender(map_name, lambda i: touched(numpy_map(path))),
            memcpy,
        ]
        for comparison, contenders in (("file read", reads), ("file map and use", maps)):
            case = {"comparison": comparison, "file": name, "bytes": rows.nbytes}
            records.add(case, contenders, race(contenders, rounds=5 if options.quick else 11), {})


def run(options, records):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_npy(folder, records)
        check_rows(folder, records)
        check_hdf5(folder, records)
        check_index_files(folder, records)
        if options.threads == 1:  # no reader uses more
            measure_reads(folder, options, records)
