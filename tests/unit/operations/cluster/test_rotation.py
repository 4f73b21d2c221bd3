"""Rotation: in which order, and what is refused before anything has changed."""

import pytest

from support.cluster.fake_release import FakeRelease
from swapshop_operations.cluster.rotation import DATABASE_USERS, Rotation
from swapshop_operations.programs import CommandFailed


def rotate(rotation: Rotation, purpose: str) -> None:
    """Rotate as the command line does."""
    match purpose:
        case "webhook":
            rotation.rotate_shared("webhook", "whsec_bmV3", "receiver")
        case "poller-client":
            rotation.rotate_shared("poller-client", "new", "api")
        case "signing-keys":
            rotation.rotate_signing_keys()
        case user:
            rotation.rotate_database(user)


def test_the_verifier_accepts_the_new_value_before_anybody_presents_it() -> None:
    release = FakeRelease()
    rotate(Rotation(release), "webhook")
    assert release.events == [
        "changed shop-swapshop-webhook: previous",
        "rollout deployment/shop-swapshop-receiver",
        "changed shop-swapshop-webhook: secret, previous",
        "rollout deployment/shop-swapshop-poller",
    ]


@pytest.mark.parametrize(
    ("user", "restarted"),
    [
        ("api", ["rollout deployment/shop-swapshop-api"]),
        ("api-ddl", []),
        ("exporter", ["rollout deployment/shop-swapshop-exporter"]),
        ("monitor", ["rollout statefulset/shop-swapshop-mysql"]),
    ],
)
def test_the_former_password_is_discarded_once_every_pod_has_the_new_one(
    user: str, restarted: list[str]
) -> None:
    release = FakeRelease()
    rotate(Rotation(release), user)
    changed, started, deleted, *last = release.events
    assert changed == f"changed shop-swapshop-database-{user}: password"
    assert started.startswith("started shop-swapshop-rotate-")
    assert deleted.startswith("deleted shop-swapshop-rotate-")
    assert last == [*restarted, "exec statefulset/shop-swapshop-mysql"]


@pytest.mark.parametrize("user", DATABASE_USERS)
def test_a_password_of_an_external_mysql_is_refused_before_the_secret_changes(user: str) -> None:
    release = FakeRelease(missing=frozenset({"statefulset/mysql"}))
    with pytest.raises(CommandFailed, match="shop has no MySQL of its own"):
        rotate(Rotation(release), user)
    assert release.events == []


@pytest.mark.parametrize(
    ("purpose", "value"),
    [
        ("webhook", "webhook"),
        ("poller-client", "pollerClient"),
        ("signing-keys", "signingKeys"),
        ("receiver-ddl", "databaseReceiverDdl"),
        ("monitor", "databaseMonitor"),
    ],
)
def test_a_secret_that_somebody_else_keeps_is_refused(purpose: str, value: str) -> None:
    release = FakeRelease({"secrets": {value: {"existingSecret": "vault"}}})
    with pytest.raises(CommandFailed, match=rf"is vault, by secrets\.{value}\.existingSecret"):
        rotate(Rotation(release), purpose)
    assert release.events == []


def test_a_secret_that_the_release_has_not_is_refused() -> None:
    release = FakeRelease(missing=frozenset({"secret/database-monitor"}))
    with pytest.raises(CommandFailed, match="shop has no Secret shop-swapshop-database-monitor"):
        rotate(Rotation(release), "monitor")
    assert release.events == []
