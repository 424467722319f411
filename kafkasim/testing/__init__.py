"""For people who add a system or a workload: what the engine is measured by."""
