"""From a stray pod and from each component, what the table allows works and nothing else does."""

import pytest

from support.openings import reached_and_allowed
from support.releases import Release


@pytest.mark.timeout(300)
def test_the_policies_are_the_table(release: Release) -> None:
    reached, allowed = reached_and_allowed(release)
    assert reached == allowed
