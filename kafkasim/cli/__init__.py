"""The command line: `kafkasim demo`, `run`, `sweep`, `describe`, `dump`, `fsck`, `lessons`.

A command that runs something reads a scenario file, asks `experiments`, and writes a
folder that is whole or not there at all; `dump` and `fsck` read a partition's files.
"""
