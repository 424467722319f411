"""The braid: one entity's records, order produced against order processed.

On the left an entity's records stand in the order in which the world wanted them, which
is the order in which its source produced them; on the right in the order in which a
subscriber was done with them. Where Kafka kept the order the strands run side by side;
where it did not they cross. Kafka keeps the order of a partition and no other (Kafka
documentation, Introduction, "Main Concepts and Terminology").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import order, receiving
from kafkasim.analysis.provenance import provenance
from kafkasim.catalogue import say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import rows_of, run_given, subscriber_given
from kafkasim.plot.headings import headline, headline_of_all
from kafkasim.plot.strands import MOST_MARKED, Places, draw_strands, handles
from kafkasim.plot.style import canvas, nothing, panels, style
from kafkasim.plot.words import begun, caption_of, counted, listed
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_STRANDS: Final = 80
"""Records of one entity up to which all are drawn; of more, a window of so many."""

_PANELS_BESIDE: Final = 3


@dataclass(frozen=True, slots=True)
class _Read:
    """A run, and what one subscriber got of it."""

    run: Result
    subscriber: str
    receipts: "pd.DataFrame"
    counts: "pd.DataFrame"
    """As `analysis.ordering` makes it."""


@dataclass(frozen=True, slots=True)
class _Braid:
    """One entity's records in one run, in the order produced."""

    subscriber: str
    records: Places
    """Their numbers."""
    done_ms: NDArray[np.float64]
    """When each was processed; NaN when it never was."""
    overtaken: frozenset[int]
    pairs: int
    partitions: int
    """How many partitions they were in; 0 without a log."""

    @property
    def processed(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.done_ms)))


def braid(
    data: Result | Mapping[str, Result],
    *,
    entity: str | None = None,
    subscriber: str | None = None,
    window: tuple[int, int] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one entity's records from the order produced to the order processed.

    Two strands that cross are an overtaken pair; a record that was overtaken is a thick
    strand. Each panel says how many records there are, how many were overtaken and in
    how many pairs, as `analysis.ordering` counts them.

    Parameters
    ----------
    data : Result or mapping of str to Result
        A run, or several by the name that stands over their panel.
    entity : str, optional
        Whose records; without it the one with most overtaken pairs in any of the runs
        (of equals the one with most records, then the first by name).
    subscriber : str, optional
        Whose processing; the first without it.
    window : (int, int), optional
        Which of the entity's records to draw: from the first number to before the
        second, counted from 0 in the order produced. Without it all; of more than
        `MOST_STRANDS`, so many in a row, there where most were overtaken. Counts
        are of the whole run in either case, and the figure says what it shows.
    ax : Axes, optional
        What to draw into; a new figure otherwise. Several panels take its place.

    Returns
    -------
    Axes
        The first panel's; `figure.axes` has all.

    Raises
    ------
    ValidationError
        `data` holds something other than runs, or none; no run has such an entity or
        subscriber; the window is empty.
    TableNotRecorded
        When a run did not record the tables `records` and `deliveries`.
    """
    runs = {name: _read(run, subscriber) for name, run in _runs(data).items()}
    who = _most_overtaken(list(runs.values())) if entity is None else entity
    braids = {name: _braid(read, who) for name, read in runs.items()}
    if entity is not None and not any(len(each.records) for each in braids.values()):
        raise ValidationError("entity", entity, say("an entity of one of the runs"))
    shown = _shown(list(braids.values()), window)
    with style():
        drawn = _canvases(ax, braids, shown)
        for each, (name, made) in zip(drawn, braids.items(), strict=True):
            _panel(each, made, shown)
            if len(drawn) > 1:
                headline(each, name, below=_counted(made), left=2.0)
        title = _title(who, braids)
        if len(drawn) == 1:
            headline(drawn[0], title, below=_counted(*braids.values()))
        elif ax is None:
            headline_of_all(drawn, title)
        _legend(drawn, braids, shown)
    words = _words(who, braids, shown, [provenance(read.run) for read in runs.values()])
    for each in drawn:
        give_words(each, words)
    return drawn[0]


def _runs(data: Result | Mapping[str, Result]) -> dict[str, Result]:
    expected = say("a Result, or a mapping of names to some")
    if not isinstance(data, Mapping):
        return {"": run_given(data, expected)}
    if not data:
        raise ValidationError("data", data, expected)
    return {str(name): run_given(run, expected) for name, run in data.items()}


def _read(run: Result, subscriber: str | None) -> _Read:
    done = receiving.receipts(run)
    name = subscriber_given(done, subscriber)
    return _Read(run, name, rows_of(done, name), rows_of(order.ordering(run), name))


def _most_overtaken(runs: list[_Read]) -> str | None:
    """Return whose braid to draw when nobody says; None when no entity has records."""
    best: tuple[int, int] = (-1, -1)
    found: str | None = None
    for read in runs:
        rows = zip(
            read.counts["overtaken_pairs"].tolist(),
            read.counts["records"].tolist(),
            read.counts["entity"].astype(str).tolist(),
            strict=True,
        )
        for pairs, records, name in rows:
            equal = (pairs, records) == best and name < str(found)
            if (pairs, records) > best or equal:
                best, found = (pairs, records), name
    return found


def _braid(read: _Read, entity: str | None) -> _Braid:
    records = read.run.table("records", ["entity", "intended_ms", "partition"])
    own = read.receipts.merge(
        records[records["entity"].astype(str) == str(entity)],
        left_on="record_id",
        right_index=True,
    ).sort_values(["intended_ms", "record_id"], kind="stable")
    pairs = rows_of(order.overtakings(read.run), read.subscriber)
    counts, late = (
        table[table["entity"].astype(str) == str(entity)]
        for table in (read.counts, pairs)
    )
    partitions = own["partition"]
    return _Braid(
        read.subscriber,
        own["record_id"].to_numpy(dtype=np.int64),
        own["first_processed_ms"].to_numpy(dtype=np.float64),
        frozenset(late["record_id"].tolist()),
        int(counts["overtaken_pairs"].sum()),
        int(partitions[partitions >= 0].nunique()),
    )


def _shown(braids: list[_Braid], window: tuple[int, int] | None) -> tuple[int, int]:
    """Return which places in the order produced are drawn, in every panel."""
    longest = max(len(each.records) for each in braids)
    if window is not None:
        first, end = max(0, window[0]), min(longest, window[1])
        if first >= end:
            allowed = say(
                "two places, the first below the second, within 0 to {longest}",
                longest=longest,
            )
            raise ValidationError("window", window, allowed)
        if end - first > MOST_STRANDS:
            raise ValidationError(
                "window", window, say("at most {most} records", most=MOST_STRANDS)
            )
        return first, end
    if longest <= MOST_STRANDS:
        return 0, longest
    starts = np.zeros(longest - MOST_STRANDS + 1, dtype=np.int64)
    for each in braids:
        late = np.zeros(longest + 1, dtype=np.int64)
        late[1 : len(each.records) + 1] = np.cumsum(
            [record in each.overtaken for record in each.records.tolist()]
        )
        late[len(each.records) + 1 :] = late[len(each.records)]
        starts = np.maximum(starts, late[MOST_STRANDS:] - late[:-MOST_STRANDS])
    first = int(starts.argmax())
    return first, first + MOST_STRANDS


def _canvases(
    ax: "Axes | None", braids: Mapping[str, _Braid], shown: tuple[int, int]
) -> "list[Axes]":
    height = min(7.0, max(3.6, 1.9 + 0.11 * (shown[1] - shown[0])))
    if len(braids) == 1:
        return [canvas(ax, (8.0, height))]
    return panels(ax, len(braids), _PANELS_BESIDE, (4.1, height))


def _panel(ax: "Axes", made: _Braid, shown: tuple[int, int]) -> None:
    records = made.records[shown[0] : shown[1]]
    done = made.done_ms[shown[0] : shown[1]]
    drawn = ~np.isnan(done)
    if not drawn.any():
        nothing(ax, say("no record processed"))
        return
    left = np.flatnonzero(drawn)
    right = np.argsort(np.argsort(done[drawn], kind="stable"), kind="stable")
    places = np.arange(len(left))
    draw_strands(ax, records[drawn], places, right, made.overtaken)
    ax.set_xticks([0, 1], [say("order\nproduced"), say("order\nprocessed")])
    few = len(left) <= 12
    steps = places if few else places[:: -(-len(left) // 8)]
    ax.set_yticks(steps, [f"{shown[0] + int(left[step]) + 1}" for step in steps])
    if few:
        ends = np.argsort(right)
        for place, record in enumerate(ends.tolist()):
            text = f"{shown[0] + int(left[record]) + 1}"
            ax.text(1.05, place, text, va="center", fontsize="small")


def _counted(made: _Braid) -> str:
    """Return a panel's counts: records, overtaken, pairs."""
    total, processed = len(made.records), made.processed
    if not total:
        return say("no records")
    records = counted(total, "record")
    if processed < total:
        records = say(
            "{processed:,} of {records} processed", processed=processed, records=records
        )
    if not made.pairs:
        return say("{records}, none overtaken", records=records)
    return say(
        "{records}, {overtaken:,} overtaken, {pairs}",
        records=records,
        overtaken=len(made.overtaken),
        pairs=counted(made.pairs, "pair"),
    )


def _title(entity: str | None, braids: Mapping[str, _Braid]) -> str:
    """Return the finding: where the entity's order held and where it did not."""
    if entity is None:
        return say("No record of an entity was processed")
    if len(braids) == 1:
        return f"{entity}: {_found(*braids.values())}"
    return f"{entity}: {_found_in_several(braids)}"


def _found(made: _Braid) -> str:
    if not made.processed:
        return say("no record processed")
    if made.pairs:
        whole = counted(made.processed, "record")
        return say(
            "{overtaken:,} of {records} overtaken",
            overtaken=len(made.overtaken),
            records=whole,
        )
    if made.processed < len(made.records):
        return say("what was processed is in its order")
    return say("every record in its order")


def _found_in_several(braids: Mapping[str, _Braid]) -> str:
    crossed = {name: made.pairs for name, made in braids.items() if made.pairs}
    kept = [name for name, made in braids.items() if not made.pairs and made.processed]
    if not crossed:
        if len(kept) == len(braids):
            return say("in order in all {count} runs", count=len(braids))
        if not kept:
            return say("no record processed in any run")
        return say(
            "in order with {names}; none processed in the others", names=listed(kept, 3)
        )
    most = max(crossed.values())
    worst = [name for name, pairs in crossed.items() if pairs == most]
    text = say_many(
        "{pairs} with {names}",
        "{pairs} with {names} each",
        len(worst),
        pairs=counted(most, "overtaken pair"),
        names=listed(worst, 3),
    )
    if len(crossed) > len(worst):
        text = say("{pairs}, the most", pairs=text)
    if not kept:
        return text
    if len(kept) == 1:
        return f"{text}; {say('none with {name}', name=kept[0])}"
    rest = say("none in {count} of the others runs", count=len(kept))
    if len(kept) == len(braids) - 1:
        rest = say("none in the other {count} runs", count=len(kept))
    return f"{text}; {rest}"


def _legend(
    drawn: "list[Axes]", braids: Mapping[str, _Braid], shown: tuple[int, int]
) -> None:
    crossing = any(each.pairs for each in braids.values())
    marked = crossing and max(each.pairs for each in braids.values()) <= MOST_MARKED
    labels = [say("overtaken"), say("not overtaken")]
    labels += [say("overtaken pair")] if marked else []
    whole = max(len(each.records) for each in braids.values())
    span = say(
        "records {first:,} to {last:,} of {whole:,} are drawn",
        first=shown[0] + 1,
        last=shown[1],
        whole=whole,
    )
    drawn[0].figure.legend(
        handles(marked=marked),
        labels,
        loc="outside lower center",
        ncols=3,
        title=span if shown[1] - shown[0] < whole else None,
    )


def _words(
    entity: str | None,
    braids: Mapping[str, _Braid],
    shown: tuple[int, int],
    ran: list[str],
) -> Words:
    said = []
    for name, made in braids.items():
        counts = say(
            "{counts}, in {partitions}.",
            counts=_counted(made),
            partitions=counted(made.partitions, "partition"),
        )
        said.append(f"{name}: {counts}" if name else begun(counts))
    whole = max(len(each.records) for each in braids.values())
    cut = ""
    if shown[1] - shown[0] < whole:
        cut = " " + say(
            "Drawn are records {first:,} to {last:,} of {whole:,}.",
            first=shown[0] + 1,
            last=shown[1],
            whole=whole,
        )
    whose = say("no entity") if entity is None else entity
    strands = say(
        "Strands of the records of {name}, from the order produced on the left to the "
        "order processed on the right; strands that cross are an overtaken pair.",
        name=whose,
    )
    alt = f"{strands} {' '.join(said)}{cut}"
    subscribers = dict.fromkeys(made.subscriber for made in braids.values())
    names = listed([f"“{name}”" for name in braids])
    what = say(
        "Order of the records of {name}, processed by {subscribers}",
        name=whose,
        subscribers=listed(list(subscribers)),
    )
    if len(ran) > 1:
        runs = say("in {count} runs: {names}", count=len(ran), names=names)
        what = f"{what}, {runs}"
    return Words(caption_of(what, _common(ran)) + cut, alt)


def _common(ran: list[str]) -> str:
    """Return the parts of the runs' lines that all of them have."""
    first, *others = [line.split("; ") for line in ran]
    return "; ".join(part for part in first if all(part in other for other in others))
