"""`nova-compute` with the driver beside this file. Runs in Nova's environment."""

import sys
from pathlib import Path

from nova.cmd.compute import main  # first: it says how threads are made

import nova.virt  # isort: skip

nova.virt.__path__.append(str(Path(__file__).parent))  # drivers are found below nova.virt only
sys.exit(main())
