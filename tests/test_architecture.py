"""What the house must look like, checked on its files: sizes, mirrors, dead modules.

Each exception is listed by name with its reason; an exception that is no longer needed
fails too.
"""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

import kafkasim

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kafkasim"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), ROOT / "run.py"]
CODE += sorted((ROOT / "benchmarks").glob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50

LONG_FUNCTIONS: dict[str, str] = {}
"""`path::function` → why it may be longer than a screen."""

_KAFKA = "tests/engine/sim/systems/test_kafka.py"
_LOG_RUNS = "tests/simulation/test_log_runs.py"
_STREAMED = "tests/simulation/test_streamed_runs.py"
_GROWN = "tests/simulation/test_added_partitions.py"
_REFUSED = "tests/simulation/test_refused_batches.py"
_REPLICATED = "tests/simulation/test_replication.py"
_DRAWN = "tests/scenario/test_drawn_blocks.py"
_APPLICATIONS = "tests/simulation/test_applications.py"
_MEMBERS = "tests/protocol/groups/member/test_classic_member.py"
_COORDINATORS = "tests/engine/sim/test_coordinators.py"
_JOINING = "tests/engine/sim/test_joining_member.py"
_COORDINATED = "tests/simulation/test_coordinated_groups.py"
_LOOPS = "tests/theory/test_closed_loops.py"
_CONSUMER_GROUPS = "tests/protocol/groups/coordinator/test_consumer_groups.py"
_CONSUMER_MEMBERS = "tests/protocol/groups/member/test_consumer_member.py"
_CLASSIC_GROUPS = "tests/protocol/groups/coordinator/test_classic_groups.py"
_COUNTS = "tests/analysis/test_kept_counts.py"
_ASSIGNED = "tests/protocol/assignors/test_captured.py"
_REBALANCES = "tests/protocol/groups/coordinator/test_classic_rebalances.py"
_COMMITS = "tests/protocol/groups/member/test_member_commits.py"
_POINTS = "tests/engine/sim/systems/test_point_to_point.py"
_RABBITMQ = "tests/engine/sim/systems/rabbitmq/test_run.py"
_HOSTS_OF_RABBITMQ = (
    "classic_hosts cluster connections consumers feed hosted invariants node parts "
    "publisher queue_hosts quorum_hosts sender tables to_clients ways"
)
_STICKY = "tests/protocol/producing/test_sticky.py"
_EQUIPPED = "tests/engine/sim/test_equipped.py"
TESTED_IN: dict[str, str] = {
    **{
        f"kafkasim/engine/sim/systems/rabbitmq/{name}.py": _RABBITMQ
        for name in _HOSTS_OF_RABBITMQ.split()
    },
    "kafkasim/scenario/rabbitmq_words.py": "tests/scenario/test_rabbitmq_parts.py",
    "kafkasim/analysis/pipeline_theory.py": "tests/theory/test_pipelines.py",
    "kafkasim/experiments/assignment_input.py": "tests/experiments/test_assignment.py",
    "kafkasim/protocol/assignors/balancer.py": _ASSIGNED,
    "kafkasim/protocol/assignors/claims.py": _ASSIGNED,
    "kafkasim/protocol/assignors/constrained.py": _ASSIGNED,
    "kafkasim/protocol/assignors/general.py": _ASSIGNED,
    "kafkasim/protocol/assignors/in_circles.py": _ASSIGNED,
    "kafkasim/protocol/assignors/in_ranges.py": _ASSIGNED,
    "kafkasim/protocol/assignors/inputs.py": _ASSIGNED,
    "kafkasim/protocol/assignors/loads.py": _ASSIGNED,
    "kafkasim/protocol/assignors/racks.py": _ASSIGNED,
    "kafkasim/protocol/assignors/server_group.py": _ASSIGNED,
    "kafkasim/protocol/assignors/sticky.py": _ASSIGNED,
    "kafkasim/protocol/assignors/uniform_equal.py": _ASSIGNED,
    "kafkasim/protocol/assignors/uniform_unequal.py": _ASSIGNED,
    "kafkasim/analysis/keeping.py": _COUNTS,
    "kafkasim/analysis/kept.py": "tests/analysis/test_measures.py",
    "kafkasim/analysis/kept_rows.py": "tests/analysis/test_measures.py",
    "kafkasim/analysis/receiving.py": "tests/analysis/test_dealings.py",
    "kafkasim/analysis/replica_rows.py": "tests/analysis/test_copies.py",
    "kafkasim/analysis/time_bins.py": "tests/analysis/test_waiting.py",
    "kafkasim/engine/sim/arranging.py": _APPLICATIONS,
    "kafkasim/engine/sim/live_records.py": _APPLICATIONS,
    "kafkasim/engine/sim/source_application.py": _APPLICATIONS,
    "kafkasim/engine/sim/systems/kafka_traffic.py": _APPLICATIONS,
    "kafkasim/engine/sim/systems/source_events.py": _APPLICATIONS,
    "kafkasim/protocol/groups/coordinator/consumer_admission.py": _CONSUMER_GROUPS,
    "kafkasim/protocol/groups/coordinator/consumer_group.py": _CONSUMER_GROUPS,
    "kafkasim/protocol/groups/coordinator/consumer_heartbeat.py": _CONSUMER_GROUPS,
    "kafkasim/protocol/groups/coordinator/consumer_target.py": _CONSUMER_GROUPS,
    "kafkasim/protocol/groups/member/consumer_beats.py": _CONSUMER_MEMBERS,
    "kafkasim/protocol/groups/member/consumer_closing.py": _CONSUMER_MEMBERS,
    "kafkasim/protocol/groups/member/consumer_commits.py": _CONSUMER_MEMBERS,
    "kafkasim/protocol/groups/member/consumer_membership.py": _CONSUMER_MEMBERS,
    "kafkasim/protocol/groups/coordinator/classic_checks.py": _CLASSIC_GROUPS,
    "kafkasim/protocol/groups/coordinator/classic_group_records.py": _CLASSIC_GROUPS,
    "kafkasim/protocol/groups/coordinator/classic_writes.py": _REBALANCES,
    "kafkasim/protocol/groups/coordinator_values.py": (
        "tests/protocol/groups/test_coordinator_bytes.py"
    ),
    "kafkasim/protocol/producing/joining.py": _APPLICATIONS,
    "kafkasim/plot/owning_many.py": "tests/plot/test_owning.py",
    "kafkasim/scenario/member_events.py": "tests/scenario/test_group_checks.py",
    "kafkasim/scenario/hardware.py": "tests/scenario/test_systems.py",
    "kafkasim/scenario/targets.py": "tests/scenario/test_group_checks.py",
    "kafkasim/config/assignors.py": "tests/config/test_consumer.py",
    "kafkasim/engine/sim/accumulating.py": "tests/engine/sim/test_producer.py",
    "kafkasim/engine/sim/coordinating_broker.py": _COORDINATORS,
    "kafkasim/engine/sim/coordinator_parts.py": _COORDINATORS,
    "kafkasim/engine/sim/coordinator_writes.py": _COORDINATORS,
    "kafkasim/engine/sim/group_requests.py": _COORDINATORS,
    "kafkasim/engine/sim/literal_batches.py": _COORDINATORS,
    "kafkasim/engine/sim/systems/coordinated.py": _COORDINATED,
    "kafkasim/engine/sim/systems/coordinated_cluster.py": _COORDINATED,
    "kafkasim/engine/sim/systems/coordinated_events.py": _COORDINATED,
    "kafkasim/engine/sim/systems/coordinated_groups.py": _COORDINATED,
    "kafkasim/engine/sim/systems/coordinated_rows.py": _COORDINATED,
    "kafkasim/engine/sim/systems/coordinated_tables.py": _COORDINATED,
    "kafkasim/engine/sim/systems/group_machines.py": _COORDINATED,
    "kafkasim/engine/sim/systems/offsets_topic.py": _COORDINATED,
    "kafkasim/engine/sim/systems/kafka_end.py": _KAFKA,
    "kafkasim/engine/sim/delivery.py": "tests/engine/sim/test_producer_care.py",
    "kafkasim/engine/sim/equipped_broker.py": _EQUIPPED,
    "kafkasim/engine/sim/network_thread.py": _EQUIPPED,
    "kafkasim/engine/sim/systems/kafka_equipment.py": _EQUIPPED,
    "kafkasim/engine/sim/failing_broker.py": _REPLICATED,
    "kafkasim/engine/sim/follower.py": _REPLICATED,
    "kafkasim/engine/sim/following.py": _REPLICATED,
    "kafkasim/engine/sim/group_work.py": "tests/engine/sim/test_at_work.py",
    "kafkasim/engine/sim/leading_broker.py": _REPLICATED,
    "kafkasim/engine/sim/replicated_broker.py": _REPLICATED,
    "kafkasim/engine/sim/systems/broker_events.py": _REPLICATED,
    "kafkasim/protocol/producing/compressing.py": (
        "tests/simulation/test_compressed_batches.py"
    ),
    "kafkasim/engine/sim/systems/stream_events.py": (
        "tests/simulation/test_deleted_records.py"
    ),
    "kafkasim/engine/sim/systems/added_partitions.py": _GROWN,
    "kafkasim/engine/sim/growing_member.py": _GROWN,
    "kafkasim/engine/sim/systems/kafka_refusals.py": _REFUSED,
    "kafkasim/engine/sim/systems/kafka_replication.py": _REPLICATED,
    "kafkasim/engine/sim/systems/reader_events.py": (
        "tests/simulation/test_seeking_readers.py"
    ),
    "kafkasim/engine/sim/systems/kafka_accounts.py": _KAFKA,
    "kafkasim/engine/sim/systems/kafka_hosts.py": _KAFKA,
    "kafkasim/engine/sim/systems/kafka_producers.py": _KAFKA,
    "kafkasim/engine/sim/systems/kafka_rows.py": _KAFKA,
    "kafkasim/engine/sim/expand.py": "tests/simulation/test_reference_producer.py",
    "kafkasim/engine/sim/hosts.py": "tests/engine/sim/test_network.py",
    "kafkasim/engine/sim/laying.py": "tests/engine/sim/test_hand_outs.py",
    "kafkasim/engine/sim/partition.py": _KAFKA,
    "kafkasim/engine/sim/poll_settings.py": "tests/engine/sim/test_committer.py",
    "kafkasim/engine/sim/request.py": _KAFKA,
    "kafkasim/engine/sim/systems/common.py": _KAFKA,
    "kafkasim/engine/sim/pace.py": _LOOPS,
    "kafkasim/engine/sim/systems/ends.py": _POINTS,
    "kafkasim/engine/sim/systems/point_to_point_tables.py": _POINTS,
    "kafkasim/engine/sim/systems/kafka_clients.py": _KAFKA,
    "kafkasim/engine/sim/systems/kafka_cluster.py": _KAFKA,
    "kafkasim/engine/sim/systems/streamable.py": (
        "tests/simulation/test_streamed_copies.py"
    ),
    "kafkasim/engine/sim/standstill.py": "tests/simulation/test_paused_sources.py",
    "kafkasim/engine/sim/quota_reads.py": (
        "tests/engine/sim/systems/test_kafka_quotas.py"
    ),
    "kafkasim/engine/sim/systems/kafka_stream.py": _STREAMED,
    "kafkasim/engine/sim/systems/kafka_tables.py": _KAFKA,
    "kafkasim/engine/sim/tabled_waits.py": "tests/engine/sim/test_little.py",
    "kafkasim/engine/sim/written_logs.py": _LOG_RUNS,
    "kafkasim/log/column_checks.py": "tests/log/test_columns.py",
    "kafkasim/log/encode_any.py": "tests/log/test_gather.py",
    "kafkasim/log/gather_alike.py": "tests/log/test_gather.py",
    "kafkasim/log/gather_fixed.py": "tests/log/test_gather.py",
    "kafkasim/log/gather_heads.py": "tests/log/test_gather.py",
    "kafkasim/log/gather_plan.py": "tests/log/test_gather.py",
    "kafkasim/log/index_arrays.py": "tests/log/test_index.py",
    "kafkasim/log/index_files.py": "tests/log/test_segment.py",
    "kafkasim/log/record_fields.py": "tests/log/test_scan.py",
    "kafkasim/log/record_split.py": "tests/log/test_scan.py",
    "kafkasim/log/record_walk.py": "tests/log/test_scan.py",
    "kafkasim/log/descriptors.py": "tests/log/test_store.py",
    "kafkasim/log/mapping.py": "tests/log/test_store.py",
    "kafkasim/log/memory_file.py": "tests/log/test_store.py",
    "kafkasim/log/local_log.py": "tests/log/test_partition_log.py",
    "kafkasim/log/fsck_batches.py": "tests/log/test_fsck.py",
    "kafkasim/log/fsck_report.py": "tests/log/test_fsck.py",
    "kafkasim/log/fsck_state.py": "tests/log/test_fsck.py",
    "kafkasim/log/repair.py": "tests/log/test_fsck.py",
    "kafkasim/log/leftovers.py": "tests/log/test_loading.py",
    "kafkasim/log/recovery.py": "tests/log/test_loading.py",
    "kafkasim/log/splitting.py": "tests/log/test_loading.py",
    "kafkasim/log/cleaned.py": "tests/log/test_cleaner.py",
    "kafkasim/log/compacted_log.py": "tests/log/test_cleaner.py",
    "kafkasim/plot/field_boxes.py": "tests/plot/test_fields.py",
    "kafkasim/plot/lives.py": "tests/plot/test_segment_lives.py",
    "kafkasim/plot/many_logs.py": "tests/plot/test_logs.py",
    "kafkasim/plot/replica_lanes.py": "tests/plot/test_replicating.py",
    "kafkasim/plot/replica_words.py": "tests/plot/test_replicating.py",
    "kafkasim/plot/segment_words.py": "tests/plot/test_segment_lives.py",
    "kafkasim/plot/segment_drawing.py": "tests/plot/test_segment_files.py",
    "kafkasim/plot/segment_tables.py": "tests/plot/test_segment_files.py",
    "kafkasim/protocol/producing/appending.py": _STICKY,
    "kafkasim/protocol/producing/keyed_window.py": (
        "tests/protocol/producing/test_keyed.py"
    ),
    "kafkasim/protocol/producing/queued.py": _STICKY,
    "kafkasim/engine/sim/group_client.py": _JOINING,
    "kafkasim/engine/sim/group_committer.py": _JOINING,
    "kafkasim/engine/sim/owning_fetcher.py": _JOINING,
    "kafkasim/engine/sim/owning_member.py": _JOINING,
    "kafkasim/protocol/groups/member/member_effects.py": _MEMBERS,
    "kafkasim/protocol/groups/member/beats.py": _MEMBERS,
    "kafkasim/protocol/groups/member/heartbeat_thread.py": _MEMBERS,
    "kafkasim/protocol/groups/member/join_effort.py": _MEMBERS,
    "kafkasim/protocol/groups/member/committed_offsets.py": _COMMITS,
    "kafkasim/protocol/groups/member/last_commit.py": _COMMITS,
    "kafkasim/protocol/groups/member/member_rebalance.py": _MEMBERS,
    "kafkasim/engine/sim/handing_over.py": "tests/simulation/test_blocked_sources.py",
    "kafkasim/scenario/blocks.py": _DRAWN,
    "kafkasim/scenario/column_digest.py": "tests/scenario/test_plan.py",
    "kafkasim/scenario/draws.py": _DRAWN,
    "kafkasim/testing/reference_accumulator.py": (
        "tests/testing/test_reference_producer.py"
    ),
    "kafkasim/result/resets.py": "tests/analysis/test_dealings.py",
    "kafkasim/result/rows.py": "tests/analysis/test_dealings.py",
    "kafkasim/result/schema_columns.py": "tests/result/test_schema.py",
    "kafkasim/result/streaming_blocks.py": "tests/result/test_streaming.py",
    "kafkasim/result/streaming_tally.py": "tests/result/test_streaming.py",
    "kafkasim/testing/group_brokers.py": "tests/testing/test_group_conversation.py",
    "kafkasim/testing/group_process.py": "tests/testing/test_group_conversation.py",
    "kafkasim/testing/group_words.py": "tests/testing/test_group_conversation.py",
}
"""Module → the test file that covers it, where that is not its mirror."""

ENTRY_POINTS = {
    "kafkasim.__main__": "python -m kafkasim",
    "kafkasim.engine.sim.systems.rabbitmq.lifecycle": "who checks a run of RabbitMQ",
    "kafkasim.protocol.groups.coordinator.consumer_groups": (
        "whoever holds a partition of offsets"
    ),
    "kafkasim.protocol.groups.member.consumer_member": "who runs a member",
    "kafkasim.testing.group_conversation": "the transcripts of the documents",
    "kafkasim.testing.builders": "tests of analysis and figures, and those of others",
}
"""Module → who starts it, where no module imports it."""

COMMITTED = ["*.md", "*.toml", "*.yaml", "LICENSE", "run.py", ".ci/*"]
COMMITTED += [
    f"{folder}/**/*.{suffix}"
    for folder in (
        *("benchmarks", "docs", "kafkasim", "notebooks", "requirements", "tests"),
    )
    for suffix in ("cfg", "ipynb", "java", "json", "md", "py", "toml", "txt", "xml")
]
GENERATED = {"docs/_build", "docs/reference/api"}


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(_tree(file)) if isinstance(node, kinds)]


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without those of its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _committed() -> list[Path]:
    files = {file for pattern in COMMITTED for file in ROOT.glob(pattern)}
    return sorted(
        file
        for file in files
        if not any(_path(file).startswith(folder) for folder in GENERATED)
    )


@pytest.mark.parametrize("file", CODE, ids=_path)
def test_a_module_has_at_most_400_lines(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())

    assert lines <= MODULE_LINES


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{_path(file)}::{function.name}"
        for file in CODE
        for function in _functions(file)
        if _length(function) > FUNCTION_LINES
    }

    assert long == set(LONG_FUNCTIONS)


def test_every_module_is_imported_or_is_where_a_public_name_lives() -> None:
    imported = set().union(*(_imported(file) for file in MODULES))
    homes = set(kafkasim._HOME.values())
    public = {f"kafkasim.{name}" for name in kafkasim.__all__}

    unused = {
        _module_name(file)
        for file in MODULES
        if file.name != "__init__.py"
        and _module_name(file) not in imported | homes | public | set(ENTRY_POINTS)
    }

    assert unused == set()


def test_every_module_with_behaviour_has_a_test_file_in_its_mirror() -> None:
    untested = set()
    for file in MODULES:
        inside = file.relative_to(PACKAGE)
        mirror = ROOT / "tests" / inside.parent / f"test_{inside.stem.lstrip('_')}.py"
        exempt = file.name in {"__init__.py", "__main__.py"} or not _functions(file)
        if not exempt and not mirror.exists():
            untested.add(_path(file))

    assert untested == set(TESTED_IN)
    assert [test for test in TESTED_IN.values() if not (ROOT / test).exists()] == []


def test_imports_are_absolute_and_take_only_packages_from_the_root() -> None:
    packages = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    wrong = []
    for file in set(MODULES) - {PACKAGE / "__init__.py"}:
        for node in ast.walk(_tree(file)):
            names: set[str] = set()
            if isinstance(node, ast.ImportFrom) and node.module == "kafkasim":
                names = {alias.name for alias in node.names} - packages
            elif isinstance(node, ast.ImportFrom) and node.level > 0:
                names = {"." * node.level}
            elif isinstance(node, ast.Import):
                names = {a.name for a in node.names if a.name == "kafkasim"}
            wrong += [f"{_path(file)}: {name}" for name in sorted(names)]

    assert wrong == []


def test_a_notebook_shows_ideas_and_leaves_machinery_to_the_package() -> None:
    defined = []
    for file in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells):
            if cell["cell_type"] != "code":
                continue
            text = "".join(cell["source"])
            long = re.search(
                r"^(class |def (?:.*\n(?: .*\n?|\n){11,}))", text, re.MULTILINE
            )
            defined += [f"{_path(file)} cell {number}"] * (long is not None)
    assert defined == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    machines = ["/" + name + "/" for name in ("work", "root")]
    machines += [".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"))]
    machines += [".".join(host) for host in (("npmjs", "org"), ("crates", "io"))]

    named = [
        f"{_path(file)}: {machine}"
        for file in _committed()
        for machine in machines
        if machine in file.read_text(encoding="utf-8")
    ]
    assert named == []
