"""Behind real proxies: a client cannot imitate what the proxy adds to a request."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from fastapi import FastAPI, Request

from support.servers.kit_server import connected, serving
from support.servers.processes import HOST, ChildProcess, find_program, free_port, running
from support.waiting import until
from swapshop_kit import web

_HAPROXY: Final = """
global
    maxconn 100
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend shop
    bind {host}:{port}
    http-request del-header X-Forwarded-For
    option forwardfor
    default_backend services
backend services
    server one {host}:{backend}
"""
_NGINX: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://{host}:{backend};
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@contextmanager
def _proxy(name: str, folder: Path, backend: int) -> Generator[int]:
    """Run a proxy in front of a loopback port, and yield its port."""
    program = find_program(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # to write to the test's folder
    template = _HAPROXY if name == "haproxy" else _NGINX
    file = folder / f"{name}.conf"
    file.write_text(
        template.format(host=HOST, port=port, backend=backend, folder=folder, user=user).lstrip()
    )
    arguments = ("-db", "-f") if name == "haproxy" else ("-p", str(folder), "-c")
    log = folder / f"{name}.log"
    with running(ChildProcess((program, *arguments, str(file)), log, lambda: True)):
        yield port


def _app() -> FastAPI:
    router = web.router(tag="echo")

    @router.post("/addresses")
    async def addresses(request: Request) -> list[str]:
        await request.body()
        return request.headers.getlist("x-forwarded-for")

    return web.create_app("echo", "1", [router])


async def _is_open(port: int) -> bool:
    try:
        async with connected(port):
            return True
    except ConnectionRefusedError:
        return False


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
async def test_a_trailer_cannot_name_the_clients_address(proxy: str, tmp_path: Path) -> None:
    """HAProxy forwards trailers; our server must not read one as a header."""
    request = (
        "POST /addresses HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 203.0.113.1\r\n"
        "Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n\r\n"
        "2\r\nhi\r\n0\r\nX-Forwarded-For: 203.0.113.2\r\n\r\n"
    )
    async with serving(_app()) as server:
        with _proxy(proxy, tmp_path, server.port) as port:
            await until(lambda: _is_open(port))
            async with connected(port) as wire:
                for _ in range(13):
                    wire.send(request)
                    assert (await wire.head()).startswith("http/1.1 200 ")
                    assert await wire.reader.readuntil(b"]") == b'["127.0.0.1"]'
