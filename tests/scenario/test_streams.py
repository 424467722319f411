import numpy as np

from kafkasim.scenario.streams import stream


def test_the_same_seed_and_name_give_the_same_numbers() -> None:
    one = stream(7, "arrivals/web").integers(2**32, size=100)
    other = stream(7, "arrivals/web").integers(2**32, size=100)

    assert (one == other).all()


def test_another_seed_or_name_gives_unrelated_numbers() -> None:
    draws = [
        stream(seed, name).random(10_000)
        for seed, name in ((7, "a"), (7, "b"), (8, "a"), (7, "a/null"))
    ]

    correlation = np.asarray(np.corrcoef(draws))
    off_diagonal = correlation[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4 / np.sqrt(10_000)


def test_a_large_seed_is_a_seed_like_any_other() -> None:
    assert stream(2**63 - 1, "a").random() != stream(2**31 - 1, "a").random()
