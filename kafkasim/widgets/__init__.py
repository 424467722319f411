"""Explorers for notebooks: move a control, see what changes.

Each shows one figure that is drawn once and updated, with alternative text, and holds
the scenario it shows: what can be clicked together can be written down and run again.
ipywidgets is imported when the first explorer is made.
"""

from kafkasim.widgets.batching_explorer import BatchingExplorer
from kafkasim.widgets.channel import ChannelExplorer
from kafkasim.widgets.group_explorer import GroupExplorer
from kafkasim.widgets.log_explorer import LogExplorer
from kafkasim.widgets.offset_explorer import OffsetExplorer
from kafkasim.widgets.partition import PartitionExplorer, partitions
from kafkasim.widgets.queue_explorer import QueueOrLogExplorer
from kafkasim.widgets.replication_explorer import ReplicationExplorer
from kafkasim.widgets.topology_explorer import TopologyExplorer

__all__ = [
    "BatchingExplorer",
    "ChannelExplorer",
    "GroupExplorer",
    "LogExplorer",
    "OffsetExplorer",
    "PartitionExplorer",
    "QueueOrLogExplorer",
    "ReplicationExplorer",
    "TopologyExplorer",
    "partitions",
]
