"""Consumer groups: what both sides say to each other, and what is kept of it."""
