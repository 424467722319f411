"""Figures and tables as files: the same data gives the same bytes."""

from kafkasim.export.figures import figure as figure
from kafkasim.export.frames import table as table
