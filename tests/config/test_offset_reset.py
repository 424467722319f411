import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.errors import ValidationError


@pytest.mark.parametrize("reset", ["latest", "earliest", "none", "by_duration:PT0S"])
def test_the_three_words_and_a_duration_are_read(reset: str) -> None:
    """Source: AutoOffsetResetStrategy.fromString, KIP-1106."""
    assert ConsumerConfig(auto_offset_reset=reset).auto_offset_reset == reset


@pytest.mark.parametrize(
    "reset",
    [
        "Latest",
        "",
        "by_duration",
        "by_duration:",
        "by_duration:P",
        "by_duration:PT",
        "by_duration:P1DT",
        "by_duration:-PT1S",
        "by_duration:PT-1S",
        "by_duration:1h",
        "by_duration:P1Y",
        "PT1S",
        5,
    ],
)
def test_what_kafka_refuses_is_refused(reset: object) -> None:
    with pytest.raises(ValidationError, match="auto_offset_reset"):
        ConsumerConfig(auto_offset_reset=reset)  # type: ignore[arg-type]


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
