"""The plugins of this folder's tests; `run.py test` loads them for all others too."""

pytest_plugins = ("tests.tiers",)
