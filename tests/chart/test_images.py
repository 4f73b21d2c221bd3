"""The Dockerfiles, the chart and skaffold.yaml name the same images, and end without root."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from support.cluster.chart import CHART, ROOT, Helm, Manifest, component, containers, pods

SERVICES: Final = ("api", "receiver", "poller")
DOCKERFILES: Final = {
    **dict.fromkeys(SERVICES, ROOT / "services" / "Dockerfile"),
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

STARTS: Final[dict[str, tuple[list[str], list[str]]]] = {
    "api": (["python", "-m", "swapshop_api"], ["serve"]),
    "receiver": (["python", "-m", "swapshop_receiver"], ["serve"]),
    "poller": (["python", "-m", "swapshop_poller"], ["loop"]),
    "web": (["nginx", "-g", "daemon off;"], []),
}
"""Program and arguments of each image."""


def stages(dockerfile: Path) -> dict[str, list[str]]:
    """Return base and instructions of each stage by its name; the last one's is empty."""
    found: dict[str, list[str]] = {}
    for stage in dockerfile.read_text().split("\nFROM ")[1:]:
        base, _, name = stage.partition("\n")[0].partition(" AS ")
        found[name] = [base, stage.partition("\n")[2]]
    return found


def final_stage(name: str) -> str:
    """Return what makes an image, without the stages it only copies from."""
    found = stages(DOCKERFILES[name])
    base, text = found[""]
    base = base.replace("$SERVICE", name)
    while base in found:
        base, above = found[base]
        text = above + text
    return text.replace("$SERVICE", name)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_runs_as_a_numeric_user(name: str) -> None:
    users = re.findall(r"^USER (.+)$", final_stage(name), re.MULTILINE)
    assert users == [USERS[name]]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_says_what_it_is(name: str) -> None:
    stage = final_stage(name)
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in stage
    assert f'title="swapshop/{name}"' in stage


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_starts_without_a_shell(name: str) -> None:
    stage = final_stage(name)
    program, arguments = re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", stage, re.MULTILINE)
    assert (json.loads(program), json.loads(arguments)) == STARTS[name]


@pytest.mark.parametrize("name", SERVICES)
def test_the_image_has_locked_requirements(name: str) -> None:
    text = DOCKERFILES[name].read_text().replace("$SERVICE", name)
    assert "--require-hashes --only-binary :all:" in text
    assert f"COPY requirements/{name}.txt" in text


def test_the_image_of_the_tests_is_made_like_the_api_s() -> None:
    text, api = TESTS.read_text(), DOCKERFILES["api"].read_text()
    assert f"\nUSER {USERS['api']}\n" in text
    assert "--require-hashes --only-binary :all:" in text
    bases = [set(re.findall(r"^FROM (docker\.io/\S+)", each, re.MULTILINE)) for each in (text, api)]
    assert bases[0] == bases[1]


def test_the_chart_runs_these_images_alone(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        for container in containers(pod):
            image = container["image"]
            repository, _, tag = image.partition(":")
            own = repository.removeprefix("swapshop/")
            assert image in OTHERS or (own in DOCKERFILES and tag), name
            assert container["imagePullPolicy"] == "IfNotPresent"


def builds(**environment: str) -> list[list[str]]:
    """Return image, service, version and revision of each build that `./task images` asks for."""
    task = Path(sys.executable).with_name("task")
    done = subprocess.run(  # noqa: S603 - our own tasks
        [
            task,
            "images",
            'IMAGE_BUILD=echo "= $IMAGE $SERVICE $VERSION $REVISION"',
            "IMAGE_LOAD=true",
        ],
        cwd=ROOT,
        env={**os.environ, "TAG": "a-tag", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("= ")]


def test_a_build_is_told_the_version_and_the_revision() -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    command = [shutil.which("git") or "git", "rev-parse", "--verify", "--quiet", "HEAD"]
    head = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed words
    revision = head.strip() or "unknown"
    assert builds() == [[f"swapshop/{name}:a-tag", name, version, revision] for name in DOCKERFILES]


def test_outside_of_git_the_revision_is_unknown(tmp_path: Path) -> None:
    assert {revision for *_, revision in builds(GIT_DIR=str(tmp_path))} == {"unknown"}


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
    services = [a["docker"]["buildArgs"]["SERVICE"] for a in artifacts if "web" not in a["image"]]
    assert services == list(SERVICES)
    (release,) = config["deploy"]["helm"]["releases"]
    assert ROOT / release["chartPath"] == CHART
    assert release["setValueTemplates"] == {
        f"image.overrides.{name}": f"{{{{.IMAGE_FULLY_QUALIFIED_swapshop_{name}}}}}"
        for name in DOCKERFILES
    }
    assert [profile["name"] for profile in config["profiles"]] == ["dev", "kind"]
    for port in config["portForward"]:
        assert port["resourceName"].removeprefix("swapshop-") in ("api", "web", "receiver")
