"""Three Kafka clients, each reading a whole partition as records.

librdkafka by way of confluent-kafka, aiokafka, and kafka-python: three implementations
of the protocol and of the record format.
"""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

from kafkasim.log.record import Record

GIVE_UP_S = 30

READ_COMMITTED, READ_UNCOMMITTED = "read_committed", "read_uncommitted"


def librdkafka(
    address: str, topic: str, isolation: str, start: int = 0
) -> list[Record]:
    """Return what confluent-kafka reads from an offset to the end of partition 0."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition

    settings = {
        "bootstrap.servers": address,
        "broker.address.family": "v4",
        "group.id": "no group",
        "enable.auto.commit": False,
        "isolation.level": isolation,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "check.crcs": True,
        "fetch.wait.max.ms": 10,
    }
    consumer = Consumer(settings)
    records: list[Record] = []
    try:
        consumer.assign([TopicPartition(topic, 0, start)])
        while (message := consumer.poll(GIVE_UP_S)) is not None:
            if (error := message.error()) is None:
                headers: Any = message.headers() or ()
                one = (message.timestamp()[1], message.key(), message.value())
                records.append(Record(*one, tuple(headers), message.offset() or 0))
            elif error.code() == KafkaError._PARTITION_EOF:
                return records
            else:
                raise RuntimeError(str(error))
        raise TimeoutError
    finally:
        consumer.close()


def aiokafka(address: str, topic: str, isolation: str, start: int = 0) -> list[Record]:
    """Return what aiokafka reads from an offset to the end of partition 0."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    async def read() -> list[Record]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=address,
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=10,
        )
        partition = TopicPartition(topic, 0)
        await consumer.start()
        try:
            consumer.assign([partition])
            (end,) = (await consumer.end_offsets([partition])).values()
            consumer.seek(partition, start)
            records: list[Record] = []
            while await consumer.position(partition) < end:
                for batch in (await consumer.getmany(timeout_ms=50)).values():
                    records += [
                        Record(m.timestamp, m.key, m.value, tuple(m.headers), m.offset)
                        for m in batch
                    ]
            return records
        finally:
            await consumer.stop()

    return asyncio.run(asyncio.wait_for(read(), GIVE_UP_S))


def kafka_python(
    address: str, topic: str, isolation: str, start: int = 0
) -> list[Record]:
    """Return what kafka-python reads from an offset to the end of partition 0."""
    with warnings.catch_warnings():  # of what it uses of the standard library
        warnings.simplefilter("ignore", DeprecationWarning)
        from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=address,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=10,
    )
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        (end,) = consumer.end_offsets([partition]).values()
        consumer.seek(partition, start)
        records: list[Record] = []
        while consumer.position(partition) < end:
            for batch in consumer.poll(timeout_ms=50).values():
                records += [
                    Record(m.timestamp, m.key, m.value, tuple(m.headers), m.offset)
                    for m in batch
                ]
        return records
    finally:
        consumer.close()


Client = Callable[..., list[Record]]
CLIENTS: dict[str, Client] = {
    "librdkafka": librdkafka,
    "aiokafka": aiokafka,
    "kafka-python": kafka_python,
}
