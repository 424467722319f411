"""What the `commit` of a group may be."""

import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.commit_mode import commit_every
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def test_a_count_is_written_without_spaces() -> None:
    assert Group(commit="manual( every = 10 )").commit == "manual(every=10)"
    assert commit_every("manual(every=10)") == 10
    assert commit_every("auto") == 0


@pytest.mark.parametrize(
    "commit", ["manual", "manual(every=0)", "manual(every=x)", "always", 3]
)
def test_other_words_are_refused(commit: object) -> None:
    with pytest.raises(ValidationError, match="one of 'auto', 'each_poll'") as caught:
        Group(commit=commit)  # type: ignore[arg-type]
    assert caught.value.path == "commit"


def test_an_application_that_commits_turns_automatic_commits_off() -> None:
    with pytest.raises(ValidationError, match="turns it off") as caught:
        Group(commit="after_work", config=ConsumerConfig(enable_auto_commit=True))
    assert caught.value.path == "config.enable_auto_commit"


@pytest.mark.parametrize(
    ("commit", "wants", "said", "effective"),
    [
        ("auto", "new", None, (True, "latest")),
        ("auto", "all", None, (True, "earliest")),
        ("auto", "all", "latest", (True, "latest")),
        ("each_poll", "new", "none", (False, "none")),
    ],
)
def test_what_was_not_said_follows_from_commit_and_subscriber(
    commit: str, wants: str, said: str | None, effective: tuple[bool, str]
) -> None:
    config = (
        ConsumerConfig() if said is None else ConsumerConfig(auto_offset_reset=said)
    )
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Poisson(1))},
            {"billing": Subscriber(["orders"], wants=wants)},  # type: ignore[arg-type]
            duration_s=1,
        ),
        Kafka(groups={"billing": Group(commit=commit, config=config)}),
    ).resolve()
    system = scenario.system
    assert isinstance(system, Kafka)
    resolved = system.groups["billing"].config
    assert (resolved.enable_auto_commit, resolved.auto_offset_reset) == effective
    assert scenario.resolve() == scenario
