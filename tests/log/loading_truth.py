"""Ask Kafka's own classes what they make of a damaged partition.

    python -m tests.log.loading_truth LIBS     (a folder with Kafka 4.3.1's jars)

Writes `tests/log/data/loading.json`: the files that Kafka wrote (stopped cleanly, and
as a crash leaves them), and for each case of `loading_cases` what it answered. Of a
changed file the zeros at its end are left out, and its size is said; of reads those
stand there that no undamaged log gives.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.log.loading_cases import CASES, Case, Files

HERE = Path(__file__).parent
TRUTH = HERE / "data" / "loading.json"


def java(libs: Path, *arguments: str) -> None:
    program = HERE / "kafka" / "LoadLog.java"
    command = ["java", "-cp", f"{libs}/*", str(program), *arguments]
    subprocess.run(command, check=True, capture_output=True)


def read(folder: Path) -> Files:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def damaged(case: Case, bases: dict[str, Files]) -> Files:
    """Return the files of a case before they are opened."""
    files = dict(bases["clean" if case.clean else "crashed"])
    case.damage(files)
    return files


def short(data: str | None, before: dict[str, str]) -> str | list[object] | None:
    """Return a file's bytes, or the name of the file that had them: it was renamed."""
    if data is None:
        return None
    named = [name for name, old in before.items() if data and old == data]
    if named:
        return named[0]
    bare = data.rstrip("0")
    return [bare + "0" * (len(bare) % 2), len(data) // 2]


def ask(libs: Path, folder: Path) -> dict[str, object]:
    java(libs, "write", str(folder))
    bases = {name: read(folder / name / "t-0") for name in ("clean", "crashed")}
    asked = []
    for number, case in enumerate(CASES):
        partition = folder / str(number) / "t-0"
        partition.mkdir(parents=True)
        for name, data in damaged(case, bases).items():
            (partition / name).write_bytes(data)
        asked.append(
            {
                "folder": str(partition),
                "clean": case.clean,
                "recovery_point": case.recovery_point,
                "log_start": case.log_start,
            }
        )
    (folder / "cases.json").write_text(json.dumps(asked))
    java(libs, "load", str(folder / "cases.json"), str(folder / "answers.json"))
    answers = json.loads((folder / "answers.json").read_text())
    for case, answer in zip(CASES, answers, strict=True):
        before = {name: data.hex() for name, data in damaged(case, bases).items()}
        after = answer.pop("files", before)
        answer["changed"] = {
            name: short(after.get(name), before)
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        }
    usual = answers[0]["reads"]
    for answer in answers[1:]:
        if "reads" in answer:
            answer["reads"] = [read for read in answer["reads"] if read not in usual]
    hexed = {
        kind: {name: data.hex() for name, data in files.items()}
        for kind, files in bases.items()
    }
    named = {case.name: answer for case, answer in zip(CASES, answers, strict=True)}
    return {"kafka": "4.3.1", "written": hexed, "answers": named}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        truth = ask(Path(sys.argv[1]), Path(folder))
    TRUTH.parent.mkdir(exist_ok=True)
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
        for key, value in truth["answers"].items()  # type: ignore[attr-defined]
    ]
    head = json.dumps({"kafka": truth["kafka"], "written": truth["written"]})[:-1]
    TRUTH.write_text(f'{head}, "answers": {{\n' + ",\n".join(lines) + "\n}}\n")


if __name__ == "__main__":
    main()
