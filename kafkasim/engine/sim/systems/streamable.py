"""What a streamed run can let go as it goes on, what it keeps, and what it refuses."""

from collections.abc import Sequence

from kafkasim.catalogue import say
from kafkasim.engine.sim.systems.kafka_refusals import check_refuses_nothing
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.events import Event
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Traffic


def keeps_records(events: Sequence[Event]) -> bool:
    """Say whether a run keeps its records to its end, streamed or not.

    Where a broker or a controller may fail, or a link, records may be sent again, and a
    log may be cut off; what is said of one record needs all.
    """
    return any(
        isinstance(event, StuckRecord) or not event.target.startswith("subscriber:")
        for event in events
    )


class MustKeepRecords(Exception):  # noqa: N818 - it is no error of the user's
    """Something has failed in a run that lets records go: it has to begin anew."""


def check_streamed(scenario: Scenario) -> None:
    """Refuse what no streamed run can be of.

    Raises
    ------
    ValidationError
        A topic is compacted or may refuse a batch, a source is a closed loop, an
        application sends again, or a reader seeks.
    """
    resolved = scenario.resolve()
    assert isinstance(resolved.system, Kafka)
    _check_not_compacted(resolved.system)
    _check_not_live(resolved.system, resolved.traffic)
    check_refuses_nothing(resolved.system)
    _check_seeks_nothing(scenario.events)


def _check_not_compacted(system: Kafka) -> None:
    """Refuse compaction in a run that lets its records go."""
    for name, topic in system.topics.items():
        if topic.config.compacts:
            raise ValidationError(
                f"system.topics.{name}.config.cleanup_policy",
                topic.config.cleanup_policy,
                say("delete, in a streamed run"),
                say("compaction looks at all records; run with result='full'"),
            )


def _check_not_live(system: Kafka, traffic: Traffic) -> None:
    """Refuse sources whose records are not all known before, in a streamed run."""
    for name, source in traffic.sources.items():
        if isinstance(source.arrivals, ClosedLoop):
            raise ValidationError(
                f"traffic.sources.{name}.arrivals",
                source.arrivals,
                say("an open loop, in a streamed run"),
                say(
                    "how many records there are shows as it goes; run with "
                    "result='full'"
                ),
            )
    for name, producer in system.producers.items():
        if producer.on_error == "resend":
            raise ValidationError(
                f"system.producers.{name}.on_error",
                producer.on_error,
                say("drop, in a streamed run"),
                say("any record may be sent again; run with result='full'"),
            )


def _check_seeks_nothing(events: Sequence[Event]) -> None:
    """Refuse readers that go back in a run that lets its records go."""
    for place, event in enumerate(events):
        if isinstance(event, Seek):
            raise ValidationError(
                f"events.{place}",
                "Seek",
                say("another event, in a streamed run"),
                say("records may be read again; run with result='full'"),
            )
