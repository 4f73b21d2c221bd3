"""The store tests on the cluster's MySQL: a Job with the image of tests/Dockerfile.

SQLite's runs are left out, since they meet no server. Nothing else is.
"""

import json
import os
import re
from collections.abc import Generator
from typing import Any, Final

import pytest

from support.cluster.release import NAMESPACE, Release
from swapshop_operations.programs import CommandFailed

NAME: Final = "store-tests"
SECONDS: Final = 900
# All tests of the kit that use a database, apart from those that start a server.
KIT: Final = (
    *("cancellation", "clock", "columns", "connections", "keyset"),
    *("migrations", "sessions", "snapshots", "transactions"),
)
TESTS: Final = (
    "tests/integration/api",
    # It sets two private servers against each other.
    "--ignore=tests/integration/api/orders/test_failover.py",
    "tests/integration/receiver",
    *(f"tests/integration/kit/test_{name}.py" for name in KIT),
)
# Most of their time they wait for MySQL's disk, so there are more workers than processors.
OPTIONS: Final = ("-q", "-n", "4", "--dist", "loadfile", "-k", "not sqlite")
OPENING: Final[dict[str, Any]] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": NAME, "namespace": NAMESPACE},
    "spec": {
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/instance": "swapshop",
                "app.kubernetes.io/component": "mysql",
            }
        },
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"podSelector": {"matchLabels": {"job-name": NAME}}}],
                "ports": [{"protocol": "TCP", "port": 3306}],
            }
        ],
    },
}
CONTAINER: Final[dict[str, Any]] = {
    "name": "pytest",
    "image": f"swapshop/tests:{os.environ.get('TAG', 'dev')}",
    "imagePullPolicy": "IfNotPresent",
    "args": [*OPTIONS, *TESTS],
    "env": [
        {
            "name": "PASSWORD",
            "valueFrom": {"secretKeyRef": {"name": "swapshop-database-root", "key": "password"}},
        },
        {"name": "TEST_DATABASE_URL", "value": "mysql://root:$(PASSWORD)@swapshop-mysql:3306"},
        {"name": "REQUIRE_ALL", "value": "1"},
        {"name": "HYPOTHESIS_STORAGE_DIRECTORY", "value": "/tmp/hypothesis"},  # noqa: S108 - the pod's own
    ],
    # Without a request it gets no time while others work.
    "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the pod's own
}
JOB: Final[dict[str, Any]] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": NAME, "namespace": NAMESPACE},
    "spec": {
        "backoffLimit": 0,
        "activeDeadlineSeconds": SECONDS,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [CONTAINER],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }
        },
    },
}


@pytest.fixture
def opened(release: Release) -> Generator[Release]:
    """The release, whose MySQL only the services and the Job's pod can reach."""
    release.cluster.apply(OPENING)
    yield release
    for kind in ("job", "networkpolicy"):
        release.cluster.kubectl("delete", kind, NAME, "--ignore-not-found", "--wait")


@pytest.mark.timeout(SECONDS + 120)
def test_the_store_tests_pass_on_the_clusters_mysql(opened: Release) -> None:
    cluster = opened.cluster
    version = opened.query("database-root", "root", "SELECT VERSION()")
    assert version.startswith("9.7"), version
    cluster.kubectl("create", "--filename", "-", stdin=json.dumps(JOB))
    cluster.kubectl("wait", f"job/{NAME}", "--for=jsonpath={.status.ready}=1", "--timeout=120s")
    told = cluster.kubectl("logs", "--follow", f"job/{NAME}", seconds=SECONDS)
    try:
        cluster.finish_job(NAME, seconds=30)
    except CommandFailed as error:
        pytest.fail(f"{error}\n{told[-8000:]}")
    assert int(re.findall(r"(\d+) passed", told)[-1]) > 300
    assert "skipped" not in told.splitlines()[-1]
