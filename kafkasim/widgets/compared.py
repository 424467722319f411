"""A table below a figure: numbers of this run, those of the run before beside them."""

from collections.abc import Mapping
from html import escape
from typing import Final

from kafkasim.catalogue import say

_LEFT: Final = ' style="text-align:left;font-weight:normal"'
_CLOSE: Final = ' style="line-height:1.4"'
_RIGHT: Final = ' style="text-align:right;padding-left:1.5em"'


def compared(now: Mapping[str, str], before: Mapping[str, str] | None) -> str:
    """Return texts as an HTML table with a row for each label of `now`.

    Parameters
    ----------
    now : mapping of str to str
        Label → what stands there, in the order of the rows.
    before : mapping of str to str or None
        The same of the run before; a label that it lacks has no text.

    Returns
    -------
    str
        HTML; labels and texts are escaped.
    """
    return side_by_side(
        {say("this run"): now} | ({say("run before"): before} if before else {}),
    )


def side_by_side(columns: Mapping[str, Mapping[str, str]]) -> str:
    """Return texts as an HTML table with a row for each label of the first column.

    Parameters
    ----------
    columns : mapping of str to mapping of str to str
        Head → label → what stands there; a label that a column lacks has no text.

    Returns
    -------
    str
        HTML; heads, labels and texts are escaped.
    """
    heads = "".join(f"<th scope=col{_RIGHT}>{escape(head)}" for head in columns)
    rows = [f"<td>{heads}"]
    rows += [
        f"<th scope=row{_LEFT}>{escape(label)}"
        + "".join(
            f"<td{_RIGHT}>{escape(each.get(label, ''))}" for each in columns.values()
        )
        for label in next(iter(columns.values()))
    ]
    return f"<table{_CLOSE}><tr>{'<tr>'.join(rows)}</table>"
