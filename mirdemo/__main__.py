import sys

from mirdemo.cli import main

sys.exit(main())
