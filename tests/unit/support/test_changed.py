"""Which tests `--changed` runs."""

from pathlib import Path

import pytest

from support.changed import ROOT, changed_files, concerns


@pytest.mark.parametrize(
    ("changed", "test_file"),
    [
        ("services/api/swapshop_api/orders/store.py", "tests/integration/api/orders/test_lists.py"),
        ("services/api/swapshop_api/auth/rotation.py", "tests/unit/api/auth/test_rotation.py"),
        ("services/api/swapshop_api/settings.py", "tests/integration/api/test_command_line.py"),
        ("services/kit/swapshop_kit/strict_json.py", "tests/unit/kit/test_strict_json.py"),
        ("services/contracts/api.openapi.json", "tests/contract/test_documents.py"),
        ("charts/swapshop/values.yaml", "tests/chart/test_pods.py"),
        ("observability/alerts.yaml", "tests/observability/test_rules.py"),
        ("docs/architecture.md", "tests/unit/docs/test_links.py"),
        ("tests/support/changed.py", "tests/unit/support/test_changed.py"),
        ("tests/integration/api/conftest.py", "tests/integration/api/orders/test_lists.py"),
        ("tests/unit/kit/test_ids.py", "tests/unit/kit/test_ids.py"),
    ],
)
def test_a_change_concerns_the_tests_of_its_area(changed: str, test_file: str) -> None:
    assert concerns(ROOT / test_file, ["README.md", changed])


@pytest.mark.parametrize(
    ("changed", "test_file"),
    [
        ("services/api/swapshop_api/orders/store.py", "tests/integration/api/auth/test_limits.py"),
        ("services/api/swapshop_api/settings.py", "tests/integration/api/auth/test_limits.py"),
        ("services/poller/swapshop_poller/loop.py", "tests/unit/kit/test_ids.py"),
        ("tests/support/changed.py", "tests/unit/kit/test_ids.py"),
        ("web/src/app.tsx", "tests/unit/kit/test_ids.py"),
        ("README.md", "tests/unit/kit/test_ids.py"),
    ],
)
def test_a_change_elsewhere_does_not(changed: str, test_file: str) -> None:
    assert not concerns(ROOT / test_file, [changed])


def test_what_is_not_committed_is_a_change(request: pytest.FixtureRequest) -> None:
    new = Path(__file__).with_name(f"new-{request.node.name}.txt")
    new.touch()
    try:
        assert str(new.relative_to(ROOT)) in changed_files("HEAD")
    finally:
        new.unlink()
