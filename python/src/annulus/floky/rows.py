"""Rows that are appended to."""

import numpy as np


class GrowingRows:
    """Float32 rows of `dim` coordinates, in memory that doubles when it is full."""

    def __init__(self, dim):
        self._memory = np.empty((0, dim), np.float32)
        self._n = 0

    def __len__(self):
        return self._n

    def view(self):
        return self._memory[: self._n]

    def append(self, rows):
        end = self._n + len(rows)
        if end > len(self._memory):
            grown = np.empty((max(end, 2 * self._n), rows.shape[1]), np.float32)
            grown[: self._n] = self.view()
            self._memory = grown
        self._memory[self._n : end] = rows
        self._n = end
