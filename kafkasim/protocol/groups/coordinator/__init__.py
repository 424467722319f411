"""The broker's side of consumer groups, for both protocols."""
