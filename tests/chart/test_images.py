"""The Dockerfiles, the chart and skaffold.yaml name the same images, and end without root."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from support.charts import CHART, ROOT, Helm, Manifest, component, containers, pods

DOCKERFILES: Final = {
    "api": ROOT / "services" / "api" / "Dockerfile",
    "receiver": ROOT / "services" / "receiver" / "Dockerfile",
    "poller": ROOT / "services" / "poller" / "Dockerfile",
    "web": ROOT / "web" / "Dockerfile",
}
OTHERS: Final = {
    "mysql:9.7",
    "redis:8",
    "prom/prometheus:v3.5.3",
    "prom/alertmanager:v0.33.1",
    "prom/mysqld-exporter:v0.19.0",
    "oliver006/redis_exporter:v1.86.0",
    "grafana/grafana:11.6.5",
    "grafana/k6:1.1.0",
}
TESTS: Final = ROOT / "tests" / "Dockerfile"
USERS: Final = {
    "api": "10001:10001",
    "receiver": "10001:10001",
    "poller": "10001:10001",
    "web": "101:101",
}


def final_stage(dockerfile: Path) -> str:
    """Return the text from the last FROM on."""
    return dockerfile.read_text().rpartition("\nFROM ")[2]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_runs_as_a_numeric_user(name: str) -> None:
    users = re.findall(r"^USER (.+)$", final_stage(DOCKERFILES[name]), re.MULTILINE)
    assert users == [USERS[name]]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_says_what_it_is(name: str) -> None:
    stage = final_stage(DOCKERFILES[name])
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in stage
    assert f'title="swapshop/{name}"' in stage


@pytest.mark.parametrize("name", ["api", "receiver", "poller"])
def test_the_image_starts_without_a_shell_on_locked_requirements(name: str) -> None:
    text = DOCKERFILES[name].read_text()
    assert f'ENTRYPOINT ["python", "-m", "swapshop_{name}"]' in text
    assert "--require-hashes --only-binary :all:" in text
    assert f"COPY requirements/{name}.txt" in text


def test_the_image_of_the_tests_is_made_like_the_api_s() -> None:
    text, api = TESTS.read_text(), DOCKERFILES["api"].read_text()
    assert f"\nUSER {USERS['api']}\n" in text
    assert "--require-hashes --only-binary :all:" in text
    bases = [set(re.findall(r"^FROM (\S+)", each, re.MULTILINE)) for each in (text, api)]
    assert bases[0] == bases[1]


def test_the_chart_runs_these_images_alone(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        for container in containers(pod):
            image = container["image"]
            repository, _, tag = image.partition(":")
            own = repository.removeprefix("swapshop/")
            assert image in OTHERS or (own in DOCKERFILES and tag), name
            assert container["imagePullPolicy"] == "IfNotPresent"


def test_a_whole_reference_takes_the_place_of_a_tag(helm: Helm) -> None:
    manifests = helm.render({"image.overrides.poller": "r.example.com/p@sha256:00"})
    images = {component(pod): pod["spec"]["containers"][0]["image"] for _, pod in pods(manifests)}
    assert images["poller"] == "r.example.com/p@sha256:00"
    assert images["api"].startswith("swapshop/api:")


def test_skaffold_builds_what_the_chart_runs() -> None:
    (config,) = yaml.safe_load_all((ROOT / "skaffold.yaml").read_text())
    artifacts: list[dict[str, Any]] = config["build"]["artifacts"]
    assert {a["image"]: a["docker"]["dockerfile"] for a in artifacts} == {
        f"swapshop/{name}": str(path.relative_to(ROOT)) for name, path in DOCKERFILES.items()
    }
    assert all(a["context"] == "." for a in artifacts)
    (release,) = config["deploy"]["helm"]["releases"]
    assert ROOT / release["chartPath"] == CHART
    assert release["setValueTemplates"] == {
        f"image.overrides.{name}": f"{{{{.IMAGE_FULLY_QUALIFIED_swapshop_{name}}}}}"
        for name in DOCKERFILES
    }
    assert [profile["name"] for profile in config["profiles"]] == ["dev", "kind"]
    for port in config["portForward"]:
        assert port["resourceName"].removeprefix("swapshop-") in ("api", "web", "receiver")
