"""What stands in front of a producer's queues."""

from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.retries import Retries
from kafkasim.protocol.producing.sequences import Sequences


def batches(count: int) -> list[Batch]:
    return [Batch(0, 0, lo, lo + 1, 100, 0) for lo in range(count)]


def front(retries: Retries) -> list[int]:
    return [batch.lo for batch in retries.fronts.get(0, ())]


def test_without_numbers_each_goes_to_the_head() -> None:
    retries = Retries(None)
    one, two = batches(2)
    retries.put_back(one)
    retries.put_back(two)
    assert front(retries) == [1, 0]
    assert retries.take(0) is two
    assert retries.take(0) is one
    assert retries.fronts == {}


def test_with_numbers_each_goes_to_its_place() -> None:
    sequences = Sequences(7, 1, lambda: 8)
    sequences.track([], [0])
    retries = Retries(sequences)
    made = batches(4)
    for batch in made:
        sequences.drained(batch)
    for place in (2, 0, 3, 1):
        retries.put_back(made[place])
    assert front(retries) == [0, 1, 2, 3]


def test_a_partition_is_held_by_its_front_or_muted() -> None:
    retries = Retries(None)
    (batch,) = batches(1)
    assert not retries.holds(0)
    retries.put_back(batch)
    assert retries.holds(0)
    assert not retries.holds(1)
    retries.muted.add(1)
    assert retries.holds(1)
    assert not retries.stops(0, batch, is_retry=True)
