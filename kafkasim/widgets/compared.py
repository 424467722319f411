"""A table below a figure: numbers of this run, those of the run before beside them."""

from collections.abc import Mapping
from html import escape
from typing import Final

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
    columns = [("this run", now)] + ([("run before", before)] if before else [])
    rows = ["<td>" + "".join(f"<th scope=col{_RIGHT}>{head}" for head, _ in columns)]
    rows += [
        f"<th scope=row{_LEFT}>{escape(label)}"
        + "".join(f"<td{_RIGHT}>{escape(each.get(label, ''))}" for _, each in columns)
        for label in now
    ]
    return f"<table{_CLOSE}><tr>{'<tr>'.join(rows)}</table>"
