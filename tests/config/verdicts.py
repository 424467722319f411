"""What Kafka's own classes said to settings; `data/README.md` tells how."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafkasim.config.settings import Settings
from kafkasim.errors import ValidationError

DATA = Path(__file__).parent / "data"


def keys_of(kind: str) -> list[tuple[str, str, str, str]]:
    """Return key, type, default and validator of all that are not internal."""
    rows = json.loads((DATA / "keys.json").read_text(encoding="utf-8"))[kind]
    return [
        (key, of, default, bound)
        for key, of, default, bound, inner in rows
        if not inner
    ]


def asked(table: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the settings of each row, and the effective value or None."""
    found = json.loads((DATA / "verdicts.json").read_text(encoding="utf-8"))[table]
    for *values, effective in found["rows"]:
        said = dict(zip(found["settings"], values, strict=True))
        yield (
            {key: value for key, value in said.items() if value is not None},
            effective,
        )


def answer(config: type[Settings], said: dict[str, Any], key: str) -> object:
    """Return the effective value for a file with these settings, None if refused."""
    text = "".join(f"{name}={value}\n" for name, value in said.items())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that are not modelled
            read = config.from_properties(text)
    except ValidationError:
        return None
    value: object = getattr(read.resolve(), key.replace(".", "_"))
    return value
