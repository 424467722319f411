"""`python -m kafkasim` is the `kafkasim` command."""

import sys

from kafkasim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
