"""`python -m imagenet_s` is `imagenet-s`."""

import sys

from imagenet_s.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
