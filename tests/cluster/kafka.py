"""Apache Kafka's own classes: where they are, and a JVM that answers for them.

Maven fetches the jars that `pom.xml` names into `.cache`; `Kafka.java` is run from its
source and asked by lines of JSON. Nothing here listens to a network.
"""

import base64
import json
import select
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JARS = HERE.parents[1] / ".cache" / "kafka"
PATIENCE_S = 120
"""An answer that takes longer on a busy machine is taken for one that never comes."""
_POM = HERE / "pom.xml"
_FETCHED = JARS / _POM.name
"""What the jars were fetched for, put there after the last of them."""
_AT_ONCE = 500
"""Batches in one line of JSON."""
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")


def lacking() -> str:
    """Return what is missing on this machine, nothing when all is there."""
    lacks = [] if shutil.which("javac") else ["a JDK, 17 or later"]
    if not has_jars() and not shutil.which("mvn"):
        lacks.append("Maven, for the jars of Kafka")
    return ", ".join(lacks)


def has_jars() -> bool:
    """Whether the jars are those that `pom.xml` names now."""
    return _FETCHED.exists() and _FETCHED.read_bytes() == _POM.read_bytes()


def fetch() -> None:
    """Copy the jars, and all that they need, into `.cache`.

    Raises
    ------
    RuntimeError
        Maven could not; what it said.
    """
    if has_jars():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={JARS}")
    done = subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--file", _POM, *goal],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Maven could not fetch Kafka:\n{done.stdout[-3_000:]}")
    shutil.copy(_POM, _FETCHED)


class KafkaError(Exception):
    """An exception of Kafka's.

    Parameters
    ----------
    name : str
        Its class.
    code : str
        Its name in the protocol, `UNKNOWN_SERVER_ERROR` if it has none.
    text : str
        Its message.
    """

    def __init__(self, name: str, code: str, text: str) -> None:
        self.name = name
        self.code = code
        super().__init__(f"{name}: {text}")


class Kafka:
    """Kafka's classes in a JVM; at most one log of theirs is open.

    Parameters
    ----------
    folder : Path
        Where what the JVM says beside its answers is written.
    """

    def __init__(self, folder: Path) -> None:
        self.said = folder / "jvm.log"
        with self.said.open("wb") as log:
            self._process = subprocess.Popen(
                ["java", *_JVM, "-cp", f"{JARS}/*", HERE / "Kafka.java"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def ask(self, do: str, **given: object) -> Any:  # noqa: ANN401 - as JSON has it
        """Return the answer to a command of `Kafka.java`; bytes go in as they are.

        Raises
        ------
        KafkaError
            Kafka raised an exception.
        RuntimeError
            The JVM has ended, or does not answer.
        """
        question = json.dumps({"do": do} | given, default=packed)
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None and answers is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            asked.write(question.encode() + b"\n")
            asked.flush()
        ready, _, _ = select.select([answers], [], [], PATIENCE_S)
        line = answers.readline() if ready else b""
        if not line:
            self._process.kill()
            raise RuntimeError(f"no answer to {do}:\n{self.said.read_text()[-3_000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise KafkaError(answer["error"], answer["code"], answer["text"])
        return answer["answer"]

    def encode(self, batches: Sequence[dict[str, Any]]) -> list[bytes]:
        """Return the bytes that `MemoryRecordsBuilder` makes of each batch."""
        made: list[str] = []
        for start in range(0, len(batches), _AT_ONCE):
            made += self.ask("encode", batches=batches[start : start + _AT_ONCE])
        return [unpacked(data) for data in made]

    def close(self) -> None:
        """End the JVM."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_S)
        self._process.stdout.close()


def packed(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


def unpacked(text: str) -> bytes:
    """Return the bytes of a text."""
    return base64.b64decode(text)


def plain(row: list[Any]) -> list[Any]:
    """Return a record of an answer with its bytes as bytes."""
    stamp, key, value, headers, offset = row
    some = [None if data is None else unpacked(data) for data in (key, value)]
    pairs = [[name, None if v is None else unpacked(v)] for name, v in headers]
    return [stamp, *some, pairs, offset]
