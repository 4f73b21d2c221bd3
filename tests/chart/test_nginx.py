"""A real nginx with the page's own configuration: what it answers to each kind of address."""

import gzip
import json
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Final

import httpx
import pytest

from support.cluster.chart import ROOT
from support.servers.processes import HOST, ChildProcess, answers, find_program, free_port, running

WEB: Final = ROOT / "web"
DOCUMENT: Final = '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__">'
SCRIPT: Final = b"console.log('the page')"
MAIN: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
    types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""
"""In place of the image's: the folders of this test, and one process."""


def write_page(folder: Path) -> None:
    """Write what a build makes: a document, an asset, and what is copied as it is."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(DOCUMENT)
    (folder / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    for file in (WEB / "public").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def write_configuration(folder: Path, port: int) -> None:
    """Write the page's configuration for another folder and a port of loopback."""
    (folder / "conf.d").mkdir()
    changes = {
        "listen 8080": f"listen {HOST}:{port}",
        "/usr/share/nginx/html": str(folder / "html"),
        "/etc/nginx/conf.d": str(folder / "conf.d"),
    }
    for file in (WEB / "nginx").iterdir():
        text = file.read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / "conf.d" / file.name).write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # else it could not read the test's folder
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    """A client of nginx."""
    program = find_program("nginx")
    if program is None:
        pytest.skip("nginx is not installed")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    write_page(folder / "html")
    write_configuration(folder, port)
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    url = f"http://{HOST}:{port}"
    nginx = ChildProcess(command, folder / "nginx.log", lambda: answers(f"{url}/healthz"))
    with running(nginx), httpx.Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api", "/api/orders", "/api/notifications/stream"])
def test_the_api_is_unavailable_here_and_says_when_to_come_back(
    http: httpx.Client, method: str, path: str
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["cache-control"] == "no-store"
    problem = json.loads(answer.text)
    assert problem["status"] == 503
    assert problem["code"] == "service_unavailable"


@pytest.mark.parametrize("path", ["/", "/orders/new", "/index.html"])
def test_every_address_of_the_page_is_its_document_with_a_nonce_of_its_own(
    http: httpx.Client, path: str
) -> None:
    nonces: set[str] = set()
    for _ in range(2):
        answer = http.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        nonce = re.search(r"'nonce-([0-9a-f]{32})'", answer.headers["content-security-policy"])
        assert nonce is not None
        assert f'nonce="{nonce[1]}"' in answer.text
        nonces.add(nonce[1])
    assert len(nonces) == 2


def test_an_asset_comes_compressed_and_may_be_kept_for_ever(http: httpx.Client) -> None:
    answer = http.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert answer.content == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_an_asset_that_is_gone_is_missing_and_its_absence_is_not_kept(http: httpx.Client) -> None:
    answer = http.get("/assets/index-0000.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("path", ["/error.html", "/error.css", "/missing-script.js"])
def test_what_shows_that_a_script_is_missing_is_asked_for_anew(
    http: httpx.Client, path: str
) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.content == (WEB / "public" / path[1:]).read_bytes()
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/error.html", "/assets/index-1a2b.js", "/api", "/gone"])
def test_every_answer_has_the_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")


@pytest.mark.parametrize("path", ["/", "/error.html", "/assets/index-1a2b.js", "/api"])
def test_over_tls_a_browser_is_told_to_stay_there(http: httpx.Client, path: str) -> None:
    over_tls = http.get(path, headers={"X-Forwarded-Proto": "https"})
    assert over_tls.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in http.get(path).headers


def test_the_error_page_needs_no_script() -> None:
    page = (WEB / "public" / "error.html").read_text()
    assert "<script" not in page
    assert set(re.findall(r'(?:href|src)="([^"]+)"', page)) == {"/", "/error.css", "/favicon.svg"}


def test_the_document_loads_the_guard_before_its_own_scripts() -> None:
    scripts = re.findall(r"<script[^>]*src=\"([^\"]+)\"", (WEB / "index.html").read_text())
    assert scripts == ["/missing-script.js", "/src/main.tsx"]


def test_the_api_reference_has_no_script_but_files_of_ours() -> None:
    page = (WEB / "reference.html").read_text()
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts == [
        '<script src="/missing-script.js">',
        '<script type="module" src="/src/reference/main.ts">',
    ]
    assert "http" not in page
