"""The folder that local mode keeps its data and its secrets in."""

import base64
import os
import secrets
import shutil
from pathlib import Path

from pydantic import BaseModel

from swapshop_api.signing_keys.domain import create_if_missing


class Secrets(BaseModel):
    """What the parts prove themselves to each other with; made once, and kept."""

    webhook_secret: str
    client_secret: str


class DataFolder:
    """Files under one folder; making it is harmless when it is there.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.signing_keys = path / "signing-keys.json"
        self.valkey = path / "valkey"
        self._secrets = path / "secrets.json"

    def prepare(self) -> Secrets:
        """Make the folder, the signing keys and the secrets where they are missing."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_if_missing(self.signing_keys)
        if not self._secrets.exists():
            made = Secrets(
                webhook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
                client_secret=secrets.token_urlsafe(32),
            )
            descriptor = os.open(self._secrets, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(made.model_dump_json())
        return Secrets.model_validate_json(self._secrets.read_text())

    def sqlite_url(self, schema: str) -> str:
        """Return the URL of a schema's file."""
        return f"sqlite+aiosqlite:///{self.path / schema}.db"

    def forget(self) -> bool:
        """Delete everything; return whether there was anything."""
        found = self.path.exists()
        shutil.rmtree(self.path, ignore_errors=True)
        return found
