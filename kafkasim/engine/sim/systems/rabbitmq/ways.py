"""The pipes between two hosts of a run, and what goes over them."""

from kafkasim.engine.sim.network import Pipe


class Ways:
    """The pipes between two hosts, and what went over them."""

    __slots__ = ("down", "moved", "sent", "up")

    def __init__(self, up: Pipe, down: Pipe) -> None:
        self.up = up
        self.down = down
        self.sent = [0, 0]
        """Messages there and back."""
        self.moved = [0, 0]
        """Their bytes."""

    def there(self, now_ns: int, size_bytes: int) -> int:
        """Send there; return when it arrives."""
        self.sent[0] += 1
        self.moved[0] += size_bytes
        return self.up.transfer(now_ns, size_bytes)

    def taken_in(self, now_ns: int, size_bytes: int) -> int:
        """Return when what arrives there now is in.

        What has no bytes needs no time of the card, but does not overtake what came
        before it on its connection.
        """
        return self.up.receive(now_ns, size_bytes) if size_bytes else self.up.held_ns

    def back(self, now_ns: int, size_bytes: int) -> int:
        """Send back; return when it arrives."""
        self.sent[1] += 1
        self.moved[1] += size_bytes
        return self.down.transfer(now_ns, size_bytes)
