"""Helm 3 makes of the chart just what Helm 4 does, and refuses what that refuses."""

from pathlib import Path
from typing import Any

import pytest

from support.cluster.chart import ChartRefusedError, Helm, find_helm


@pytest.fixture(scope="module")
def helm_3() -> Helm:
    """The one that `./task` installs as helm3."""
    program = find_helm("helm3")
    if program is None:
        pytest.skip("helm3 is neither beside Python nor on the PATH")
    return Helm(program)


def test_it_renders_the_same(
    helm: Helm, helm_3: Helm, way: tuple[dict[str, Any], list[Path]]
) -> None:
    values, files = way
    assert helm_3.template(values, files=files) == helm.template(values, files=files)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"api.autoscalling": {}}, "autoscalling"),
        ({"poller.mode": "Always"}, "mode"),
        ({"ingress.host": "shop.example.com"}, "passwords would cross the network"),
        ({"trustedProxies": ["999.1.1.1/999"]}, "trustedProxies"),
        ({"operator.email": "x@y"}, "email"),
        ({"poller.schedule": "a b c d e"}, "schedule"),
        ({"networkPolicy.dns": []}, "dns"),
        ({"poller.settings.RUN_SECONDS": 300}, "are 320 together"),
    ],
    ids=[
        "typo",
        "nonsense",
        "danger",
        "network",
        "e-mail",
        "schedule",
        "everybody",
        "deadline",
    ],
)
def test_it_refuses_with_the_place(helm_3: Helm, values: dict[str, Any], place: str) -> None:
    with pytest.raises(ChartRefusedError, match=place):
        helm_3.render(values)
