"""mcks and the installed KubeSpawner side by side: the same lists and forms, the same overrides.

Where KubeSpawner has defects, and mcks does otherwise: tests/peers/test_defects_of_kubespawner.py.
"""

from __future__ import annotations

import pytest

from tests.core.profiles.kubespawner_cases import LISTS, Case, cases
from tests.core.profiles.side_by_side import kubespawner, kubespawner_does, ours, values, we_do
from tests.core.profiles.test_options_form import Page

CASES = list(cases())


def test_there_are_enough_cases_and_both_outcomes_among_them() -> None:
    assert len({str(case) for case in CASES}) >= 150


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_both_set_the_same_traits_or_both_refuse(case: Case) -> None:
    listed = LISTS[case.listed]
    expected = await kubespawner_does(case, listed)
    assert await we_do(case, listed) == expected


async def test_a_good_share_of_the_cases_is_accepted_and_a_good_share_refused() -> None:
    outcomes = [await we_do(case, LISTS[case.listed]) for case in CASES]
    refused = sum(outcome is None for outcome in outcomes)
    assert 40 <= refused <= len(outcomes) - 100


@pytest.mark.parametrize("name", ["options", "plain", "order", "disabled"])
async def test_both_forms_post_the_same_fields(name: str) -> None:
    listed = LISTS[name]
    html = await ours(listed).get_options_form()
    fields = {field["name"] for field in Page(html).fields}
    theirs = kubespawner(listed)
    page = theirs.options_form
    assert fields
    for field in fields:
        assert f'name="{field}"' in page  # a data-name, too, ends like this


async def test_without_any_list_of_profiles_the_options_are_the_administrators_own() -> None:
    case = Case("none", "api", {"profile": "small"})
    assert await kubespawner_does(case, []) is None
    assert await we_do(case, []) == values(ours([]))
