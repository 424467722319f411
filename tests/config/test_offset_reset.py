import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.errors import ValidationError
from tests.config.verdicts import answer, asked


def test_every_start_is_judged_as_kafka_does() -> None:
    """Source: what ConsumerConfig of Kafka 4.3.1 said (KIP-1106)."""
    rows = list(asked("offset_reset"))

    assert len(rows) == 35
    for said, effective in rows:
        assert answer(ConsumerConfig, said, "auto.offset.reset") == effective, said


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="auto_offset_reset"):
        ConsumerConfig(auto_offset_reset=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("P1D", 86_400),
        ("PT1H", 3_600),
        ("PT2M", 120),
        ("PT0.25S", 0.25),
        ("pt1,5s", 1.5),
        ("P1DT1H1M1.5S", 90_061.5),
        ("PT1H-30M", 1_800),
        ("-PT-10S", 10),
        ("PT2M-0.5S", 119.5),
    ],
)
def test_durations_are_read_as_java_does(duration: str, seconds: float) -> None:
    """Source: java.time.Duration.parse."""
    assert reset_duration_ns(f"by_duration:{duration}") == seconds * 10**9


def test_a_word_is_no_duration() -> None:
    assert reset_duration_ns("earliest") is None
