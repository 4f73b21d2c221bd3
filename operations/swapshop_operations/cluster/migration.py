"""The migration Job of an installed release, as a template for other Jobs."""

import secrets
from typing import Any

import yaml

from swapshop_operations.cluster.client import Cluster


def copy_of_migration(cluster: Cluster, purpose: str) -> dict[str, Any]:
    """Return a copy of the release's migration Job under its own name.

    Args:
        cluster: the release.
        purpose: part of the new name.
    """
    manifest = cluster.helm("get", "manifest", cluster.release)
    job = next(each for each in yaml.safe_load_all(manifest) if _is_migration(each))
    name = cluster.name(f"{purpose}-{secrets.token_hex(4)}")
    job["metadata"] = {"name": name, "labels": job["metadata"]["labels"]}
    return job


def _is_migration(manifest: dict[str, Any] | None) -> bool:
    """Return whether a document of the manifest, which can be empty, is the migration Job."""
    if manifest is None or manifest["kind"] != "Job":
        return False
    return bool(manifest["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate")
