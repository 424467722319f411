"""What ships with the package as files: a year's departures from New York, and a font.

PROVENANCE.md beside this file says where they come from, under which licence, what was
kept and how the files were made.
"""
