"""What indexes say is held against the batches, where these can be read."""

import pytest

from kafkasim.log.fsck import fsck
from tests.log.loading_cases import log_name, positions
from tests.log.test_loading import CONFIG, WRITTEN, store_of

BASE = 16


def rotten(number: int) -> dict[str, bytes]:
    """Return the files of a sound log, with two bytes of one batch wrong."""
    files = dict(WRITTEN["clean"])
    data = bytearray(files[log_name(BASE)])
    at = positions(bytes(data))[number]
    data[at + 70] ^= 0xFF
    data[at + 75] ^= 0x0F
    files[log_name(BASE)] = bytes(data)
    return files


@pytest.mark.parametrize("number", range(6))
def test_an_index_does_not_lie_of_a_batch_that_cannot_be_read(number: int) -> None:
    report = fsck(store_of(rotten(number)), config=CONFIG)
    assert "bit rot" in report.kinds()
    assert not {"lying offset index", "lying time index"} & report.kinds()


def test_beside_it_an_index_that_lies_is_found_all_the_same() -> None:
    files = rotten(5)
    for ending, kind, at in (
        ("index", "lying offset index", 7),
        ("timeindex", "lying time index", 7),
    ):
        name = log_name(BASE).replace("log", ending)
        index = bytearray(files[name])
        index[at] ^= 1  # the last byte of its first position, or timestamp
        report = fsck(store_of(files | {name: bytes(index)}), config=CONFIG)
        assert [one.file for one in report.of(kind)] == [name]
