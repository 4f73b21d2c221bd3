"""Data outlives pods, mistakes and the release itself."""

import subprocess
import sys

import pytest

from support.cluster.customers import Customer
from support.cluster.release import NAMESPACE, VALUES, Release
from support.waiting import wait_until
from swapshop_operations.cluster.rotation import DATABASE_USERS
from swapshop_operations.programs import CommandFailed


def operate(*command: str, exit_code: int = 0) -> str:
    """Run the command of `./task rotate` and `./task restore`, and return its output."""
    program = (sys.executable, "-m", "swapshop_operations.cluster", "--namespace", NAMESPACE)
    done = subprocess.run(
        [*program, *command], capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == exit_code, done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(600)
def test_a_backup_brings_back_what_was_dropped(
    release: Release, customer: Customer, observed: dict[str, float]
) -> None:
    cluster = release.cluster
    for _ in range(3):
        customer.placed()
    before = customer.orders()
    cluster.kubectl("create", "job", "backup-now", "--from=cronjob/swapshop-backup")
    cluster.finish_job("backup-now", 120)
    told = cluster.kubectl("logs", "job/backup-now")
    (file,) = [line.split()[0] for line in told.splitlines() if line.endswith("is whole")]
    customer.placed()
    release.query("database-root", "root", "DROP DATABASE swapshop; DROP DATABASE notifications")
    begin = wait_until(lambda: customer.http.get("/api/orders").status_code >= 500, 30)
    assert begin >= 0
    operate("restore", file)
    wait_until(lambda: customer.http.get("/api/orders").status_code == 200, 60)
    after = customer.orders()
    assert set(after) == set(before)
    order_id = customer.placed()
    seconds = wait_until(lambda: customer.is_notified(order_id), 120)
    observed["after a restore, order to notification (s)"] = seconds


@pytest.mark.timeout(600)
def test_a_dump_that_is_not_there_stops_nothing(release: Release, customer: Customer) -> None:
    before = {pod["metadata"]["uid"] for pod in release.pods("api")}
    told = operate("restore", "swapshop-20010101T000000Z.sql.gz", exit_code=1)
    assert "swapshop-20010101T000000Z.sql.gz is not among the backups" in told
    assert before & {pod["metadata"]["uid"] for pod in release.pods("api")}
    assert not release.cluster.has("job", "restore-check")
    customer.placed()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("secret", ["webhook", "poller-client", "signing-keys"])
def test_a_secret_is_rotated_and_orders_go_on(
    release: Release, customer: Customer, secret: str
) -> None:
    assert release
    operate(secret)
    order_id = customer.placed()
    wait_until(lambda: customer.is_notified(order_id), 120)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("user", [user for user in DATABASE_USERS if user != "monitor"])
def test_a_databases_password_is_rotated_and_orders_go_on(
    release: Release, customer: Customer, user: str
) -> None:
    secret, account, _ = DATABASE_USERS[user]
    former = release.cluster.secret(f"swapshop-{secret}")["password"]
    operate("database", user)
    assert release.query(secret, account, "SELECT 1").strip() == "1"
    with pytest.raises(CommandFailed, match="Access denied"):
        release.query(secret, account, "SELECT 1", password=former)
    order_id = customer.placed()
    wait_until(lambda: customer.is_notified(order_id), 120)


@pytest.mark.timeout(600)
def test_a_reinstall_finds_its_data(release: Release, customer: Customer) -> None:
    order_id = customer.placed()
    release.cluster.helm("uninstall", "swapshop", "--wait", "--timeout", "5m")
    release.deploy(values=VALUES)
    wait_until(lambda: customer.http.get("/api/auth/me").status_code in (200, 401), 60)
    customer.sign_in()
    assert order_id in customer.orders()
