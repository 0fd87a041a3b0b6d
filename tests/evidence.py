"""Where the evidence lies, for whoever holds it: coordinates and texts to check against."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = Path(os.environ.get("NANKAI_GIS_EVIDENCE", ROOT.parent / "shared" / "evidence"))
