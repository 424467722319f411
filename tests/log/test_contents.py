"""Source of the rules: FileLogInputStream, FileRecords (4.3)."""

import pytest

from kafkasim.errors import CorruptBatchError
from kafkasim.log.contents import ByteContents, header_at
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import unpack_header
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.segments import AnyStore, batch

ONE = batch(0, 1000)[1]


def changed(at: int, data: bytes) -> bytes:
    return ONE[:at] + data + ONE[at + len(data) :]


def test_batches_are_gone_over_whatever_their_sizes(store: AnyStore) -> None:
    """Some larger than the window that is read at once, some ending at its edge."""
    sizes = [5, 70_000, 65_000, 400, 1, 200_000, *range(60_000, 70_000, 501), 3]
    contents = ByteContents(store, "0.log")
    expected = []
    for number, size in enumerate(sizes):
        header, data = batch(number, 0, size=size)
        expected.append((contents.size_bytes, header))
        contents.append(header, data)

    assert list(contents.headers()) == expected
    assert list(contents.headers(expected[7][0])) == expected[7:]
    assert contents.size_bytes == store.size("0.log")
    start, header = expected[3]
    run = contents.read(start, start + header.size_bytes)
    assert bytes(run) == batch(3, 0, size=400)[1]


def test_a_file_that_is_there_is_gone_on_with(store: AnyStore) -> None:
    ByteContents(store, "0.log").append(*batch(0, 1))
    again = ByteContents(store, "0.log")
    again.append(*batch(1, 2))
    again.rename("1.log")
    again.append(*batch(2, 3))

    assert [header.base_offset for _, header in again.headers()] == [0, 1, 2]
    again.truncate(2 * len(ONE))
    again.seal()
    assert [header.base_offset for _, header in again.headers()] == [0, 1]
    assert store.names() == ["1.log"]


def test_contents_are_made_where_they_are_not(store: AnyStore) -> None:
    assert store.contents("0.log").size_bytes == 0 and store.names() == ["0.log"]


@pytest.mark.parametrize("cut", range(len(ONE)))
def test_a_batch_that_is_cut_anywhere_is_the_end(cut: int) -> None:
    """Source: FileLogInputStream.nextBatch."""
    store = MemoryStore()
    store.write("0.log", ONE + ONE[:cut])

    assert len(list(ByteContents(store, "0.log").headers())) == 1


def test_what_is_no_header_is_an_error_with_its_position() -> None:
    """Lengths of 13 and less; of too short a batch of v2; an older format."""
    bad = {
        changed(8, b"\xff" * 4): "length of -1",
        changed(8, bytes(4)): "length of 0",
        changed(8, b"\0\0\0\x0d"): "length of 13",
        changed(8, b"\0\0\0\x30"): "length 48 is too short",
        changed(16, b"\x01"): "magic 1 is before 2",
        changed(16, b"\xff"): "magic 255 is before 2",
    }
    for data, text in bad.items():
        store = MemoryStore()
        store.write("0.log", ONE + data)
        headers = ByteContents(store, "0.log").headers()
        next(headers)
        with pytest.raises(CorruptBatchError, match=text) as error:
            next(headers)
        assert error.value.position == len(ONE)


def test_a_lying_index_may_point_before_the_first_batch() -> None:
    store = MemoryStore()
    store.write("0.log", ONE + ONE)

    with pytest.raises(CorruptBatchError, match="begins at -5"):
        list(ByteContents(store, "0.log").headers(-5))


def test_what_kafka_takes_for_a_header_is_one() -> None:
    """A length that only just holds one; a later magic."""
    least = changed(8, b"\0\0\0\x31")
    later = changed(16, b"\x03")

    for data in (least, later):
        assert header_at(data, 0, len(data)) == unpack_header(data, 0)
    assert header_at(ONE[:17], 0, 17) is None


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_the_first_record_that_is_late_enough_and_far_enough(codec: str) -> None:
    """Source: FileRecords.searchForTimestamp."""
    times = (50, 40, 70, 60, 70)
    records = [Record(time, b"k", b"v") for time in times]
    data = encode_batch(records, base_offset=10, codec=codec)
    header = unpack_header(data, 0)
    contents = ByteContents(MemoryStore(), "0.log")
    contents.append(*batch(0, 1))
    position = contents.size_bytes
    contents.append(header, data)

    asked = ((0, 0), (51, 0), (0, 11), (51, 13), (70, 13), (71, 0), (0, 15))
    found = [contents.first_at(position, header, *one) for one in asked]

    assert found == [(50, 10), (70, 12), (40, 11), (60, 13), (70, 14), None, None]


def test_a_flush_syncs_and_a_close_keeps(tmp_path: object) -> None:
    store = FolderStore(str(tmp_path))
    contents = ByteContents(store, "0.log")
    contents.append(*batch(0, 1))
    contents.flush()
    contents.close()

    assert (store.path / "0.log").read_bytes() == batch(0, 1)[1]
