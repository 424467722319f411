"""Quotas of clients: who is over his, and how long he is made to wait.

A broker records what each client sends, reads and costs. Who is over his quota is
answered at once, told to pause (`throttle_time_ms`), and his connection is not read
for that long (QU-3, KIP-219). Each broker looks at its own share only, and followers
have no quota. All times are whole milliseconds.

Source: `org.apache.kafka.server.quota.ClientQuotaManager`, `QuotaUtils`,
`ControllerMutationQuotaManager`, `kafka.server.ClientRequestQuotaManager`, and
`KafkaApis.handleProduceRequest`, `handleFetchRequest` (4.3; KIP-13, KIP-124, KIP-599).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kafkasim.protocol.cluster.rate import Rate, TokenBucket, java_round

DEFAULT: Final = "<default>"
"""In place of a user or a client: all that have no quota of their own."""
ANONYMOUS: Final = "ANONYMOUS"
"""The user of a connection that nobody signed."""
_NO_LIMIT: Final = float(2**63 - 1)
_PERCENT_PER_NS: Final = 100.0 / 1e9

Entity = tuple[str | None, str | None]
"""User and client id, `DEFAULT` for either, or None: whoever it is."""


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """Over how long a broker looks back (QU-1)."""

    windows: int = 11
    """`quota.window.num`, the present one included."""
    window_ms: int = 1_000
    """`quota.window.size.seconds`, in milliseconds."""


class Limits:
    """The quotas that are set, and which one holds for a client.

    Parameters
    ----------
    limits : mapping of Entity to float, optional
        Values per second.

    Raises
    ------
    ValueError
        A limit is not above 0, or is for nobody.
    """

    def __init__(self, limits: Mapping[Entity, float] | None = None) -> None:
        self._limits: dict[Entity, float] = {}
        for entity, limit in (limits or {}).items():
            self.set(entity, limit)

    def __bool__(self) -> bool:
        return bool(self._limits)

    def set(self, entity: Entity, limit: float | None) -> None:
        """Set a quota, or take it away (None)."""
        if entity == (None, None):
            raise ValueError("a quota is of a user, a client id, or both")
        if limit is None:
            self._limits.pop(entity, None)
        elif limit > 0:
            self._limits[entity] = limit
        else:
            raise ValueError(f"a quota of {limit:g} a second lets nothing through")

    def shared_by(self, user: str, client: str) -> Entity:
        """Return who shares the quota that holds for a client.

        With quotas of one sort only, everyone is counted by that sort, whether he has
        one or not. Otherwise the most specific one that is set counts.
        """
        sorts = {(of is not None, at is not None) for of, at in self._limits}
        if len(sorts) < 2:
            of_users, of_clients = sorts.pop() if sorts else (False, True)
            return user if of_users else None, client if of_clients else None
        for entity in (
            (user, client),
            (user, DEFAULT),
            (user, None),
            (DEFAULT, client),
            (DEFAULT, DEFAULT),
            (DEFAULT, None),
        ):
            if entity in self._limits:
                return user, None if entity[1] is None else client
        return None, client

    def limit(self, shared: Entity) -> float:
        """Return the quota of those who share one; Java's largest long without."""
        user, client = shared
        users = (None,) if user is None else (user, DEFAULT)
        clients = (None,) if client is None else (client, DEFAULT)
        for of_user in users:
            for of_client in clients:
                if (of_user, of_client) in self._limits:
                    return self._limits[of_user, of_client]
        return _NO_LIMIT


@dataclass(slots=True)
class _Account:
    """What those who share a quota did lately."""

    rate: Rate
    limit: float


class Quota:
    """One kind of quota on one broker: bytes sent, bytes read, or time of threads.

    Parameters
    ----------
    limits : Limits
        Of this kind; ask `changed` after a change.
    settings : QuotaSettings
        How long it looks back.
    longest_ms : int, optional
        No pause is longer; left out, it is as long as it takes (QU-2).
    """

    def __init__(
        self, limits: Limits, settings: QuotaSettings, longest_ms: int | None = None
    ) -> None:
        self.limits = limits
        self._settings = settings
        self._longest_ms = longest_ms
        self._accounts: dict[Entity, _Account] = {}
        self._of_client: dict[tuple[str, str], _Account] = {}

    def changed(self) -> None:
        """Take a change of the limits into account."""
        self._of_client.clear()
        for shared, account in self._accounts.items():
            account.limit = self.limits.limit(shared)

    def record(self, user: str, client: str, value: float, now_ms: int) -> int:
        """Record a value and return the pause that it earns, in ms; 0 for none.

        The pause is what brings the rate back to the quota if nothing is added:
        (rate − quota) / quota of the time that the rate is over.
        """
        if not self.limits:
            return 0
        account = self._account(user, client)
        account.rate.record(value, now_ms)
        rate, limit = account.rate.per_second(now_ms), account.limit
        if rate <= limit:
            return 0
        over = (rate - limit) / limit
        pause_ms = java_round(over * account.rate.elapsed_ms(now_ms))
        return pause_ms if self._longest_ms is None else min(pause_ms, self._longest_ms)

    def record_only(self, user: str, client: str, value: float, now_ms: int) -> None:
        """Record a value that is not checked before the next one."""
        if self.limits:
            self._account(user, client).rate.record(value, now_ms)

    def most_at_once(self, user: str, client: str) -> float:
        """Return the largest value that does not earn a pause by itself."""
        limit = self._account(user, client).limit if self.limits else _NO_LIMIT
        if limit == _NO_LIMIT:
            return math.inf
        return limit * (self._settings.windows - 1) * (self._settings.window_ms / 1_000)

    def _account(self, user: str, client: str) -> _Account:
        account = self._of_client.get((user, client))
        if account is None:
            shared = self.limits.shared_by(user, client)
            account = self._accounts.get(shared)
            if account is None:
                rate = Rate(self._settings.windows, self._settings.window_ms)
                account = _Account(rate, self.limits.limit(shared))
                self._accounts[shared] = account
            self._of_client[user, client] = account
        return account


@dataclass(slots=True)
class BrokerLimits:
    """What is set for a broker's clients."""

    produce: Limits = field(default_factory=Limits)
    """Bytes per second that a client sends in produce requests."""
    fetch: Limits = field(default_factory=Limits)
    """Bytes per second that a client is sent in answers to its fetches."""
    request: Limits = field(default_factory=Limits)
    """Percent of one thread's time that a client's requests take."""


class BrokerQuotas:
    """All that a broker does about quotas, request by request.

    Parameters
    ----------
    limits : BrokerLimits
        The quotas.
    settings : QuotaSettings, optional
        How long it looks back.
    """

    def __init__(
        self, limits: BrokerLimits, settings: QuotaSettings | None = None
    ) -> None:
        settings = settings or QuotaSettings()
        self._produce = Quota(limits.produce, settings)
        self._fetch = Quota(limits.fetch, settings)
        self._request = Quota(limits.request, settings, longest_ms=settings.window_ms)

    def changed(self) -> None:
        """Take a change of the limits into account."""
        for each in (self._produce, self._fetch, self._request):
            each.changed()

    def produced(
        self,
        client: str,
        size: int,
        thread_ns: int,
        now_ms: int,
        *,
        acks_none: bool = False,
        user: str = ANONYMOUS,
    ) -> int:
        """Record a produce request and return the client's pause, in ms.

        The records are in the log whatever it is. Without acks the time of the threads
        is not looked at, for the client is not told (QU-4).

        Parameters
        ----------
        client : str
            Who sent it.
        size : int
            Bytes of the request.
        thread_ns : int
            Time that threads took for it so far.
        now_ms : int
            When its answer is ready.
        acks_none : bool
            Whether it is sent with `acks=0`.
        user : str
            Whose client it is.
        """
        pause_ms = self._produce.record(user, client, size, now_ms)
        if acks_none:
            return pause_ms
        percent = thread_ns * _PERCENT_PER_NS
        return max(pause_ms, self._request.record(user, client, percent, now_ms))

    def fetched(
        self,
        client: str,
        size: int,
        thread_ns: int,
        now_ms: int,
        *,
        user: str = ANONYMOUS,
    ) -> int:
        """Record an answer to a fetch and return the client's pause, in ms.

        With a pause the answer goes out empty, and what was recorded of its bytes is
        taken back (QU-3). Parameters are those of `produced`.
        """
        percent = thread_ns * _PERCENT_PER_NS
        pause_ms = self._request.record(user, client, percent, now_ms)
        pause_ms = max(pause_ms, self._fetch.record(user, client, size, now_ms))
        if pause_ms:
            self._fetch.record_only(user, client, -size, now_ms)
        return pause_ms

    def other(
        self, client: str, thread_ns: int, now_ms: int, *, user: str = ANONYMOUS
    ) -> int:
        """Record a request of another kind and return the client's pause, in ms."""
        percent = thread_ns * _PERCENT_PER_NS
        return self._request.record(user, client, percent, now_ms)

    def sent(
        self, client: str, thread_ns: int, now_ms: int, *, user: str = ANONYMOUS
    ) -> None:
        """Record the time of the network thread that sent an answer."""
        percent = thread_ns * _PERCENT_PER_NS
        self._request.record_only(user, client, percent, now_ms)

    def fetch_max_bytes(self, client: str, asked: int, *, user: str = ANONYMOUS) -> int:
        """Return how many bytes a fetch may ask for: the quota of complete windows."""
        return int(min(float(asked), self._fetch.most_at_once(user, client)))


class MutationQuota:
    """Topics and partitions that may be made or deleted: a bucket of tokens (KIP-599).

    Parameters
    ----------
    limits : Limits
        Partitions per second.
    settings : QuotaSettings
        A client may save up tokens for all windows.
    """

    def __init__(self, limits: Limits, settings: QuotaSettings) -> None:
        self._limits = limits
        self._settings = settings
        self._buckets: dict[Entity, TokenBucket] = {}

    def strict(
        self, user: str, client: str, partitions: int, now_ms: int
    ) -> int | None:
        """Take tokens unless some are owed.

        Returns
        -------
        int or None
            None: granted. Else refused with THROTTLING_QUOTA_EXCEEDED, and how long
            tokens are owed, in ms.
        """
        limit, bucket = self._bucket(user, client)
        left = bucket.left(limit, now_ms)
        if left < 0:
            return java_round(-left / limit * 1_000)
        bucket.take(partitions, limit, now_ms)
        return None

    def permissive(self, user: str, client: str, partitions: int, now_ms: int) -> int:
        """Take tokens; return how long some are owed then, in ms, 0 for none.

        The request is granted, and an old client, which knows no such error, pauses.
        """
        limit, bucket = self._bucket(user, client)
        bucket.take(partitions, limit, now_ms)
        left = bucket.left(limit, now_ms)
        return java_round(-left / limit * 1_000) if left < 0 else 0

    def _bucket(self, user: str, client: str) -> tuple[float, TokenBucket]:
        shared = self._limits.shared_by(user, client)
        if shared not in self._buckets:
            settings = self._settings
            self._buckets[shared] = TokenBucket(settings.windows, settings.window_ms)
        return self._limits.limit(shared), self._buckets[shared]
