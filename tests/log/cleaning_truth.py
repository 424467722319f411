"""Ask Kafka's own cleaner what it makes of the stories in `cleaning_cases`.

    python -m tests.log.cleaning_truth

It takes what `tests/cluster` takes: a JDK and Kafka's jars. In `data/cleaning.json` it
writes for each story, after each round, the next first dirty offset and the files of
all segments but the active one, in hex.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster.kafka import Kafka, fetch
from tests.log.cleaning_cases import CASES, Story

TRUTH = Path(__file__).parent / "data" / "cleaning.json"
KINDS = {".log", ".index", ".timeindex", ".txnindex"}


def sealed_files(folder: Path) -> dict[str, str]:
    """Return the files of all segments but the last, in hex."""
    names = [file for file in sorted(folder.iterdir()) if file.suffix in KINDS]
    active = max(file.name for file in names if file.suffix == ".log")[:20]
    return {file.name: file.read_bytes().hex() for file in names if file.stem < active}


def told(kafka: Kafka, story: Story, folder: Path) -> list[dict[str, Any]]:
    """Let Kafka act a story out, and return what each round left."""
    folder.mkdir(parents=True)
    config = {name.replace("_", "."): value for name, value in story.config.items()}
    start = story.steps[0]["now_ms"]
    kafka.ask("open", folder=str(folder), config=config, clean=True, now_ms=start)
    rounds: list[dict[str, Any]] = []
    dirty: dict[str, int] = {}
    for step in story.steps:
        answer = kafka.ask(**(step | dirty if step["do"] == "clean" else step))
        if step["do"] == "clean":
            dirty = {"first_dirty_offset": answer[2]}
            rounds.append(dirty | {"files": sealed_files(folder)})
    kafka.ask("close")
    return rounds


def main() -> None:
    fetch()
    with tempfile.TemporaryDirectory() as place:
        kafka = Kafka(Path(place))
        lines = [
            f"{json.dumps(name)}: "
            + json.dumps(told(kafka, case(), Path(place, name, "t-0")))
            for name, case in CASES.items()
        ]
        kafka.close()
    TRUTH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
