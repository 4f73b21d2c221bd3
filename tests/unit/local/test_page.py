"""What the page's files are served with, and what is there before they are built."""

import re
from pathlib import Path

import httpx
import pytest

from support.servers.uvicorn_server import running
from swapshop_local.page import Page
from swapshop_local.stack import OnePort, refusing_other_hosts

DOCUMENT = '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__">'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / ".vite").mkdir()
    (folder / "index.html").write_text(DOCUMENT)
    (folder / "assets" / "index-1a2b.js").write_text("1")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / ".vite" / "manifest.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    return folder


async def get(page: Page, path: str, method: str = "GET") -> httpx.Response:
    async with running(page) as url, httpx.AsyncClient(base_url=url) as client:
        return await client.request(method, path)


@pytest.mark.parametrize("path", ["/", "/orders/new", "/index.html", "/.vite/manifest.json"])
async def test_every_path_of_the_page_is_its_document(built: Path, path: str) -> None:
    answer = await get(Page(built), path)
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")
    assert answer.headers["cache-control"] == "no-store"


async def test_each_document_has_a_nonce_of_its_own_in_a_policy_without_inline(
    built: Path,
) -> None:
    nonces: set[str] = set()
    for _ in range(2):
        answer = await get(Page(built), "/")
        policy = answer.headers["content-security-policy"]
        nonce = re.search(r"'nonce-([\w-]{20,})'", policy)
        assert nonce is not None
        assert f'nonce="{nonce[1]}"' in answer.text
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        nonces.add(nonce[1])
    assert len(nonces) == 2


async def test_hashed_assets_may_be_kept_for_ever_and_other_files_may_not(built: Path) -> None:
    asset = await get(Page(built), "/assets/index-1a2b.js")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["x-content-type-options"] == "nosniff"
    icon = await get(Page(built), "/favicon.svg")
    assert (icon.text, icon.headers["cache-control"]) == ("<svg/>", "no-cache")


async def test_an_asset_of_an_earlier_build_is_missing_rather_than_the_document(
    built: Path,
) -> None:
    assert (await get(Page(built), "/assets/index-0000.js")).status_code == 404


@pytest.mark.parametrize("path", ["/..%2fsecret", "/assets/..%2f..%2fsecret", "/%2e%2e/secret"])
async def test_nothing_outside_the_build_is_served(built: Path, path: str) -> None:
    assert "secret" not in (await get(Page(built), path)).text


async def test_only_reading_is_allowed(built: Path) -> None:
    answer = await get(Page(built), "/", "POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_without_a_build_the_document_tells_how_to_make_one(tmp_path: Path) -> None:
    answer = await get(Page(tmp_path / "missing"), "/")
    assert answer.status_code == 503
    assert "./task web:build" in answer.text


@pytest.mark.parametrize(
    ("path", "app"),
    [
        ("/", "page"),
        ("/orders", "page"),
        ("/apiary", "page"),
        ("/api/orders", "api"),
        ("/internal/dispatch/leases", "api"),
        ("/readyz", "api"),
        ("/api/notifications", "receiver"),
        ("/api/notifications/stream", "receiver"),
        ("/webhooks/order-ready", "receiver"),
    ],
)
async def test_one_port_divides_paths_as_the_ingress_does(
    tmp_path: Path, path: str, app: str
) -> None:
    folders = {name: tmp_path / name for name in ("api", "receiver", "page")}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / "index.html").write_text(name)
    port = OnePort(*(Page(folders[name]) for name in ("api", "receiver", "page")))
    async with running(port) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get(path)).text == app


async def test_every_file_has_the_policy_of_the_page(built: Path) -> None:
    """A file can be a document of its own, as the API reference is."""
    answer = await get(Page(built), "/favicon.svg")

    assert answer.headers["content-security-policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("localhost", 200),
        ("evil.example", 400),
        ("evil.example:8080", 400),
        ("127.0.0.1.evil.example", 400),
        ("10.0.0.1", 400),
        ("", 400),
    ],
)
async def test_only_this_machines_own_names_are_answered(
    built: Path, host: str, status: int
) -> None:
    """A page of another site could have its own name resolved to this machine."""
    app = refusing_other_hosts(Page(built))
    async with running(app) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/", headers={"Host": host})

    assert answer.status_code == status
