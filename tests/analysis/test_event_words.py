"""Every event of a scenario has its words."""

from kafkasim.analysis.event_words import _EVENTS
from kafkasim.scenario import events, member_events, reader_events


def test_every_event_has_words_and_nothing_else_has() -> None:
    made = {
        name
        for module in (events, member_events, reader_events)
        for name, each in vars(module).items()
        if isinstance(each, type)
        and each.__module__ == module.__name__
        and hasattr(each, "target")
    }
    assert set(_EVENTS) == made
