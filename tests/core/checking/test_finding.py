"""A finding says where, what and what instead; the same one at many places is told once."""

from __future__ import annotations

import pytest

from mcks.core.checking.codes import CODES
from mcks.core.checking.finding import Finding, merged, of_severity, placed


def test_a_finding_is_a_sentence_with_its_place_and_its_own_remedy() -> None:
    found = Finding("MCKS130", "no key", "profile 'a'", "Write one")
    assert str(found) == "profile 'a': no key. Write one"
    assert found.remedy == "Write one"


def test_without_a_remedy_of_its_own_that_of_the_code_counts() -> None:
    found = Finding("MCKS130", "no key")
    assert str(found) == "no key"
    assert found.remedy == CODES["MCKS130"].remedy
    assert found.severity == "error"


def test_the_same_at_three_places_is_one_finding_that_counts_them() -> None:
    told = [Finding("MCKS130", "no key", f"profile {name!r}") for name in "abca"]
    told.insert(1, Finding("MCKS130", "no image", "profile 'a'"))
    same, other = merged(told)
    assert str(same) == "profile 'a' and 2 more: no key"
    assert str(other) == "profile 'a': no image"


@pytest.mark.parametrize(
    ("sentence", "where", "what"),
    [
        ("clusters['a']: unknown key 'x'", "clusters['a']", "unknown key 'x'"),
        ("clusters['a'].route: no", "clusters['a'].route", "no"),
        ("profile_list[0] needs a 'slug'", "profile_list[0]", "needs a 'slug'"),
        ("cluster 'a' has no url: x", "cluster 'a'", "has no url: x"),
        (
            "profile_list[0]['profile_options']['o']['choices']['c'] must be a dict",
            "profile_list[0]['profile_options']['o']['choices']['c']",
            "must be a dict",
        ),
        ("profile 'p': spawner_override: port: x", "profile 'p': spawner_override", "port: x"),
        ("the Pod has no container", "", "the Pod has no container"),
    ],
)
def test_a_sentence_is_parted_into_its_place_and_the_rest(
    sentence: str, where: str, what: str
) -> None:
    found = placed("MCKS130", sentence)
    assert (found.where, found.what) == (where, what)
    assert str(found) == sentence


def test_findings_are_chosen_by_their_severity() -> None:
    error, note = Finding("MCKS130", "x"), Finding("MCKS140", "y")
    assert of_severity("note", [error, note]) == [note]
