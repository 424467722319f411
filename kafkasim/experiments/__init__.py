"""Questions that need an engine: one run, a sweep, a comparison, an assignment."""
