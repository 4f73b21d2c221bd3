"""The notes of `helm install`: a release whose customers share one address says so."""

from typing import Any, Final

import pytest

from support.cluster.chart import Helm

WARNING: Final = "WARNING: trustedProxies is empty"
GATEWAY: Final[dict[str, Any]] = {
    "gateway": {"enabled": True, "host": "a.localhost", "parentRefs": [{"name": "public"}]}
}


@pytest.mark.parametrize("values", [{}, {"ingress.enabled": False, **GATEWAY}])
def test_without_a_trusted_proxy_the_notes_warn(helm: Helm, values: dict[str, Any]) -> None:
    assert WARNING in helm.notes(values)


@pytest.mark.parametrize(
    "values",
    [
        {"trustedProxies": ["10.244.0.0/16"]},
        {"ingress.enabled": False, "publicOrigins": ["http://a.localhost"]},
    ],
)
def test_a_named_proxy_or_none_at_all_is_no_warning(helm: Helm, values: dict[str, Any]) -> None:
    notes = helm.notes(values)
    assert "is being installed as swapshop" in notes
    assert WARNING not in notes


def test_no_network_is_trusted_unasked(helm: Helm) -> None:
    rendered = helm.template()
    assert rendered.count('TRUSTED_PROXIES: ""') == 2
