"""A real Prometheus takes the exemplars that lead from a graph to a trace."""

import json
from pathlib import Path

import httpx

from support.observability.otlp_collector import collecting
from support.servers.processes import HOST, ChildProcess, answers, find_program, free_port
from support.system.separate_processes import Started, System
from support.waiting import until


def _prometheus(folder: Path, target: str) -> tuple[ChildProcess, str]:
    """A Prometheus that scrapes one target each second, and its base URL."""
    config = folder / "prometheus.yaml"
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "api", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    address = f"{HOST}:{free_port()}"
    command = [
        find_program("prometheus") or "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]
    url = f"http://{address}"
    log = folder / "prometheus.log"
    return ChildProcess(command, log, lambda: answers(f"{url}/-/ready")), url


async def test_prometheus_stores_the_trace_of_a_request(
    http: httpx.AsyncClient, system: System, started: Started, tmp_path: Path
) -> None:
    async with collecting() as collector:
        started.start(system.api(**collector.environment))
        await http.get(f"{system.api_url}/api/auth/me")
        await until(lambda: bool(collector.named("GET /api/auth/me")))
        [span] = collector.named("GET /api/auth/me")
    process, url = _prometheus(tmp_path, system.url("api", 2).removeprefix("http://"))
    started.start(process)
    query = {
        "query": "http_server_request_duration_seconds_bucket{http_route='/api/auth/me'}",
        "start": "0",
        "end": "9999999999",
    }

    async def stored() -> list[dict[str, str]]:
        answer = await http.get(f"{url}/api/v1/query_exemplars", params=query)
        series = answer.raise_for_status().json()["data"]
        return [each["labels"] for one in series for each in one["exemplars"]]

    async def is_stored() -> bool:
        return bool(await stored())

    await until(is_stored)
    assert await stored() == [{"trace_id": span.trace_id, "span_id": span.span_id}]
