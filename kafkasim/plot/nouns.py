"""What figures count, with the number: `words.counted` says them."""

from types import MappingProxyType
from typing import Final

from kafkasim.catalogue import mark_many

NOUNS: Final = MappingProxyType(
    {
        "acknowledged record": mark_many(
            "{n} acknowledged record", "{n} acknowledged records"
        ),
        "arrow": mark_many("{n} arrow", "{n} arrows"),
        "bar": mark_many("{n} bar", "{n} bars"),
        "batch": mark_many("{n} batch", "{n} batches"),
        "broker": mark_many("{n} broker", "{n} brokers"),
        "byte": mark_many("{n} byte", "{n} bytes"),
        "change": mark_many("{n} change", "{n} changes"),
        "commit": mark_many("{n} commit", "{n} commits"),
        "connection": mark_many("{n} connection", "{n} connections"),
        "entity": mark_many("{n} entity", "{n} entities"),
        "error": mark_many("{n} error", "{n} errors"),
        "index entry": mark_many("{n} index entry", "{n} index entries"),
        "key": mark_many("{n} key", "{n} keys"),
        "line": mark_many("{n} line", "{n} lines"),
        "link": mark_many("{n} link", "{n} links"),
        "machine": mark_many("{n} machine", "{n} machines"),
        "member": mark_many("{n} member", "{n} members"),
        "merge": mark_many("{n} merge", "{n} merges"),
        "metric": mark_many("{n} metric", "{n} metrics"),
        "more record": mark_many("{n} more record", "{n} more records"),
        "new link": mark_many("{n} new link", "{n} new links"),
        "node": mark_many("{n} node", "{n} nodes"),
        "offset": mark_many("{n} offset", "{n} offsets"),
        "other": mark_many("{n} other", "{n} others"),
        "other arrow": mark_many("{n} other arrow", "{n} other arrows"),
        "overtaken pair": mark_many("{n} overtaken pair", "{n} overtaken pairs"),
        "pair": mark_many("{n} pair", "{n} pairs"),
        "partition": mark_many("{n} partition", "{n} partitions"),
        "partition-second": mark_many("{n} partition-second", "{n} partition-seconds"),
        "rebalance": mark_many("{n} rebalance", "{n} rebalances"),
        "record": mark_many("{n} record", "{n} records"),
        "request": mark_many("{n} request", "{n} requests"),
        "second": mark_many("{n} second", "{n} seconds"),
        "segment": mark_many("{n} segment", "{n} segments"),
        "source": mark_many("{n} source", "{n} sources"),
        "step": mark_many("{n} step", "{n} steps"),
        "subscriber": mark_many("{n} subscriber", "{n} subscribers"),
        "time": mark_many("{n} time", "{n} times"),
        "tombstone": mark_many("{n} tombstone", "{n} tombstones"),
    }
)
"""English noun → the texts for one and for many; the number stands in `{n}`."""
