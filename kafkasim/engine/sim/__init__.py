"""The simulation: a calendar, hosts and their network, clients and systems."""
