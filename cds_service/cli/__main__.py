"""`python -m cds_service.cli`: the same as `aml-cds`."""

import sys

from cds_service.cli import main

if __name__ == "__main__":
    sys.exit(main())
