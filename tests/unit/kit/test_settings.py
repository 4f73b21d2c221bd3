"""Settings: read from the environment, refused if invalid, and never shown if secret."""

import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from support.servers.certificates import Authority
from swapshop_kit.http_protocol import HttpLimits
from swapshop_kit.settings import (
    DatabaseSettings,
    HttpUrl,
    ProcessSettings,
    Secret32,
    ServiceSettings,
    split_commas,
)

_DATABASE = "mysql+asyncmy://shop:secret-word@db:3306/swapshop"
_REDIS = "redis://:secret-word@redis:6379/0"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*ServiceSettings.model_fields, *ProcessSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", _DATABASE)
    monkeypatch.setenv("REDIS_URL", _REDIS)
    return monkeypatch


def _read() -> ServiceSettings:
    return ServiceSettings()  # pyright: ignore[reportCallIssue] - the environment has the rest


def test_two_urls_are_enough() -> None:
    settings = _read()

    assert settings.database_url.get_secret_value() == _DATABASE
    assert settings.redis_url.get_secret_value() == _REDIS
    assert (settings.public_port, settings.internal_port, settings.operations_port) == (
        8000,
        8001,
        9000,
    )
    assert (settings.keep_alive_seconds, settings.drain_seconds) == (95, 20)
    assert settings.lame_duck_seconds == 5
    assert settings.http_limits == HttpLimits(
        max_connections=2000,
        max_head_bytes=64 * 1024,
        head_seconds=20,
        window_seconds=20,
        min_bytes_per_second=500,
    )
    assert (settings.log_level, settings.otlp_endpoint, settings.trace_ratio) == (
        "info",
        None,
        0.01,
    )


def test_the_environment_wins_and_an_empty_value_does_not(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("PUBLIC_PORT", "18000")
    environment.setenv("INTERNAL_PORT", "")
    environment.setenv("OTLP_ENDPOINT", "http://collector:4318")
    environment.setenv("LOG_LEVEL", "debug")
    settings = _read()

    assert (settings.public_port, settings.internal_port) == (18000, 8001)
    assert (settings.otlp_endpoint, settings.log_level) == ("http://collector:4318", "debug")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_missing_url_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(ValidationError, match=name.lower()):
        _read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "mysql://shop:hunter2@db/swapshop"),
        ("DATABASE_URL", "postgresql+asyncpg://shop:hunter2@db/swapshop"),
        ("DATABASE_URL", "sqlite:///hunter2.db"),
        ("DATABASE_URL", "mysql+asyncmy://shop:hunter2"),
        ("DATABASE_URL", "mysql+asyncmy://shop:hunter2@db:port/swapshop"),
        ("DATABASE_URL", "mysql+asyncmy://shop:pass@word:hunter2/swapshop"),
        ("DATABASE_URL", "mysql+asyncmy://shop:pass@db:3306hunter2/swapshop"),
        ("REDIS_URL", "hunter2"),
        ("REDIS_URL", "http://:hunter2@redis"),
        ("REDIS_URL", "rediss//:hunter2@redis"),
        ("PUBLIC_PORT", "-1"),
        ("PUBLIC_PORT", "65536"),
        ("PUBLIC_PORT", "http"),
        ("KEEP_ALIVE_SECONDS", "0"),
        ("DRAIN_SECONDS", "301"),
        ("LAME_DUCK_SECONDS", "6"),
        ("MAX_CONNECTIONS", "0"),
        ("HEAD_SECONDS", "0"),
        ("BODY_BYTES_PER_SECOND", "0"),
        ("DATABASE_POOL_SIZE", "0"),
        ("TRACE_RATIO", "1.5"),
        ("LOG_LEVEL", "verbose"),
        ("OTLP_ENDPOINT", "collector:4318"),
        ("OTLP_ENDPOINT", "ftp://collector"),
    ],
)
def test_a_wrong_value_is_refused_by_name_without_being_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(ValidationError) as refused:
        _read()

    told = str(refused.value)
    assert name.lower() in told
    assert "hunter2" not in told
    assert "secret-word" not in told


def _refusal(url: str) -> str:
    try:
        DatabaseSettings(database_url=SecretStr(url))
    except ValidationError as error:
        return str(error)
    return ""


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_no_refusal_quotes_a_piece_of_the_url(rest: str) -> None:
    assert "7391" not in _refusal(f"mysql+asyncmy://shop:{rest}7391@{rest}:7391{rest}/{rest}")


@pytest.mark.parametrize(
    "rest", ["", "/", "/:memory:", "/file::memory:?cache=shared&uri=true", "/file:x?mode=memory"]
)
def test_a_database_in_memory_is_refused(rest: str) -> None:
    assert "must name a file" in _refusal(f"sqlite+aiosqlite://{rest}")


def test_tls_is_off_unless_asked_for_and_then_verifies(environment: pytest.MonkeyPatch) -> None:
    assert _read().database_tls_context() is None

    environment.setenv("DATABASE_TLS", "true")
    context = _read().database_tls_context()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize("content", ["hunter2", None])
def test_a_file_without_certificates_is_refused_by_name(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    environment.setenv("DATABASE_TLS", "true")
    environment.setenv("DATABASE_CA_FILE", str(file))

    with pytest.raises(ValidationError, match="database_ca_file") as refused:
        _read()
    assert "must be a file of certificates in PEM" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_authorities_without_tls_are_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DATABASE_CA_FILE", str(Authority(tmp_path, "ca").file))

    with pytest.raises(ValidationError, match="DATABASE_CA_FILE needs DATABASE_TLS=true"):
        _read()


def test_tls_is_refused_for_sqlite(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_TLS", "true")
    environment.setenv("DATABASE_URL", "sqlite+aiosqlite:///data/shop.db")

    with pytest.raises(ValidationError, match="SQLite has no network"):
        _read()


def test_secrets_are_not_shown() -> None:
    assert "secret-word" not in repr(_read()) + str(_read().model_dump())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        _read().log_level = "debug"


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:///data/shop.db", "sqlite+aiosqlite:////var/shop.db", _DATABASE]
)
def test_the_urls_of_the_databases_are_accepted(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("DATABASE_URL", url)

    assert _read().database_url.get_secret_value() == url


@pytest.mark.parametrize("url", ["rediss://redis/1", "unix:///run/redis.sock"])
def test_the_urls_of_redis_are_accepted(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("REDIS_URL", url)

    assert _read().redis_url.get_secret_value() == url


def test_a_short_secret_is_refused() -> None:
    secret: TypeAdapter[SecretStr] = TypeAdapter(Secret32)

    assert secret.validate_python("x" * 32).get_secret_value() == "x" * 32
    with pytest.raises(ValidationError):
        secret.validate_python("x" * 31)


@pytest.mark.parametrize("url", ["http://a", "https://a:1/b/c", "http://[::1]:80/x"])
def test_http_urls(url: str) -> None:
    assert TypeAdapter(HttpUrl).validate_python(url) == url


@pytest.mark.parametrize(
    "url", ["http://", "http:///x", "http://a?x=1", "http://a b", "http://a\n"]
)
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HttpUrl).validate_python(url)


@pytest.mark.parametrize(
    ("value", "parts"),
    [("", []), ("a", ["a"]), (" a , b,,c ", ["a", "b", "c"]), (["x"], ["x"]), (None, None)],
)
def test_lists_are_split_at_commas(value: object, parts: object) -> None:
    assert split_commas(value) == parts
