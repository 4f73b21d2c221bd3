"""Where the repository keeps what the operating tools read and write.

The package is installed in editable mode: it works on the repository that it lies in.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "swapshop"
OBSERVABILITY: Final = ROOT / "observability"
"""Folder of the objectives, alerts and metrics in YAML."""
SCRIPTS: Final = ROOT / "k6"
"""Folder of the load tests' scripts."""
