import hashlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError, OutputError, ValidationError
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, Uniform
from kafkasim.scenario.keys import NoKeys, TraceColumn, UniformKeys, ZipfKeys
from kafkasim.scenario.plan import Plan, SourcePlan, draw_plan, load_plan, planned
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_S

WEB = Source(
    "orders",
    Poisson(1_000),
    keys=ZipfKeys(50, null_share=0.2),
    entity=UniformKeys(7, prefix="user-"),
    value_bytes=Uniform(10, 500),
    tombstones=0.1,
)
APP = Source("orders", Periodic(100), keys=UniformKeys(3))
BILLING = Subscriber(["orders"], work_ms=Exponential(2))
TRAFFIC = Traffic({"web": WEB, "app": APP}, {"billing": BILLING}, duration_s=5)


def with_web(**fields: object) -> Traffic:
    web = replace(WEB, **fields)  # type: ignore[arg-type]
    return replace(TRAFFIC, sources={**TRAFFIC.sources, "web": web})


def moved(one: Plan, other: Plan) -> set[str]:
    """Return the columns whose digest is not the same in both plans."""
    names = {*one.digests, *other.digests}
    return {name for name in names if one.digests.get(name) != other.digests.get(name)}


def test_a_plan_has_the_columns_of_every_source_in_the_order_of_names() -> None:
    plan = draw_plan(TRAFFIC, 1)

    assert list(plan.sources) == ["app", "web"]
    assert list(plan.work_ns) == [("billing", "app"), ("billing", "web")]
    assert plan.duration_ns == 5 * NS_PER_S
    web = plan.sources["web"]
    assert len(web) == len(web.intended_ns) == len(plan.work_ns["billing", "web"])
    assert [each.dtype for each in (web.key_id, web.entity_id, web.value_bytes)] == [
        np.int32
    ] * 3
    assert web.key_labels[:2] == ("key-0", "key-1")
    assert web.entity_labels == tuple(f"user-{number}" for number in range(7))


def test_the_columns_cannot_be_written_to() -> None:
    web = draw_plan(TRAFFIC, 1).sources["web"]

    with pytest.raises(ValueError, match="read-only"):
        web.intended_ns[0] = 1


def test_shares_without_key_and_value_are_within_four_standard_errors() -> None:
    plan = draw_plan(replace(TRAFFIC, duration_s=100), 1)

    web = plan.sources["web"]
    for column, share in ((web.key_id, 0.2), (web.value_bytes, 0.1)):
        error = (share * (1 - share) / len(web)) ** 0.5
        assert abs((column == -1).mean() - share) < 4 * error


def test_no_keys_means_no_entity_unless_one_is_named() -> None:
    plain = draw_plan(with_web(keys=NoKeys(), entity=None), 1).sources["web"]
    named = draw_plan(with_web(keys=NoKeys()), 1).sources["web"]

    assert set(plain.key_id.tolist()) == set(plain.entity_id.tolist()) == {-1}
    assert set(named.key_id.tolist()) == {-1}
    assert set(named.entity_id.tolist()) == set(range(7))


def test_keys_of_the_entitys_law_are_the_entity() -> None:
    users = UniformKeys(7, prefix="user-")

    same = draw_plan(with_web(keys=users), 1).sources["web"]
    some = draw_plan(with_web(keys=replace(users, null_share=0.5)), 1).sources["web"]
    other = draw_plan(with_web(keys=UniformKeys(7)), 1).sources["web"]

    assert (same.key_id == same.entity_id).all()
    keyed = some.key_id >= 0
    assert 0.4 < keyed.mean() < 0.6
    assert (some.key_id[keyed] == some.entity_id[keyed]).all()
    assert 0 < (other.key_id == other.entity_id).mean() < 0.3


def test_adding_a_source_disturbs_no_other() -> None:
    more = replace(TRAFFIC, sources={"a new one": APP, **TRAFFIC.sources, "zz": WEB})

    change = moved(draw_plan(TRAFFIC, 1), draw_plan(more, 1))

    assert {name.rsplit("/", 1)[1] for name in change} == {"a new one", "zz"}


def test_adding_a_subscriber_adds_its_work_only() -> None:
    audit = Subscriber(["orders"], work_ms=1)
    more = replace(TRAFFIC, subscribers={"audit": audit, "billing": BILLING})

    change = moved(draw_plan(TRAFFIC, 1), draw_plan(more, 1))

    assert change == {"work/audit/app", "work/audit/web"}


def test_work_is_drawn_only_for_streams_that_are_wanted() -> None:
    till = Source("sales", Periodic(1))
    traffic = replace(TRAFFIC, sources={**TRAFFIC.sources, "till": till})

    assert ("billing", "till") not in draw_plan(traffic, 1).work_ns


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({"keys": UniformKeys(9)}, {"keys/web"}),
        ({"keys": ZipfKeys(50, null_share=0.3)}, {"keys/web"}),
        ({"keys": UniformKeys(9), "entity": None}, {"keys/web", "entity/web"}),
        ({"entity": NoKeys()}, {"entity/web"}),
        ({"value_bytes": 9}, {"value_bytes/web"}),
        ({"tombstones": 0.5}, {"value_bytes/web"}),
        ({"stream": "clicks"}, {"arrivals/web", "work/billing/web"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_only_the_column_that_was_changed_moves(
    fields: dict[str, object], columns: set[str]
) -> None:
    assert moved(draw_plan(TRAFFIC, 1), draw_plan(with_web(**fields), 1)) == columns


def test_a_digest_covers_labels() -> None:
    renamed = with_web(keys=ZipfKeys(50, null_share=0.2, prefix="k"))

    assert moved(draw_plan(TRAFFIC, 1), draw_plan(renamed, 1)) == {"keys/web"}


def test_another_seed_moves_every_column_that_is_drawn() -> None:
    change = moved(draw_plan(TRAFFIC, 1), draw_plan(TRAFFIC, 2))

    steady = {"arrivals/app", "value_bytes/app"}
    assert change == set(draw_plan(TRAFFIC, 1).digests) - steady


def test_a_column_digest_is_that_of_its_little_endian_bytes() -> None:
    """The recipe, written out: a header in JSON, the bytes, and the count."""
    app = draw_plan(TRAFFIC, 1)

    expected = hashlib.sha256(b'["<i8",["orders"]]')
    expected.update((np.arange(500, dtype="<i8") * 10_000_000).tobytes())
    expected.update(b"[500]")
    assert app.digests["arrivals/app"] == expected.hexdigest()


def test_a_trace_gives_its_columns_in_the_order_of_its_rows() -> None:
    trace = Trace(
        np.array([0, 1_000, 2_000, 5_000]),
        {
            "tail": CodedColumn(np.array([1, -1, 0, 1]), ("N1", "N2")),
            "bytes": np.array([9, 8, 7, 6]),
        },
    )
    source = Source(
        "flights",
        trace,
        keys=TraceColumn("tail"),
        entity=TraceColumn("bytes"),
        value_bytes=TraceColumn("bytes"),
    )

    plan = draw_plan(Traffic({"a": source}, {}), 1)

    rows = plan.sources["a"]
    assert rows.intended_ns.tolist() == [0, 1_000, 2_000, 5_000]
    assert rows.key_id.tolist() == [1, -1, 0, 1]
    assert rows.key_labels == ("N1", "N2")
    assert [rows.entity_labels[code] for code in rows.entity_id] == list("9876")
    assert rows.value_bytes.tolist() == [9, 8, 7, 6]


def test_a_duration_cuts_a_trace() -> None:
    trace = Trace(
        np.array([0, 1_000, 2_000]),
        {"tail": CodedColumn(np.array([0, 1, 0]), ("a", "b"))},
    )
    source = Source("s", trace, keys=TraceColumn("tail"))

    plan = draw_plan(Traffic({"a": source}, {}, duration_s=2e-6), 1)

    assert plan.sources["a"].intended_ns.tolist() == [0, 1_000]
    assert plan.sources["a"].key_id.tolist() == [0, 1]


def test_an_ill_fitting_traffic_is_refused() -> None:
    with pytest.raises(ValidationError):
        draw_plan(Traffic({"web": WEB}, {}), 1)


def test_a_saved_plan_is_read_back_equal(tmp_path: Path) -> None:
    plan = draw_plan(TRAFFIC, 1)

    plan.save(tmp_path / "plan.npz")
    again = load_plan(tmp_path / "plan.npz")

    assert again == plan
    assert hash(again) == hash(plan)
    assert again.digests == plan.digests
    assert list(again.work_ns) == list(plan.work_ns)
    assert again.sources["app"].entity_is_key
    assert not again.sources["web"].entity_is_key
    assert not again.sources["web"].intended_ns.flags.writeable


def test_a_changed_column_is_named(tmp_path: Path) -> None:
    plan = draw_plan(TRAFFIC, 1)
    app = plan.sources["app"]
    late = app.intended_ns + 1
    changed = SourcePlan(
        app.source,
        app.stream,
        late,
        app.key_id,
        app.key_labels,
        app.entity_id,
        app.entity_labels,
        app.value_bytes,
    )
    other = planned(1, plan.duration_ns, {**plan.sources, "app": changed}, plan.work_ns)
    with patch.object(Plan, "digests", plan.digests):
        other.save(tmp_path / "plan.npz")

    with pytest.raises(ChangedFileError, match=r"was changed: arrivals/app$"):
        load_plan(tmp_path / "plan.npz")


def test_a_plan_that_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write the plan"):
        draw_plan(TRAFFIC, 1).save(tmp_path / "missing" / "plan.npz")

    assert list(tmp_path.iterdir()) == []
