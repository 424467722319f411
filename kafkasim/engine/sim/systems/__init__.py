"""Systems that can carry a traffic, each in its own words."""
