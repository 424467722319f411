"""A leader as tests begin with it: node 0, of offsets and seconds that are given."""

from kafkasim.protocol.cluster.replica import LeaderState

S = 1_000_000_000
LAG_S = 30


def leader(
    *,
    replicas: tuple[int, ...] = (0, 1, 2),
    isr: tuple[int, ...] = (0, 1, 2),
    log_end: int = 10,
    high_watermark: int = 0,
    epoch_start: int = 0,
    min_isr: int = 1,
    now_s: int = 0,
) -> LeaderState:
    return LeaderState(
        node=0,
        replicas=replicas,
        isr=isr,
        leader_epoch=3,
        partition_epoch=7,
        epoch_start=epoch_start,
        log_end=log_end,
        high_watermark=high_watermark,
        min_isr=min_isr,
        lag_max_ns=LAG_S * S,
        now_ns=now_s * S,
    )
