"""What a run's clients recorded, put together as the records of its sources.

The engine has a row for each record of each client, client after client. The table
`records` has those that the world wanted first, source after source, each in its own
order; then those that applications sent again, in the order in which they did.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.lanes import Lane, planned_rows
from kafkasim.engine.sim.live_records import LiveRecords
from kafkasim.protocol.errors import ERRORS
from kafkasim.result.schema import OUTCOMES

Ints = NDArray[np.int64]
_FAILED: Final = OUTCOMES["records"].index("failed")
Columns = dict[str, NDArray[np.generic]]


class Arrangement:
    """Where each client's records stand in the table.

    Parameters
    ----------
    lanes : sequence of Lane
        The clients.
    sizes : sequence of int
        Records of each.
    live : mapping of int to LiveRecords
        Those of the clients whose records were not all known before.

    Attributes
    ----------
    is_plain : bool
        Nothing moves.
    rows : int64 array
        Row of each record, client after client.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        sizes: Sequence[int],
        live: Mapping[int, LiveRecords],
    ) -> None:
        self._lanes = lanes
        self._sizes = sizes
        self._live = live
        self.is_plain = not live and all(lane.step == 1 for lane in lanes)
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.rows = np.arange(self._starts[-1])
        if not self.is_plain:
            self._arrange()

    def _arrange(self) -> None:
        count = len(self.rows)
        is_added = np.zeros(count, np.bool_)
        times: list[tuple[int, int]] = []
        for number, records in self._live.items():
            places = records.added + self._starts[number]
            is_added[places] = True
            times += zip(records.added_ns, places.tolist(), strict=True)
        own = np.split(~is_added, self._starts[1:-1])
        planned = planned_rows(self._lanes, [int(each.sum()) for each in own])
        self.rows[~is_added] = np.concatenate([np.zeros(0, np.int64), *planned])
        first = count - len(times)
        for row, (_, place) in enumerate(sorted(times), start=first):
            self.rows[place] = row

    def value_ids(self) -> list[Ints]:
        """Return for each client which record the value of each of its own is made of.

        What is sent again has the value of the record that was wanted.
        """
        found = np.split(self.rows, self._starts[1:-1])
        for number, records in self._live.items():
            own = records.ordinals_of(np.arange(len(records)))
            found[number] = found[number][own][records.roots]
        return found

    def records(self, columns: Columns) -> tuple[Columns, dict[str, tuple[str, ...]]]:
        """Return the columns of `records` in its order, and the labels that change.

        Parameters
        ----------
        columns : dict of str to array
            Client after client.
        """
        moved: Columns = {}
        for name, column in columns.items():
            moved[name] = np.empty(len(column), column.dtype)
            moved[name][self.rows] = column
        moved["record_id"] = np.arange(len(self.rows), dtype=np.int64)
        sources = list(dict.fromkeys(lane.source for lane in self._lanes))
        codes = np.array([lane.code for lane in self._lanes], np.int16)
        moved["source"] = np.empty(len(self.rows), np.int16)
        moved["source"][self.rows] = np.repeat(codes, self._sizes)
        causes = self._causes(moved)
        return moved, {"source": tuple(sources), "caused_by": causes}

    def _causes(self, columns: Columns) -> tuple[str, ...]:
        """Fill in what was sent again, and why; return the causes."""
        resend_of = np.full(len(self.rows), -1, np.int64)
        caused_by = np.full(len(self.rows), -1, np.int16)
        labels: list[str] = []
        for number, records in self._live.items():
            start = int(self._starts[number])
            resend_of[self.rows[records.added + start]] = self.rows[
                np.array(records.repeats, np.int64) + start
            ]
            for place, cause in records.caused():
                text = ERRORS[cause] if isinstance(cause, int) else cause
                if text not in labels:
                    labels.append(text)
                caused_by[self.rows[place + start]] = labels.index(text)
            lost = [self.rows[place + start] for place, _ in records.lost]
            columns["outcome"][lost] = _FAILED
        columns["resend_of"], columns["caused_by"] = resend_of, caused_by
        return tuple(labels)
