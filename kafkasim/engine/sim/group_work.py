"""The running sum of a group's work along a log: one entry for each batch."""

from kafkasim.protocol.producing.accumulator import WorkOf


class GroupWork:
    """A group's work along one log."""

    __slots__ = ("each", "ends", "known_offset", "known_sum", "work_of")

    def __init__(self, work_of: list[WorkOf], each: int | None) -> None:
        self.work_of = work_of
        self.each = each
        self.ends = [0]
        """Sum before each batch, and at the log end; unused when `each` is known."""
        self.known_offset = 0
        """Offset of the last question: a poll begins where the last one ended."""
        self.known_sum = 0
        """Sum before it."""
