"""The client's side of consumer groups, for both protocols."""
