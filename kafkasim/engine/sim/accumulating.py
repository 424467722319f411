"""Which accumulator a producer has, and what it takes from its configuration."""

from collections.abc import Sequence

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.protocol.producing.accumulator import Settings
from kafkasim.protocol.producing.buffer_pool import HandOver
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.columns import Keeper, RecordBlocks
from kafkasim.protocol.producing.compressing import CompressingAccumulator
from kafkasim.protocol.producing.compression import Compression
from kafkasim.protocol.producing.keyed import KeyedAccumulator
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.sticky import StickyAccumulator
from kafkasim.units import ns_from_ms


def accumulator_of(
    settings: Settings,
    blocks: RecordBlocks,
    draws: Draws,
    keeper: Keeper | None,
    hand_over: HandOver | None,
    *,
    by_record: bool,
) -> CarefulAccumulator:
    """Return the accumulator that looks at records as closely as it must."""
    if settings.compression is not None:
        return CompressingAccumulator(settings, blocks, draws, keeper, hand_over)
    if by_record:
        return StickyAccumulator(settings, blocks, draws, keeper, hand_over)
    return KeyedAccumulator(settings, blocks, keeper)


def settings_of(
    source_index: int,
    config: ProducerConfig,
    leaders: Sequence[int],
    node_count: int,
    placing: Placing,
) -> Settings:
    """Return what the accumulator takes from a producer's configuration, resolved."""
    return Settings(
        source_index=source_index,
        batch_size=max(1, config.batch_size),
        linger_ns=ns_from_ms(config.linger_ms),
        max_request_size=config.max_request_size,
        leaders=tuple(leaders),
        node_count=node_count,
        adaptive=config.partitioner_adaptive_partitioning_enable,
        availability_ns=ns_from_ms(config.partitioner_availability_timeout_ms),
        buffer_memory=config.buffer_memory,
        compression=None if placing.ratios is None else Compression(placing.ratios),
        max_block_ns=ns_from_ms(config.max_block_ms),
    )
