"""The partition log, Kafka's own format; it also stands alone.

What is written here Kafka's tools and every client's parser read, and the other way
round. No simulation is needed: a log is opened, appended to, read and looked into.

    >>> import kafkasim as ks
    >>> log = ks.log.PartitionLog()
    >>> appended = log.append([ks.log.Record(0, b"key-1", b"hello")])
    >>> log.read(0).records()[0].value
    b'hello'
    >>> ks.log.anatomy(log.read(0).data)["name"][:3]
    ['base offset', 'batch length', 'leader epoch']

Every public name is fetched when it is first asked for (PEP 562): a batch by hand needs
a few of these modules and no numpy, and the rules of producers need only sizes.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kafkasim.log.batch_fields import anatomy as anatomy
    from kafkasim.log.columns import Blob as Blob
    from kafkasim.log.columns import Columns as Columns
    from kafkasim.log.columns import DecodedColumns as DecodedColumns
    from kafkasim.log.decode import check_batch as check_batch
    from kafkasim.log.decode import control_kind as control_kind
    from kafkasim.log.decode import decode_batch as decode_batch
    from kafkasim.log.dump_tables import dump as dump
    from kafkasim.log.dump_text import dump_lines as dump_lines
    from kafkasim.log.encode import control_batch as control_batch
    from kafkasim.log.encode import encode_batch as encode_batch
    from kafkasim.log.encode_any import encode_columns as encode_columns
    from kafkasim.log.fsck import fsck as fsck
    from kafkasim.log.gather import encode_batches as encode_batches
    from kafkasim.log.header import BatchHeader as BatchHeader
    from kafkasim.log.header import unpack_header as unpack_header
    from kafkasim.log.opening import open_partition as open_partition
    from kafkasim.log.partition_log import PartitionLog as PartitionLog
    from kafkasim.log.record import Record as Record
    from kafkasim.log.scan import decode_columns as decode_columns
    from kafkasim.log.store import FolderStore as FolderStore
    from kafkasim.log.store import MemoryStore as MemoryStore

_HOME: Final = {
    "anatomy": "batch_fields",
    "Blob": "columns",
    "Columns": "columns",
    "DecodedColumns": "columns",
    "check_batch": "decode",
    "control_kind": "decode",
    "decode_batch": "decode",
    "dump": "dump_tables",
    "dump_lines": "dump_text",
    "control_batch": "encode",
    "encode_batch": "encode",
    "encode_columns": "encode_any",
    "fsck": "fsck",
    "encode_batches": "gather",
    "BatchHeader": "header",
    "unpack_header": "header",
    "open_partition": "opening",
    "PartitionLog": "partition_log",
    "Record": "record",
    "decode_columns": "scan",
    "FolderStore": "store",
    "MemoryStore": "store",
}
"""Public name → the module of this package it stands in."""

__all__ = list(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'kafkasim.log' has no attribute {name!r}")
    value = getattr(import_module(f"kafkasim.log.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOME)


class _Package(ModuleType):
    """Keeps public names, which a module of the same name would take: `fsck`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
