"""Made the .npz files beside it, by numpy 2.4.6 and scipy 1.17.1."""

import io
import zipfile

import numpy as np
import scipy.sparse as sp

rows, cols = np.indices((6, 9))
dense = np.where((rows * 7 + cols * 3) % 5 == 0, rows * 10 + cols + 0.5, 0)
csr = sp.csr_matrix(dense)

sp.save_npz("csr.npz", csr, compressed=False)
sp.save_npz("compressed.npz", csr)
wide = csr.astype(np.float32)
wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
sp.save_npz("wide.npz", wide, compressed=False)
sp.save_npz("array_of_bools.npz", sp.csr_array(csr.astype(bool)), compressed=False)
sp.save_npz("csc.npz", csr.tocsc(), compressed=False)

# Columns out of order, one place twice, and a zero that is stored.
values, columns, offsets = np.array([2.0, 2, 4, 0, 4]), np.array([3, 1, 3, 2, 0]), np.array([0, 3, 3, 5])
sp.save_npz("unsorted.npz", sp.csr_matrix((values, columns, offsets), shape=(3, 5)), compressed=False)


class Stream(io.RawIOBase):
    """Cannot be sought in, so that zipfile writes sizes behind the members."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


for name, method in ("streamed.npz", zipfile.ZIP_STORED), ("streamed_compressed.npz", zipfile.ZIP_DEFLATED):
    with open(name, "wb") as file, zipfile.ZipFile(Stream(file), "w", method) as archive:
        with zipfile.ZipFile("csr.npz") as other:
            for member in other.namelist():
                archive.writestr(member, other.read(member))
