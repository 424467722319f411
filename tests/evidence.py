"""Put the last thorough run into its page of evidence.

    python3 -m tests.evidence

`run.py test --thorough` leaves `.cache/thorough.json`; one row of the page's table is
made of it, above those of earlier runs.
"""

import json
import sys
from typing import Any

from tests.areas import CACHE, NOBODY, areas
from tests.tiers import ROOT

KEPT = CACHE / "thorough.json"
PAGE = ROOT / "docs" / "evidence" / "thorough.md"
RULE = "|---|---|--:|---|---|--:|\n"
"""The line under the table's heading."""


class NotEvidenceError(Exception):
    """A run that shows nothing: it failed, or ran on what no commit holds."""


def row(kept: dict[str, Any]) -> str:
    """Return a run as a row: date, commit, tests, seeds, areas, time.

    Raises
    ------
    NotEvidenceError
        When it did not pass, or ran on files that differ from its commit's.
    """
    if not kept["passed"]:
        raise NotEvidenceError("the thorough run did not pass")
    if kept["changed"]:
        raise NotEvidenceError("the thorough run was not one of a commit as it is")
    spent = kept["areas"]
    order = [name for name in (*areas(), NOBODY) if name in spent]
    each = [
        f"{name} {spent[name].get('passed', 0):,} in {spent[name]['seconds']:,.0f} s"
        for name in order
    ]
    total = sum(spent[name].get("passed", 0) for name in order)
    skipped = sum(spent[name].get("skipped", 0) for name in order)
    tests = f"{total:,} passed" + (f", {skipped:,} skipped" if skipped else "")
    seeds = f"{kept['seeds'][0]} to {kept['seeds'][-1]}"
    minutes = f"{kept['wall_s'] / 60:.1f} min on {kept['workers']} workers"
    cells = [kept["date"], f"`{kept['commit'][:7]}`", tests]
    cells += [
        f"{seeds}; Hypothesis {kept['hypothesis_seed']}",
        "; ".join(each),
        minutes,
    ]
    return f"| {' | '.join(cells)} |\n"


def main() -> str:
    """Write the row into the page and return it.

    Raises
    ------
    NotEvidenceError
        When there is no run, or none that shows something.
    """
    if not KEPT.exists():
        raise NotEvidenceError("no thorough run: python3 run.py test --thorough")
    new = row(json.loads(KEPT.read_text(encoding="utf-8")))
    page = PAGE.read_text(encoding="utf-8")
    if new not in page:
        head, rule, rows = page.partition(RULE)
        PAGE.write_text(head + rule + new + rows, encoding="utf-8")
    return new


if __name__ == "__main__":
    try:
        sys.stdout.write(main())
    except NotEvidenceError as error:
        sys.exit(f"nothing written: {error}")
