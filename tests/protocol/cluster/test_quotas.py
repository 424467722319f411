import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol.cluster.quotas import (
    ANONYMOUS,
    DEFAULT,
    BrokerLimits,
    BrokerQuotas,
    Limits,
    MutationQuota,
    Quota,
    QuotaSettings,
)

DATA = json.loads(
    (Path(__file__).parents[1] / "data" / "quotas.json").read_text(encoding="utf-8")
)


class Managers:
    """One case's quota, asked as Kafka's manager was."""

    def __init__(self, kind: str, windows: int, window_s: int) -> None:
        self.limits = Limits()
        settings = QuotaSettings(windows, window_s * 1_000)
        longest_ms = settings.window_ms if kind == "request" else None
        self.quota = Quota(self.limits, settings, longest_ms)
        self.mutation = MutationQuota(self.limits, settings)

    def answer(
        self, asked: str, now_ms: int, user: str, client: str, value: float
    ) -> float | None:
        match asked:
            case "quota":
                self.limits.set((user, client), value or None)
                self.quota.changed()
                return None
            case "record":
                return self.quota.record(user, client, value, now_ms)
            case "record_only":
                self.quota.record_only(user, client, value, now_ms)
                return None
            case "most":
                most = self.quota.most_at_once(user, client)
                return None if most == float("inf") else most
            case "permissive":
                return self.mutation.permissive(user, client, int(value), now_ms)
            case _:
                return self.mutation.strict(user, client, int(value), now_ms)


@pytest.mark.parametrize("place", range(len(DATA["cases"])))
def test_every_captured_script_is_answered_as_kafka_did(place: int) -> None:
    """QU-1, QU-2, QU-4. Source: `kafka/QuotaScripts.java`, Kafka 4.3.1's managers."""
    case: dict[str, Any] = DATA["cases"][place]
    managers = Managers(case["kind"], case["windows"], case["window_s"])

    for count, (*step, expected) in enumerate(case["steps"]):
        assert managers.answer(*step) == expected, (count, step)


def test_who_sends_at_twice_his_quota_pauses_until_his_rate_is_the_quota() -> None:
    """QU-2: 2,000 B/s against 1,000 B/s; elapsed time is ten windows and a part."""
    quota = Quota(Limits({(None, "slow"): 1_000.0}), QuotaSettings())

    pauses = [quota.record(ANONYMOUS, "slow", 200, 100 * tick) for tick in range(101)]

    assert pauses[:50] == [0] * 50
    # 50 values of 200 B are 10,000 B: the quota of ten windows, and not more.
    assert pauses[50] == 200
    # 101 values in 10.0 s: (2,020 − 1,000) / 1,000 of 10 s.
    assert pauses[100] == 10_200


def test_a_value_larger_than_the_quota_of_ten_windows_always_earns_a_pause() -> None:
    """QU-2: a single fetch is limited to ten windows of its quota."""
    limits = BrokerLimits(fetch=Limits({(None, "reader"): 1_000.0}))
    quotas = BrokerQuotas(limits)

    assert quotas.fetch_max_bytes("reader", 52_428_800) == 10_000
    assert quotas.fetch_max_bytes("reader", 600) == 600
    assert quotas.fetch_max_bytes("other", 52_428_800) == 52_428_800
    assert quotas.fetched("reader", 10_000, 0, 0) == 0
    assert BrokerQuotas(limits).fetched("reader", 10_001, 0, 0) == 1


def test_what_a_throttled_fetch_would_have_sent_is_not_counted() -> None:
    """QU-3: the answer is empty, and what it would have held was not sent."""
    quotas = BrokerQuotas(BrokerLimits(fetch=Limits({(None, DEFAULT): 1_000.0})))

    assert quotas.fetched("reader", 8_000, 0, 0) == 0
    # 11,000 B in 10.5 s: (1,047.6 − 1,000) / 1,000 of 10.5 s.
    assert quotas.fetched("reader", 3_000, 0, 500) == 500
    assert quotas.fetched("reader", 2_500, 0, 500) == 0


def test_what_a_throttled_produce_request_sent_is_counted() -> None:
    """QU-3: its records are in the log."""
    quotas = BrokerQuotas(BrokerLimits(produce=Limits({(None, DEFAULT): 1_000.0})))

    assert quotas.produced("writer", 11_000, 0, 0) == 1_000
    assert quotas.produced("writer", 0, 0, 500) == 500


def test_the_time_of_threads_is_not_looked_at_without_acks() -> None:
    """QU-4: 10 % of a thread; a second of its time is 100 % of one second."""
    second = 1_000_000_000
    limits = BrokerLimits(request=Limits({(None, DEFAULT): 10.0}))

    assert BrokerQuotas(limits).produced("w", 1, 2 * second, 0, acks_none=True) == 0
    assert BrokerQuotas(limits).produced("w", 1, second, 0) == 0
    assert BrokerQuotas(limits).produced("w", 1, second + 10_000_000, 0) == 100
    assert BrokerQuotas(limits).other("w", second + 10_000_000, 0) == 100


def test_the_pause_for_threads_is_one_window_at_most() -> None:
    """QU-4: that for bytes is as long as it takes (QU-2)."""
    both = Limits({(None, DEFAULT): 10.0})
    quotas = BrokerQuotas(BrokerLimits(produce=both, request=both))

    assert quotas.other("w", 9_000_000_000, 0) == 1_000
    assert quotas.produced("w", 1_000, 0, 0) == 90_000
    assert quotas.fetched("w", 5, 0, 0) == 1_000


def test_the_network_threads_time_counts_at_the_next_request() -> None:
    quotas = BrokerQuotas(BrokerLimits(request=Limits({(None, DEFAULT): 10.0})))

    quotas.sent("w", 2_000_000_000, 0)

    assert quotas.other("w", 0, 0) == 1_000


def test_clients_share_the_quota_of_their_user() -> None:
    """QU-1: of a user, of a client id, of both, or of all that have none."""
    limits = Limits({("ann", None): 5.0, ("ann", "one"): 3.0, (None, DEFAULT): 7.0})

    assert limits.limit(limits.shared_by("ann", "one")) == 3.0
    assert limits.shared_by("ann", "two") == limits.shared_by("ann", "three")
    assert limits.limit(limits.shared_by("ann", "two")) == 5.0
    assert limits.limit(limits.shared_by("bob", "two")) == 7.0
    assert limits.shared_by("bob", "two") == limits.shared_by("eve", "two")


def test_without_any_quota_nothing_is_recorded() -> None:
    limits = BrokerLimits()
    quotas = BrokerQuotas(limits)

    assert quotas.produced("w", 10**9, 10**12, 0) == 0
    limits.produce.set((None, "w"), 1_000.0)
    quotas.changed()
    assert quotas.produced("w", 1_000, 0, 1) == 0


def test_partitions_are_made_from_a_bucket_of_tokens() -> None:
    """QU-4, KIP-599: 2 a second, saved up for 11 s."""
    quota = MutationQuota(Limits({(None, DEFAULT): 2.0}), QuotaSettings())

    assert quota.strict(ANONYMOUS, "admin", 30, 0) is None  # 22 were there
    assert quota.strict(ANONYMOUS, "admin", 1, 0) == 4_000
    assert quota.permissive(ANONYMOUS, "admin", 2, 1_000) == 4_000
    assert quota.strict(ANONYMOUS, "admin", 1, 5_000) is None


def test_a_quota_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(ValueError, match="lets nothing through"):
        Limits({(None, "w"): 0.0})
    with pytest.raises(ValueError, match="a user, a client id, or both"):
        Limits({(None, None): 1.0})
