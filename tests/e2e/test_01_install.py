"""From nothing to a notified order."""

import json
import re

import pytest

from support.cluster.customers import SCRIPT, Customer, Door
from support.cluster.release import NAMESPACE, VALUES, Release
from support.waiting import wait_until
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import CommandFailed, find_program, run
from swapshop_operations.repository import CHART

PODS = {"api": 2, "receiver": 2, "web": 1, "mysql": 1, "redis": 1}
EXAMPLES = sorted((CHART / "examples").glob("*[!d].yaml"))


@pytest.mark.parametrize("values", [VALUES, *EXAMPLES], ids=lambda path: path.stem)
def test_the_api_server_accepts_every_manifest_without_a_warning(
    cluster: Cluster, values: object
) -> None:
    options = (
        "--values",
        str(values),
        "--set",
        "secrets.generate=false,backup.enabled=true,backup.existingClaim=backups",
        "--set",
        "backup.restoreFile=swapshop-1.sql.gz",
    )
    manifests = cluster.helm("template", "dry", str(CHART), "--no-hooks", *options)
    # without a namespace: each object names its own
    accepted = run(
        find_program("kubectl"),
        *("apply", "--dry-run=server", "--warnings-as-errors", "--filename", "-"),
        stdin=manifests,
    )
    assert len(accepted.splitlines()) == manifests.count("\nkind: ")


@pytest.mark.timeout(420)
def test_everything_is_ready_within_three_minutes(
    release: Release, observed: dict[str, float]
) -> None:
    installed = observed["install, until all is ready (s)"]
    # helm waits for one pod of the api, which the autoscaler then makes two
    left = 180 - installed
    seconds = wait_until(lambda: {name: release.ready(name) for name in PODS} == PODS, left)
    observed["install, until all is ready (s)"] = installed + seconds


def test_an_order_is_notified_within_70_s_by_the_cron_job(
    customer: Customer, observed: dict[str, float]
) -> None:
    answer = customer.place()
    assert (answer.status_code, answer.json()["estado"]) == (201, "PENDING")
    order_id = answer.json()["id"]
    assert order_id in customer.orders()
    seconds = wait_until(lambda: customer.is_notified(order_id), 70)
    observed["order to notification, CronJob (s)"] = seconds
    assert customer.read(order_id).json()["estado"] == "PROCESSED"
    assert customer.notified() == [order_id]


def test_the_operator_of_the_values_signs_in(release: Release, door: Door) -> None:
    password = release.cluster.secret("swapshop-operator")["password"]
    account = {"email": "operator@swapshop.test", "password": password}
    with door.client() as http:
        answer = http.post("/api/auth/login", json=account)
        assert answer.json()["user"]["rol"] == "operator"
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert http.get("/api/pipeline", headers=bearer).status_code == 200


@pytest.mark.timeout(240)
def test_helms_own_test_passes(release: Release) -> None:
    told = release.cluster.helm("test", "swapshop", "--logs", "--timeout", "4m")
    assert "notified after" in told


def test_the_page_is_served_with_the_nonce_of_its_own_policy(release: Release, door: Door) -> None:
    assert release
    with door.client() as http:
        pages = [http.get(path) for path in ("/", "/", "/orders")]
        script = SCRIPT.findall(pages[0].text)[0]
        asset = http.get(script, headers={"Accept-Encoding": "gzip"})
        missing = http.get("/assets/missing.js")
    nonces: list[str] = []
    for page in pages:
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        (nonce,) = re.findall(r"'nonce-([0-9a-f]{32})'", page.headers["content-security-policy"])
        assert f'nonce="{nonce}"' in page.text
        nonces.append(nonce)
    assert len(set(nonces)) == 3
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-encoding"] == "gzip"
    assert missing.status_code == 404


def test_the_namespace_refuses_a_pod_that_is_not_restricted(cluster: Cluster) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "unrestricted", "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "any", "image": "swapshop/api:dev"}]},
    }
    with pytest.raises(CommandFailed, match='violates PodSecurity "restricted'):
        cluster.kubectl("apply", "--dry-run=server", "--filename", "-", stdin=json.dumps(pod))
