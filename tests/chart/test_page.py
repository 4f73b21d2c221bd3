"""nginx serves the page with the headers that local mode serves it with."""

import re
import subprocess
from pathlib import Path
from typing import Final

import httpx

from support.cluster.chart import ROOT
from swapshop_local.page import Page, content_security_policy

HEADERS: Final = (ROOT / "web" / "nginx" / "headers.inc").read_text()
SERVER: Final = (ROOT / "web" / "nginx" / "default.conf").read_text()


async def headers_of(path: str, built: Path) -> httpx.Headers:
    """Return the headers that local mode answers a path with."""
    transport = httpx.ASGITransport(Page(built))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as http:
        return (await http.get(path)).headers


async def test_the_document_has_the_same_headers(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    local = await headers_of("/", tmp_path)
    nginx = dict(re.findall(r'^add_header (\S+) "(.*)" always;$', HEADERS, re.MULTILINE))
    assert nginx.pop("Content-Security-Policy") == content_security_policy("$request_id")
    assert len(nginx) == 4
    assert {name: local[name] for name in nginx} == nginx
    assert f'add_header Cache-Control "{local["Cache-Control"]}" always;' in SERVER


async def test_an_asset_is_kept_as_long(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("")
    local = await headers_of("/assets/a.js", tmp_path)
    assert f'add_header Cache-Control "{local["Cache-Control"]}";' in SERVER


def test_an_image_keeps_the_assets_of_the_release_before_it_and_of_no_older_one(
    tmp_path: Path,
) -> None:
    dockerfile = (ROOT / "web" / "Dockerfile").read_text()
    (program,) = re.findall(r"^RUN (if \[ -f .*)$", dockerfile, re.MULTILINE)
    assets = tmp_path / "html" / "assets"
    assets.mkdir(parents=True)
    for name in ("index-old1.js", "index-own2.js", "index-own2.js.gz"):
        (assets / name).write_text("")
    command = ("sh", "-c", program.replace("/usr/share/nginx", str(tmp_path)))
    subprocess.run(command, cwd=assets, check=True)  # noqa: S603 - a line of the Dockerfile
    assert len(list(assets.iterdir())) == 3  # an image without a list is no release
    (tmp_path / "assets.list").write_text("index-own2.js\nindex-own2.js.gz\n")
    for _ in range(2):
        subprocess.run(command, cwd=assets, check=True)  # noqa: S603 - a line of the Dockerfile
        assert {file.name for file in assets.iterdir()} == {"index-own2.js", "index-own2.js.gz"}
