"""More and more traffic, until a system cannot carry it: known limits are found."""

from dataclasses import replace

import pytest

from kafkasim.analysis.carrying import carrying, is_saturated
from kafkasim.errors import ValidationError
from kafkasim.experiments import saturating
from kafkasim.experiments.each_system import SystemFor
from kafkasim.experiments.saturating import saturate
from kafkasim.scenario.arrivals import Bursts, ClosedLoop, DayCurve, Periodic, Poisson
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Arrivals

IDEAL = Hardware.ideal()
SLOW_LINK = Hardware(
    link=Link(delay_ms=4.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.0, mb_ms=0.0)
)


def test_each_system_carries_what_its_subscribers_can_do() -> None:
    systems: dict[str, SystemFor] = {
        "queues": PointToPoint(mode="asynchronous", hardware=IDEAL),
        "relay": Relay(hardware=IDEAL),
        "Kafka": Kafka(hardware=IDEAL),
        "RabbitMQ": RabbitMQ(hardware=IDEAL),
    }
    traffic = many_to_many(2, 2, arrivals=Periodic(100.0), work_ms=2.0)
    found = {name: carrying(each) for name, each in saturate(traffic, systems).items()}

    for carried in found.values():
        assert carried["saturation_per_s"] == pytest.approx(500, rel=0.01)
        assert 2.0 <= carried["wanted_per_s"] / carried["saturation_per_s"] < 4.1
    machines = {"queues": 4, "relay": 5, "Kafka": 5, "RabbitMQ": 5}
    for name, count in machines.items():
        each = found[name]["saturation_per_machine_s"]
        assert each * count == pytest.approx(found[name]["saturation_per_s"])


def test_who_waits_for_each_answer_carries_a_record_each_round_trip() -> None:
    traffic = many_to_many(1, 3, arrivals=Poisson(20.0), work_ms=2.0)
    (result,) = saturate(traffic, {"one": PointToPoint(hardware=SLOW_LINK)}).values()

    assert carrying(result)["saturation_per_s"] == pytest.approx(100, rel=0.02)
    assert result.scenario.end == "cut"
    assert not result.scenario.events


@pytest.mark.parametrize("law", [Bursts(30.0, burst=5), DayCurve(30.0, day_s=0.25)])
def test_other_laws_are_followed_faster(law: Arrivals) -> None:
    traffic = many_to_many(1, 1, arrivals=law, work_ms=10.0)
    (result,) = saturate(traffic, {"one": Relay(hardware=IDEAL)}).values()

    assert is_saturated(carrying(result))
    assert carrying(result)["saturation_per_s"] == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("rate_per_s", [0.4, 1.0, 3.0])
def test_hardly_any_traffic_is_made_more_until_it_is_too_much(
    rate_per_s: float,
) -> None:
    traffic = many_to_many(1, 1, arrivals=Poisson(rate_per_s), work_ms=5.0)
    (result,) = saturate(traffic, {"one": Relay(hardware=IDEAL)}).values()

    assert carrying(result)["saturation_per_s"] == pytest.approx(200, rel=0.02)


def test_too_short_a_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturating, "MOST", 1_000)
    traffic = many_to_many(1, 1, arrivals=Periodic(1_000.0), work_ms=200.0)
    with pytest.raises(ValidationError, match=r"^duration_s: 0.1 .* 'relay' takes to"):
        saturate(traffic, {"relay": Relay(hardware=IDEAL)}, duration_s=0.1)


def test_a_closed_loop_has_no_rate_and_what_is_never_full_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = many_to_many(1, 1, arrivals=ClosedLoop(2))
    with pytest.raises(ValidationError, match=r"source-1.arrivals: .* with a rate"):
        saturate(loop, {"direct": PointToPoint()})

    nobody = replace(loop, subscribers={})
    with pytest.raises(ValidationError, match=r"subscribers: .* at least one subsc"):
        saturate(nobody, {"direct": PointToPoint()})

    monkeypatch.setattr(saturating, "MOST", 1_000)
    endless = many_to_many(1, 1, arrivals=Poisson(400.0), work_ms=0.0)
    with pytest.raises(ValidationError, match=r"systems.relay: .* up with \d\d\d rec"):
        saturate(endless, {"relay": Relay(hardware=IDEAL)})
