"""The command line: `kafkasim demo`, `run`, `sweep`, `describe`.

Each command reads a scenario file, asks `experiments`, and writes a folder that is
whole or not there at all.
"""
