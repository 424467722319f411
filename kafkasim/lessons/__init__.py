"""What the lessons need beside the simulation: predictions and their reveals.

A prediction is one line in an ordinary cell, `guess = None`, that a learner fills in.
`reveal` compares it with what came out.
"""

from kafkasim.lessons.revealing import Revealed, reveal

__all__ = ["Revealed", "reveal"]
