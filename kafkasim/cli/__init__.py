"""The command line: `kafkasim demo`, `run`, `sweep`, `dump` and the others.

A command that runs something reads a scenario file, asks `experiments`, and writes a
folder that is whole or not there at all; `dump` and `fsck` read a partition's files.
"""
