"""The file of the keys that sign access tokens: read strictly, written atomically."""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
)

from swapshop_kit.ids import new_id
from swapshop_kit.times import to_rfc3339

_Timestamp = Annotated[AwareDatetime, PlainSerializer(to_rfc3339, return_type=str)]


class SigningKeysError(Exception):
    """The file of signing keys cannot be used; the message is one line."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"signing keys file {path}: {reason}")


class SigningKey(BaseModel):
    """One key of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kid: Annotated[str, Field(min_length=1, max_length=64)]
    private: SecretStr
    """The 32 bytes of an Ed25519 private key, base64url without padding: ``d`` of RFC 8037 §2."""
    published_at: _Timestamp
    signs_from: _Timestamp

    @field_validator("private")
    @classmethod
    def _check_private(cls, value: SecretStr) -> SecretStr:
        try:
            is_key = len(_from_base64url(value.get_secret_value())) == 32
        except (binascii.Error, ValueError):
            is_key = False
        if not is_key:
            raise ValueError("must be 32 bytes in base64url")
        return value

    @field_serializer("private")
    def _write_private(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @classmethod
    def generate(cls, published_at: datetime, signs_from: datetime) -> "SigningKey":
        """Generate a key."""
        return cls(
            kid=new_id(),
            private=SecretStr(_to_base64url(Ed25519PrivateKey.generate().private_bytes_raw())),
            published_at=published_at,
            signs_from=signs_from,
        )

    @cached_property
    def private_key(self) -> Ed25519PrivateKey:
        """The private key as an object."""
        raw = _from_base64url(self.private.get_secret_value())
        return Ed25519PrivateKey.from_private_bytes(raw)

    def public_jwk(self) -> dict[str, Any]:
        """Return the public half as a JWK (RFC 8037 §2)."""
        raw = self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _to_base64url(raw),
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
        }


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    keys: Annotated[list[SigningKey], Field(min_length=1)]

    @field_validator("keys")
    @classmethod
    def _sort(cls, keys: list[SigningKey]) -> list[SigningKey]:
        if len({key.kid for key in keys}) != len(keys):
            raise ValueError("two keys have the same kid")
        return sorted(keys, key=lambda key: key.signs_from)


def read_keys(path: Path) -> list[SigningKey]:
    """Return the keys of a file in the order in which they sign.

    Raises:
        SigningKeysError: the file is missing or invalid.
    """
    try:
        return _Document.model_validate_json(path.read_bytes()).keys
    except OSError as error:
        raise SigningKeysError(path, (error.strerror or "cannot be read").lower()) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise SigningKeysError(path, reason) from error


def write_keys(path: Path, keys: Sequence[SigningKey], *, replace: bool) -> bool:
    """Write a file that only its owner can read (mode 0600), atomically.

    Args:
        path: of the file, in a folder that exists.
        keys: at least one.
        replace: False leaves an existing file, even one that another process creates meanwhile.

    Returns:
        False if an existing file was left as it is.

    Raises:
        SigningKeysError: the folder cannot be written to.
    """
    document = _Document(keys=list(keys)).model_dump_json(indent=2) + "\n"
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            return _put_in_place(temporary, path, replace=replace)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SigningKeysError(path, (error.strerror or "cannot be written").lower()) from error


def _put_in_place(temporary: Path, path: Path, *, replace: bool) -> bool:
    if replace:
        temporary.replace(path)
        return True
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    return True


def at_seconds(seconds: float) -> datetime:
    """Return the time of a clock in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def _to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    padded = text.encode() + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
