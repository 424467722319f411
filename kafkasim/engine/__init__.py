"""How a scenario runs; `engine.sim` does it in simulated time."""
