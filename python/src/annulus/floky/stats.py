"""Probabilities of collisions, as floky.stats has them."""

import math


def collision_prob_l2(r: float, distance: float) -> float:
    """That two rows share a hash value of `L2` (Datar and others 2004).

    Parameters
    ----------
    r : float
        The width of a bucket.
    distance : float
        Of the rows, at least 0.

    Returns
    -------
    float
        The probability.
    """
    if distance == 0:
        return 1.0
    t = r / distance
    outside = math.erfc(t / math.sqrt(2))  # 2 Phi(-t)
    return 1 - outside - 2 / (math.sqrt(2 * math.pi) * t) * -math.expm1(-t * t / 2)


def collision_prob_cosine(sim: float) -> float:
    """That two rows share a hash value of `SRP` (Charikar 2002).

    Parameters
    ----------
    sim : float
        Their cosine similarity.

    Returns
    -------
    float
        The probability.
    """
    return 1 - math.acos(max(-1.0, min(1.0, sim))) / math.pi


def det_prob_query(p1: float, k: int, l: int) -> float:  # noqa: E741  (floky's name)
    """That a row is found.

    Parameters
    ----------
    p1 : float
        The probability that it shares one hash value with the query.
    k : int
        Hash values of a table.
    l : int
        Tables.

    Returns
    -------
    float
        The probability.
    """
    return 1 - (1 - p1**k) ** l
