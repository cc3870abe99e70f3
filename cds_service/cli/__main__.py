"""`python -m cds_service.cli`: the same as `aml-cds`."""

import sys

from cds_service.cli import main

sys.exit(main())
