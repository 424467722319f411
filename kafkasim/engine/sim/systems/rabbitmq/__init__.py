"""RabbitMQ in its own words: exchanges, queues, channels, confirms."""
