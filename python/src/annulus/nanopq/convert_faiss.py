"""Quantisers to and from faiss's, which is imported when they are called."""

import numpy as np

from .opq import OPQ
from .pq import PQ, check


def faiss_module():
    try:
        import faiss
    except ImportError as error:
        raise ImportError("converting to and from faiss needs faiss: pip install faiss-cpu") from error
    return faiss


def nanopq_to_faiss(pq_nanopq):
    """A quantiser as faiss's, without codes. The metric is kept.

    Parameters
    ----------
    pq_nanopq : PQ or OPQ
        Fitted; faiss's codes have log2(Ks) bits, so Ks is a power of two.

    Returns
    -------
    faiss.IndexPQ or faiss.IndexPreTransform
        Of an OPQ the latter, before an IndexPQ.

    Raises
    ------
    NanopqError, ImportError
        For another quantiser, and without faiss.
    """
    faiss = faiss_module()
    check(isinstance(pq_nanopq, (PQ, OPQ)), f"pq_nanopq is a {type(pq_nanopq).__name__}, must be a PQ or an OPQ")
    check(pq_nanopq.codewords is not None, "pq_nanopq.codewords must be set by fit() before they are converted")
    M, Ks, Ds = pq_nanopq.codewords.shape
    bits = Ks.bit_length() - 1
    check(Ks == 2**bits and bits >= 1, f"Ks is {Ks}; faiss has codebooks of 2, 4, 8, ... codewords only")
    metric = {"l2": faiss.METRIC_L2, "dot": faiss.METRIC_INNER_PRODUCT}[pq_nanopq.metric]
    index = faiss.IndexPQ(M * Ds, M, bits, metric)
    faiss.copy_array_to_vector(pq_nanopq.codewords.ravel(), index.pq.centroids)
    index.is_trained = True
    if isinstance(pq_nanopq, PQ):
        return index
    rotation = faiss.LinearTransform(M * Ds, M * Ds)
    faiss.copy_array_to_vector(np.ascontiguousarray(pq_nanopq.R.T).ravel(), rotation.A)
    rotation.is_trained = True
    rotated = faiss.IndexPreTransform(rotation, index)
    rotated.metric_type = metric
    rotated.is_trained = True
    return rotated


def faiss_to_nanopq(pq_faiss):
    """faiss's quantiser as nanopq's, and the codes of its index.

    Parameters
    ----------
    pq_faiss : faiss.IndexPQ or faiss.IndexPreTransform
        Trained; the latter of linear transforms before an IndexPQ.

    Returns
    -------
    PQ or OPQ
        With faiss's codewords and metric.
    integer array, ntotal x M
        The codes in the index.

    Raises
    ------
    NanopqError, ImportError
        For another index, and without faiss.
    """
    faiss = faiss_module()
    check(
        isinstance(pq_faiss, (faiss.IndexPQ, faiss.IndexPreTransform)),
        f"pq_faiss is a {type(pq_faiss).__name__}, must be a faiss.IndexPQ or a faiss.IndexPreTransform",
    )
    check(pq_faiss.is_trained, "pq_faiss must be trained")
    rotation = None
    if isinstance(pq_faiss, faiss.IndexPreTransform):
        rotation = rotation_of(faiss, pq_faiss)
        pq_faiss = faiss.downcast_index(pq_faiss.index)
        name = type(pq_faiss).__name__
        check(isinstance(pq_faiss, faiss.IndexPQ), f"the transforms are before a {name}, must be before an IndexPQ")
    metrics = {faiss.METRIC_L2: "l2", faiss.METRIC_INNER_PRODUCT: "dot"}
    check(pq_faiss.metric_type in metrics, f"the metric is faiss's number {pq_faiss.metric_type}, must be L2 or IP")

    quantizer = pq_faiss.pq
    M, Ks = quantizer.M, 2**quantizer.nbits
    kind = PQ if rotation is None else OPQ
    result = kind(M, Ks, metric=metrics[pq_faiss.metric_type], verbose=False)
    codewords = faiss.vector_to_array(quantizer.centroids).reshape(M, Ks, quantizer.dsub)
    if rotation is None:
        result.codewords = codewords
    else:
        result.pq.codewords, result.R = codewords, rotation
    packed = faiss.vector_to_array(pq_faiss.codes).reshape(pq_faiss.ntotal, quantizer.code_size)
    return result, unpacked(packed, M, quantizer.nbits, result.code_dtype)


def rotation_of(faiss, index):
    """The product of an index's transforms, by which rows are multiplied from the right."""
    rotation = np.eye(index.d, dtype=np.float32)
    for i in range(index.chain.size()):
        transform = faiss.downcast_VectorTransform(index.chain.at(i))
        check(
            isinstance(transform, faiss.LinearTransform) and not faiss.vector_to_array(transform.b).any(),
            f"transform {i} is a {type(transform).__name__}; only rotations, without a bias, can be converted",
        )
        rotation = rotation @ faiss.vector_to_array(transform.A).reshape(transform.d_out, transform.d_in).T
    return rotation


def unpacked(packed, M, bits, dtype):
    """Codes of `bits` bits each, packed from the lowest bit on, (n, bytes) to (n, M)."""
    if bits == 8:
        return packed
    codes = np.unpackbits(packed, axis=1, count=M * bits, bitorder="little").reshape(len(packed), M, bits)
    return codes @ (1 << np.arange(bits, dtype=np.uint32)).astype(dtype)
