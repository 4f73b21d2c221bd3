"""Upgrade and rollback under load: nobody notices."""

import threading

import httpx
import pytest

from support.releases import Release
from support.storefront import Customer, Door, traffic, wait_until


def uids(release: Release, *components: str) -> dict[str, set[str]]:
    """Return the pods of components by their uid."""
    return {c: {pod["metadata"]["uid"] for pod in release.pods(c)} for c in components}


def is_gone(release: Release, before: dict[str, set[str]]) -> bool:
    """Tell whether no pod of before is left."""
    after = uids(release, *before)
    return not any(before[component] & after[component] for component in before)


class Stream(threading.Thread):
    """Holds a stream of notifications until the server ends it, and tells how it did.

    Args:
        customer: whose notifications.
    """

    def __init__(self, customer: Customer) -> None:
        super().__init__(daemon=True)
        self.told = "is open"
        self._customer = customer
        self.start()

    def run(self) -> None:
        try:
            path = "/api/notifications/stream"
            with self._customer.http.stream("GET", path, timeout=60) as answer:
                for _ in answer.iter_raw():
                    pass
            self.told = "ended" if answer.status_code == 200 else f"answered {answer.status_code}"
        except httpx.HTTPError as error:
            self.told = f"broke: {error!r}"


@pytest.mark.timeout(600)
def test_an_upgrade_and_a_rollback_fail_no_request(
    release: Release, door: Door, observed: dict[str, float]
) -> None:
    release.deploy()
    stateful = uids(release, "mysql", "redis")
    stream = Stream(Customer(door))
    with traffic(door) as counted:
        wait_until(lambda: counted.requests >= 40, 60)
        before = uids(release, "api", "receiver")
        seconds = release.deploy(
            *(
                "--set",
                "api.settings.CACHE_MODE=off",
                "--set",
                "receiver.settings.STREAMS_PER_USER=9",
            )
        )
        assert is_gone(release, before)
        observed["upgrade under load (s)"] = seconds
        stream.join(60)
        assert stream.told == "ended"
        before = uids(release, "api", "receiver")
        release.cluster.helm("rollback", "swapshop", "--wait", "--timeout", "5m")
        assert is_gone(release, before)
        before = counted.requests
        wait_until(lambda: counted.requests >= before + 40, 60)
    assert counted.failures == []
    observed["requests during upgrade and rollback, none failed"] = counted.requests
    assert uids(release, "mysql", "redis") == stateful
