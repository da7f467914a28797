"""`python -m engine`: train, sample and measure from the shell."""

import sys

from engine.shell.main import main

sys.exit(main())
