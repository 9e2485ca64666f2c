"""Made the .hdf5 files beside it as ann-benchmarks' datasets.py makes its own, by h5py 3.16.0 and numpy 2.4.6."""

import h5py
import numpy as np


def write_answers(file, distances, k):
    file.create_dataset("neighbors", data=np.argsort(distances, axis=1, kind="stable")[:, :k].astype("i"))
    file.create_dataset("distances", data=np.sort(distances, axis=1)[:, :k].astype("f"))


def bits(n, d, seed):
    i, j = np.indices((n, d))
    return (i * 5 + j * j * 3 + i * j + seed) % 7 < 3


train, test = bits(20, 19, 0), bits(3, 19, 4)
with h5py.File("hamming.hdf5", "w") as file:
    file.attrs["type"] = "dense"
    file.attrs["distance"] = "hamming"
    file.attrs["dimension"] = 19
    file.attrs["point_type"] = "bit"
    file.create_dataset("train", data=train)
    file.create_dataset("test", data=test)
    write_answers(file, (test[:, None, :] != train[None]).mean(axis=2), 5)

train = [[j for j in range(30) if (i * j + j + i) % 5 == 0] for i in range(12)]
test = [[j for j in range(30) if (i * j + 2 * j + i) % 6 < 2] for i in range(3)]
with h5py.File("jaccard.hdf5", "w") as file:
    file.attrs["type"] = "sparse"
    file.attrs["distance"] = "jaccard"
    file.attrs["dimension"] = 30
    file.attrs["point_type"] = "bit"
    for name, sets in ("train", train), ("test", test):
        file.create_dataset(name, data=np.concatenate(sets).astype("i"))
        file.create_dataset("size_" + name, data=[len(members) for members in sets])
    write_answers(file, np.array([[1 - len(set(a) & set(b)) / len(set(a) | set(b)) for b in train] for a in test]), 5)
