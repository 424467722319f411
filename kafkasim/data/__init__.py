"""What ships with the package as files: the year's departures from New York.

PROVENANCE.md beside this file says where they come from, under which licence, what was
kept and how the file was made.
"""
