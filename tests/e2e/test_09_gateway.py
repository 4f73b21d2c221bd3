"""The same shop through a Gateway: the Ingress is switched off meanwhile."""

import os

import pytest

from support.cluster.customers import Customer, Door
from support.cluster.release import Release
from support.waiting import wait_until

GATEWAY = os.environ.get("E2E_GATEWAY", "traefik")
GATEWAY_NAMESPACE = os.environ.get("E2E_GATEWAY_NAMESPACE", "ingress")


@pytest.mark.timeout(300)
def test_a_gateway_serves_the_shop(release: Release, door: Door) -> None:
    parent = f'gateway.parentRefs=[{{"name":"{GATEWAY}","namespace":"{GATEWAY_NAMESPACE}"}}]'
    release.deploy(
        *("--set", "ingress.enabled=false,gateway.enabled=true,poller.mode=Deployment"),
        *("--set-json", parent),
    )
    assert release.cluster.kubectl("get", "ingress", "--output", "name") == ""
    with door.client() as http:
        wait_until(lambda: http.get("/api/auth/me").status_code == 401, 30)
    customer = Customer(door)
    order_id = customer.placed()
    wait_until(lambda: customer.is_notified(order_id), 30)
    assert customer.http.get("/").status_code == 200
