"""Make ``python -m gigafleet`` the command line."""

import sys

from gigafleet.cli import main

if __name__ == "__main__":
    sys.exit(main())
