"""What happened: the schema, its recorder, the result, and its files."""
