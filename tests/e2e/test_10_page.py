"""The page in chromium, through the Ingress: a customer's journey, and a script that is missing."""

import os
import subprocess

import pytest

from support.cluster.customers import Door
from support.cluster.release import Release
from support.waiting import wait_until
from swapshop_operations.repository import ROOT


@pytest.mark.timeout(300)
def test_the_page_in_a_browser_through_the_ingress(release: Release, door: Door) -> None:
    release.deploy("--set", "poller.mode=Deployment")
    wait_until(lambda: release.is_settled("api"), 60, every=1)
    with door.client() as http:
        wait_until(lambda: http.get("/api/auth/me").status_code == 401, 30)
    shop = {"SHOP_URL": door.origin, "SHOP_ADDRESS": door.address}
    done = subprocess.run(
        [
            ROOT / "web" / "npm",
            "run",
            "test:browser",
            "--",
            "journey.spec.ts",
            "missing-script.spec.ts",
        ],
        env={**os.environ, **shop},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "6 passed" in done.stdout
