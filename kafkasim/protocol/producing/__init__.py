"""What a producer does between `send()` and its requests."""
