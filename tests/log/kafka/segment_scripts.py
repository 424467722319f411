"""Scripts for Kafka's own segments and indexes, and the answers kept beside them.

    python -m tests.log.kafka.segment_scripts LIBS

LIBS: a folder with Kafka's jars. Writes `tests/log/data/segments_and_indexes.json`.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kafkasim.log.encode import encode_batch
from kafkasim.log.record import Record

HERE = Path(__file__).parent
DATA = HERE.parent / "data" / "segments_and_indexes.json"
Step = list[object]


def batch(rng: np.random.Generator, offset: int, time_ms: int) -> tuple[bytes, int]:
    """Return one batch and the offset after it; some times are none, some go back."""
    count = int(rng.integers(1, 5))
    times = [
        -1 if rng.random() < 0.05 else time_ms + int(rng.integers(-300, 300))
        for _ in range(count)
    ]
    records = [Record(time, None, bytes(int(rng.integers(0, 20)))) for time in times]
    gap = int(rng.integers(0, 3)) if rng.random() < 0.2 else 0
    data = encode_batch(records, base_offset=offset, last_offset_delta=count - 1 + gap)
    return data, offset + count + gap


def segment_script(rng: np.random.Generator) -> dict[str, object]:
    base = int(rng.choice([0, 1000]))
    offset, time_ms = base, 1_000
    steps: list[Step] = []
    for _ in range(int(rng.integers(10, 40))):
        kind = rng.random()
        asked = int(rng.integers(base, offset + 3))
        if kind < 0.55:
            runs = [batch(rng, offset, time_ms)]
            while rng.random() < 0.2:
                runs.append(batch(rng, runs[-1][1], time_ms))
            steps.append(["append", b"".join(data for data, _ in runs).hex()])
            offset = runs[-1][1] + (5 if rng.random() < 0.1 else 0)
            time_ms += int(rng.integers(0, 300))
        elif kind < 0.65:
            steps.append(["find", asked])
        elif kind < 0.73:
            most, one = int(rng.integers(0, 500)), bool(rng.random() < 0.5)
            steps.append(["read", asked, most, one])
        elif kind < 0.83:
            steps.append(["time", time_ms - int(rng.integers(0, 3000)), asked])
        elif kind < 0.88:
            steps.append(["truncate", asked])
        elif kind < 0.93:
            steps.append(["now", int(rng.integers(0, 9000))])
        elif kind < 0.95:
            steps.append(["reopen"])
        else:
            steps += [["next"], ["largest"]]
    return {
        "base": base,
        "interval": int(rng.choice([0, 100, 300])),
        "index_bytes": int(rng.choice([50, 100, 1000])),
        "segment_ms": int(rng.choice([800, 3000, 100_000])),
        "segment_bytes": int(rng.choice([800, 1500, 1 << 20])),
        "rolled": bool(rng.random() < 0.5),
        "steps": [["now", 500], *steps, ["next"], ["largest"]],
    }


def index_script(rng: np.random.Generator, kind: str, shape: str) -> dict[str, object]:
    """Return an index file, true or not, and look-ups and cuts to be tried on it."""
    long = 1100 if kind == "offset" else 750
    count = long if shape == "long" else int(rng.integers(1, 20))
    offsets = np.cumsum(rng.integers(1, 4, count))
    keys = np.cumsum(rng.integers(1, 9, count)) + 100 * (kind == "time")
    if shape == "mixed":
        offsets = rng.permutation(offsets)
        keys = rng.permutation(keys)
    if shape in {"zeros", "long"}:
        offsets[-count // 3 :] = keys[-count // 3 :] = 0
    rows = zip(offsets.tolist(), keys.tolist(), strict=True)
    if kind == "offset":
        data = b"".join(struct.pack(">ii", offset, key) for offset, key in rows)
    else:
        data = b"".join(struct.pack(">qi", key, offset) for offset, key in rows)
    if shape == "stray":
        data += b"\x01" * int(rng.integers(1, 8))
    most = int(max(offsets.max(), keys.max()))
    asked: list[Step] = []
    for _ in range(12):
        asked.append(["find", int(rng.integers(0, most + 9)) + 50 * (kind == "offset")])
        asked.append(["truncate", 50 + int(rng.integers(0, offsets.max() + 5))])
    return {"kind": kind, "base": 50, "file": data.hex(), "asked": asked}


def scripts() -> dict[str, list[dict[str, object]]]:
    rng = np.random.default_rng(7)
    shapes = ("true", "mixed", "zeros", "stray") * 4 + ("long",)
    return {
        "segments": [segment_script(rng) for _ in range(50)],
        "indexes": [
            index_script(rng, kind, shape)
            for shape in shapes
            for kind in ("offset", "time")
        ],
    }


def main() -> None:
    asked = scripts()
    with tempfile.TemporaryDirectory() as folder:
        asking, answering = Path(folder, "asked.json"), Path(folder, "said.json")
        asking.write_text(json.dumps(asked), encoding="utf-8")
        program = str(HERE / "SegmentScripts.java")
        command = [
            "java",
            "-cp",
            f"{sys.argv[1]}/*",
            program,
            str(asking),
            str(answering),
        ]
        subprocess.run(command, check=True)
        said = json.loads(answering.read_text(encoding="utf-8"))
    rows = [*asked["segments"], *asked["indexes"]]
    for row, answer in zip(rows, said["segments"] + said["indexes"], strict=True):
        row["answer"] = answer
    text = json.dumps({"kafka": "4.3.1", **asked}, separators=(",", ":"))
    DATA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
