"""What a fuzzer found worth keeping is read again, without the fuzzer."""

from pathlib import Path

import pytest

from tests.log import fuzz

CORPUS = sorted((Path(__file__).parent / "data" / "fuzz").iterdir())


@pytest.mark.parametrize("file", CORPUS, ids=[file.name for file in CORPUS])
def test_an_input_is_read_or_refused(file: Path) -> None:
    fuzz.run(file.read_bytes())


def test_every_target_has_inputs() -> None:
    targets = {file.read_bytes()[0] % len(fuzz.TARGETS) for file in CORPUS}

    assert targets == set(range(len(fuzz.TARGETS)))
    assert sum(file.stat().st_size for file in CORPUS) < 64_000
