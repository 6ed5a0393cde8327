"""`python -m benchmarks` is `make bench`."""

import sys

from benchmarks.bench import main

sys.exit(main())
