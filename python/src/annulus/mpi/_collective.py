"""Errors of one rank as errors of all: whoever waits for a rank that failed is told, and none hangs."""

import pickle

import numpy
from mpi4py import MPI


def attempt(action):
    """(what action() returns, None), or (None, what it raises)."""
    try:
        return action(), None
    except BaseException as error:  # also of Ctrl-C and sys.exit: the other ranks wait in the next call
        return None, error


def together(comm, action):
    """What action() returns on this rank. Where it raises on one rank, all raise that error, and say which rank's."""
    result, error = attempt(action)
    agree(comm, error)
    return result


def agree(comm, error):
    """Raises on all ranks where `error`, what was raised on this rank, is not None on one: that of the first."""
    failed = numpy.empty(1, dtype=numpy.int64)
    comm.Allreduce(first_failed(comm, error), failed, MPI.MIN)
    raise_shared(comm, int(failed[0]), error)


def first_failed(comm, error):
    """This rank's part in the minimum that says which rank failed: its number, or that of ranks where it did not."""
    return numpy.full(1, comm.size if error is None else comm.rank, dtype=numpy.int64)


def raise_shared(comm, failed, error):
    """Raises the error of the rank `failed` on all ranks; does nothing where that is the number of ranks."""
    if failed == comm.size:
        return
    mine = failed == comm.rank
    content = comm.bcast(_described(error, failed) if mine else None, failed)
    raise _rebuilt(*content) from (error if mine else None)


def _described(error, rank):
    """The class of an error, pickled, and its arguments with the rank in front."""
    cls = type(error)
    if isinstance(error, OSError) and error.errno is not None:
        name = () if error.filename is None else (error.filename,)
        arguments = (error.errno, f"rank {rank}: {error.strerror}", *name)
    else:
        arguments = (f"rank {rank}: {error}",)
    try:
        content = pickle.dumps(cls), arguments
        is_same = type(_rebuilt(*content)) is cls
    except Exception:
        is_same = False
    return content if is_same else (pickle.dumps(RuntimeError), (f"rank {rank}: {cls.__name__}: {error}",))


def _rebuilt(cls, arguments):
    try:
        return pickle.loads(cls)(*arguments)
    except Exception:  # a class that this rank has not imported, or with other arguments
        return RuntimeError(*arguments)
