"""The plugins of all tests; `run.py test` loads them for doctests and notebooks too."""

pytest_plugins = ("tests.tiers", "tests.areas")
