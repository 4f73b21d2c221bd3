"""Identifiers: new ones are canonical and sort by age."""

import uuid

import pytest

from swapshop_kit.ids import is_canonical_id, new_id


def test_fresh_ids_are_canonical_version_7_and_sort_by_age() -> None:
    ids = [new_id() for _ in range(2000)]

    assert all(is_canonical_id(each) for each in ids)
    assert {uuid.UUID(each).version for each in ids} == {7}
    assert sorted(set(ids)) == ids


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0190a000-0000-7000-8000-00000000000",
        "0190a000-0000-7000-8000-0000000000000",
        "0190A000-0000-7000-8000-000000000000",
        "0190a000000070008000000000000000",
        "{0190a000-0000-7000-8000-000000000000}",
        "urn:uuid:0190a000-0000-7000-8000-000000000000",
        " 0190a000-0000-7000-8000-000000000000",
        "0190a000-0000-7000-8000-000000000000\n",
        "0190a000-0000-7000-8000-00000000000g",
        "\N{ARABIC-INDIC DIGIT ZERO}190a000-0000-7000-8000-000000000000",
    ],
)
def test_any_other_spelling_is_not_canonical(text: str) -> None:
    assert not is_canonical_id(text)


def test_the_canonical_spelling_is() -> None:
    assert is_canonical_id("0190a000-0000-7000-8000-000000000000")
