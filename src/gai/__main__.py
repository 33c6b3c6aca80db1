"""python -m gai."""

import sys

from gai.cli.main import main

sys.exit(main())
