"""``python -m refatomnet``."""

import sys

from refatomnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
