"""The page in chromium, through the Ingress: a customer's journey from registration to sign-out."""

import os
import subprocess

import pytest

from cluster import ROOT
from support.releases import Release
from support.storefront import Door, wait_until


@pytest.mark.timeout(300)
def test_the_customers_journey_through_the_ingress(release: Release, door: Door) -> None:
    release.deploy("--set", "poller.mode=Deployment")
    with door.client() as http:
        wait_until(lambda: http.get("/api/auth/me").status_code == 401, 30)
    shop = {"SHOP_URL": f"http://{door.host}", "SHOP_ADDRESS": door.address}
    done = subprocess.run(
        [ROOT / "web" / "npm", "run", "test:browser", "--", "journey.spec.ts"],
        env={**os.environ, **shop},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout
