import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "your-own-traffic.md"
CELL = re.compile(
    r"^```\{code-cell\}\n(?::tags:.*\n\n)?(.*?)^```$", re.DOTALL | re.MULTILINE
)


def test_the_guide_says_what_happens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = CELL.findall(GUIDE.read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, "guide", "exec"), names)

    assert len(cells) == 6
    error, warning = capsys.readouterr().out.splitlines()
    assert error.startswith("row 5, column 'bytes': negative size '-5'; expected whole")
    assert warning == "skipped 2 of 6 rows: 1 unparseable time, 1 negative size"
    assert list(tmp_path.iterdir()) == []
