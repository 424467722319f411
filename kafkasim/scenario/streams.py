"""Named streams of random numbers.

Every column of a plan, every link's delay, every sticky partition choice draws from a
stream of its own, named after what it is for. So adding a source, or drawing one number
more somewhere, changes no other's numbers, and two systems under the same traffic meet
the same luck (common random numbers).
"""

import hashlib

import numpy as np


def stream(seed: int, name: str) -> "np.random.Generator":
    """Return the stream of a name under a seed.

    Parameters
    ----------
    seed : int
        At least 0.
    name : str
        Such as `arrivals/web` or `work/billing/web`.

    Returns
    -------
    numpy.random.Generator
        PCG64, seeded by a `SeedSequence` of the seed and the eight 32-bit words of the
        SHA-256 of the name.

    Examples
    --------
    >>> again = stream(7, "keys/web").integers(100, size=3)
    >>> bool((stream(7, "keys/web").integers(100, size=3) == again).all())
    True
    """
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
    entropy = (seed, *(int(word) for word in words))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
