"""What to run: traffic, systems, events, the scenario of all three, and its plan."""
