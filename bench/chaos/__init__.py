"""``make chaos``: what goes wrong with machines, done on purpose to copies of a tiny project; see docs/faults.md.

After every fault the same thing is started again, and what it leaves must be what an undisturbed project has, byte for
byte, with nothing half-written beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))  # the tests' tiny projects and the services that they start
