"""Arguments as what the module reads: rows, filters, and values of options."""

import math
import numbers
import operator

import numpy

from . import _core

Rows = _core.Rows

# As annulus_layout and annulus_dtype have them.
_DENSE, _CSR, _BITS = 0, 1, 2
_DTYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8")
_TAKEN = "float32, float64, float16, bfloat16, uint8, int8 or bool"


def bits(packed, n_bits=None) -> Rows:
    """Rows of packed bits, as ``numpy.packbits(rows, axis=1, bitorder="little")`` makes them, for metrics of bits.

    Arrays of bools need no packing: where the metric compares bits, they are packed by the call that they are given to.

    Parameters
    ----------
    packed : uint8 array, n x ceil(n_bits / 8)
        Bits behind the last of a row must be 0.
    n_bits : int, default 8 * packed.shape[1]
        Of a row.

    Returns
    -------
    Rows
        Taken wherever rows are.

    Raises
    ------
    TypeError, ValueError
        For another array, and n_bits that do not fit its columns.
    """
    packed = numpy.ascontiguousarray(packed)
    if packed.dtype != numpy.uint8 or packed.ndim != 2:
        raise TypeError(f"packed: an array of {packed.dtype} of shape {packed.shape}; must be uint8 of two dimensions")
    n_bits = 8 * packed.shape[1] if n_bits is None else operator.index(n_bits)
    if (n_bits + 7) // 8 != packed.shape[1]:
        room = 8 * packed.shape[1]
        raise ValueError(f"n_bits = {n_bits}: rows of {packed.shape[1]} bytes hold {room - 7} to {room} bits")
    return Rows._bits(packed, n_bits)


def sets(rows, dim=None) -> Rows:
    """Sets of non-negative integers, one a row, for metrics such as jaccard: sparse rows without values.

    Parameters
    ----------
    rows : list
        Sets, lists or arrays of integers, each of which is one set.
    dim : int, default one more than the greatest member
        Above every member.

    Returns
    -------
    Rows
        Taken wherever rows are.

    Raises
    ------
    ValueError
        For members that are negative, or not below dim or 2**31 - 1.
    """
    members = [_members(row) for row in rows]
    indptr = numpy.zeros(len(members) + 1, dtype=numpy.int64)
    numpy.cumsum([len(row) for row in members], out=indptr[1:])
    indices = numpy.concatenate(members) if members else numpy.zeros(0, dtype=numpy.int64)
    greatest = int(indices.max()) if len(indices) else -1
    if len(indices) and int(indices.min()) < 0:
        raise ValueError(f"rows: {int(indices.min())} is a member; members must be from 0 on")
    if greatest >= 2**31 - 1:
        raise ValueError(f"rows: {greatest} is a member; members must be below 2**31 - 1")
    dim = greatest + 1 if dim is None else operator.index(dim)
    if dim <= greatest:
        raise ValueError(f"rows: {greatest} is a member; it must be below dim = {dim}")
    return Rows._csr(indptr, indices.astype(numpy.int32), None, dim)


def _members(row):
    """The members of a set, ascending."""
    try:
        return numpy.unique(numpy.fromiter(map(operator.index, row), dtype=numpy.int64, count=len(row)))
    except OverflowError:
        raise ValueError(f"rows: {max(row, key=abs)} is a member; members must be below 2**31 - 1") from None


def is_sets(rows):
    """Whether rows are a list of sets."""
    return isinstance(rows, (list, tuple)) and len(rows) > 0 and all(isinstance(row, (set, frozenset)) for row in rows)


def rows(data, name, kind, pack_bits):
    """What the module can read in place of `data`: a Rows, or an array of two dimensions (of queries, also of one).

    kind: of queries, (layout, dtype, dim) of the index's rows; None of data.
    """
    layout, dtype, dim = kind or (None, None, None)
    if isinstance(data, Rows):
        return data
    if hasattr(data, "tocsr"):
        return _sparse(data, name, dtype if layout == _CSR else None)
    if is_sets(data):
        return sets(data, dim)
    array = _array(data, name)
    if array.ndim not in ((2,) if kind is None else (1, 2)):
        shape = "two dimensions, rows by coordinates"
        raise ValueError(f"{name}: an array of shape {array.shape}; must have {shape}")
    if array.dtype == bool:
        if pack_bits:
            packed = numpy.packbits(array, axis=-1, bitorder="little")
            return Rows._bits(numpy.atleast_2d(packed), array.shape[-1])
        array = array.view(numpy.uint8)
    if layout == _DENSE and array.dtype.name != _DTYPES[dtype] and dtype <= 3:
        array = _bfloat16(array, name) if _DTYPES[dtype] == "bfloat16" else array.astype(_DTYPES[dtype])
    elif layout == _DENSE and dtype > 3 and array.dtype.kind in "iu" and array.dtype.itemsize > 1:
        limits = numpy.iinfo(_DTYPES[dtype])
        if array.size and not limits.min <= int(array.min()) <= int(array.max()) <= limits.max:
            raise ValueError(f"{name}: numbers of rows of {_DTYPES[dtype]} are from {limits.min} to {limits.max}")
        array = array.astype(_DTYPES[dtype])
    elif array.dtype.name not in _DTYPES:
        raise TypeError(f"{name}: an array of {array.dtype}; must be {_TAKEN}: {name}.astype(numpy.float32)")
    if array.dtype.name == "bfloat16":
        return Rows._bfloat16(numpy.atleast_2d(numpy.ascontiguousarray(array)).view(numpy.uint16))
    # In native order of bytes, aligned, and with strides of whole elements.
    return numpy.require(array, array.dtype.newbyteorder("="), ["C_CONTIGUOUS", "ALIGNED"])


def as_array(data, name):
    """`data` as a plain numpy array of whatever type, in its own memory where that can be."""
    if isinstance(data, numpy.ma.MaskedArray) and numpy.ma.is_masked(data):
        raise TypeError(f"{name}: some of its numbers are masked; fill them first: {name}.filled(value)")
    of_another_package = hasattr(data, "__dlpack_device__") and not isinstance(data, numpy.ndarray)
    if of_another_package and data.__dlpack_device__()[0] != 1:  # kDLCPU
        raise TypeError(f"{name}: is not in memory of the CPU; copy it there first ({name}.cpu() of torch)")
    if getattr(data, "requires_grad", False):
        data = data.detach()
    if str(getattr(data, "dtype", "")) == "torch.bfloat16":  # which numpy lacks
        data = data.float()
    return numpy.from_dlpack(data) if of_another_package and not hasattr(data, "__array__") else numpy.asarray(data)


def _array(data, name):
    array = as_array(data, name)
    if array.dtype == object:
        raise TypeError(f"{name}: {type(data).__name__} is no array of numbers, all rows of which are of one length")
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise TypeError(f"{name}: an array of {array.dtype}; must be {_TAKEN}")
    return array


def _bfloat16(array, name):
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        raise TypeError(f"{name}: an array of {array.dtype}; must be bfloat16 (of the package ml_dtypes)") from None
    return array.astype(bfloat16)


def _sparse(matrix, name, dtype):
    if matrix.ndim != 2:
        raise ValueError(f"{name}: a sparse array of shape {matrix.shape}; must have two dimensions")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"{name}: a sparse matrix of {matrix.dtype}; must be of float32, float64, integers or bools")
    matrix = matrix.tocsr()
    _check_structure(matrix, name)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    if max(matrix.shape[1], matrix.nnz and int(matrix.indices.max())) >= 2**31:
        raise ValueError(f"{name}: {matrix.shape[1]} columns; must be below 2**31")
    if dtype is None:  # data: of its own type, if there are such rows
        wanted = numpy.float64 if matrix.data.dtype == numpy.float64 else numpy.float32
    else:
        wanted = _DTYPES[dtype]
    contiguous = numpy.ascontiguousarray
    return Rows._csr(
        contiguous(matrix.indptr, dtype=numpy.int64),
        contiguous(matrix.indices, dtype=numpy.int32),
        contiguous(matrix.data, dtype=wanted),
        matrix.shape[1],
    )


def _check_structure(matrix, name):
    """That a matrix can be read by its `indptr`: scipy looks at it when a matrix is made, not when it is changed."""
    indptr = matrix.indptr
    stored = min(len(matrix.indices), len(matrix.data))
    if len(indptr) != matrix.shape[0] + 1 or indptr[0] != 0 or indptr[-1] > stored or (indptr[1:] < indptr[:-1]).any():
        raise ValueError(
            f"{name}: indptr must have {matrix.shape[0] + 1} numbers that ascend from 0 to at most {stored}, "
            "as many as indices and data have"
        )


def allowed(allowed_ids, n):
    """A filter, for an index of n ids.

    (0, ids, their number), (1, packed bits, their number), (2, what keeps the code, its address), or (3, function).
    """
    address = _address(allowed_ids)
    if address is not None:
        return 2, allowed_ids, address
    if callable(allowed_ids):
        return 3, allowed_ids
    if isinstance(allowed_ids, (set, frozenset, range)):
        allowed_ids = list(allowed_ids)
    array = numpy.asarray(allowed_ids)
    if array.ndim == 0:
        raise TypeError(f"filter: {allowed_ids!r}; must be ids, a bool for each row, or a function of an id")
    if array.ndim != 1:
        raise ValueError(f"filter: an array of shape {array.shape}; must be ids, or a bool for each row")
    if array.dtype == bool:
        if len(array) < n:
            raise ValueError(f"filter: {len(array)} bools; must have one for each of the {n} ids")
        packed = numpy.zeros((len(array) + 63) // 64, dtype=numpy.uint64)
        packed.view(numpy.uint8)[: (len(array) + 7) // 8] = numpy.packbits(array, bitorder="little")
        return 1, packed, len(array)
    if array.size == 0:
        return 0, numpy.zeros(1, dtype=numpy.uint32), 0
    if array.dtype.kind not in "iu":
        raise TypeError(f"filter: an array of {array.dtype}; must be ids, a bool for each row, or a function of an id")
    if int(array.min()) < 0 or int(array.max()) >= 2**32 - 1:
        wrong = array.min() if array.min() < 0 else array.max()
        raise ValueError(f"filter: id {int(wrong)}; ids are from 0 on and below 2**32 - 1")
    return 0, numpy.ascontiguousarray(array, dtype=numpy.uint32), len(array)


def _address(function):
    from ._metric import address_of

    if isinstance(function, (list, tuple, range, set, frozenset, numpy.ndarray, numbers.Integral)):
        return None
    return address_of(function, "filter")


def option(name, value):
    """The value of an option: text, an array of float64, or for "initial" one of ids, uint32."""
    if name == "initial":
        return _lists_of_ids(name, value)
    if isinstance(value, numpy.generic) and not isinstance(value, numpy.bool_):
        value = value.item()
    if isinstance(value, (bool, numpy.bool_)):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(operator.index(value))
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return repr(float(value))
    array = numpy.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: {type(value).__name__}; must be a number, text, or an array of numbers")
    return numpy.ascontiguousarray(array, dtype=numpy.float64)


def _lists_of_ids(name, value):
    """Lists of ids, -1 for none, as the module reads them: uint32 in C order."""
    array = numpy.asarray(value)
    if array.dtype.kind not in "iu" or array.ndim != 2:
        raise TypeError(f"{name}: {array.ndim}-D, {array.dtype}; must be integers, one row of ids for each row of data")
    if array.size and (int(array.min()) < -1 or int(array.max()) > 2**32 - 1):
        raise ValueError(f"{name}: has ids from {array.min()} to {array.max()}; must be rows of data, or -1")
    return numpy.ascontiguousarray(array, dtype=numpy.uint32)


def codes(values, m, ks, code_bytes):
    """Codes as the module reads them: n x m (or m) unsigned integers of code_bytes, in C order."""
    array = numpy.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"codes: an array of {array.dtype}; must be integers")
    if array.ndim not in (1, 2) or array.shape[-1] != m:
        raise ValueError(f"codes: an array of shape {array.shape}; must be n x {m}, as encode returns them")
    if array.size and (int(array.min()) < 0 or int(array.max()) >= ks):
        wrong = array.min() if array.min() < 0 else array.max()
        raise ValueError(f"codes: {int(wrong)}; must be from 0 on and below ks = {ks}")
    return numpy.ascontiguousarray(array, dtype={1: numpy.uint8, 2: numpy.uint16, 4: numpy.uint32}[code_bytes])
