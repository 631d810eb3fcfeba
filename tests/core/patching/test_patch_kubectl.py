"""Patches side by side with kubectl: the same result, or an error from both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from mcks.core.patching import patch
from mcks.errors import BadPatch
from tests.core.kubectl import Kubectl, same
from tests.core.patching import patch_examples
from tests.core.patching.patch_cases import CASES, Case
from tests.core.patching.patch_examples import Example, Kinds, Table, rich, shrinkable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known(kubectl: Kubectl) -> tuple[Table, Kinds]:
    """At least 25 kinds, with no field that this kubectl does not know."""
    types, kinds = patch_examples.table(kubectl.minor)
    assert len(kinds) >= 25
    return types, kinds


def many(count: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


def check(kubectl: Kubectl, example: Example, patch_type: str = "strategic") -> None:
    original, change = example
    merge = patch.strategic_merge if patch_type == "strategic" else patch.json_merge
    theirs = kubectl.patch(original, change, patch_type)
    if theirs.error:
        with pytest.raises(BadPatch):
            merge(original, change)
    else:
        assert len(theirs.objects) == 1
        assert same(merge(original, change), theirs.objects[0])


def test_strategic_patches_give_what_kubectl_gives(
    kubectl: Kubectl, known: tuple[Table, Kinds]
) -> None:
    @many(100)
    @given(shrinkable(*known))
    def run(example: Example) -> None:
        check(kubectl, example)

    run()


def test_two_thousand_strategic_patches_give_what_kubectl_gives(
    kubectl: Kubectl, known: tuple[Table, Kinds]
) -> None:
    @many(2000)
    @given(rich(*known))
    def run(example: Example) -> None:
        check(kubectl, example)

    run()


def test_merge_patches_give_what_kubectl_gives(
    kubectl: Kubectl, known: tuple[Table, Kinds]
) -> None:
    @many(50)
    @given(shrinkable(*known))
    def run(example: Example) -> None:
        check(kubectl, example, "merge")

    run()


@pytest.mark.parametrize("case", [c for c in CASES if not c.quirk], ids=str)
def test_every_case_file_tells_the_truth_about_kubectl(kubectl: Kubectl, case: Case) -> None:
    answer = kubectl.patch(case.original, case.patch, case.type)
    if case.error:
        assert case.error in answer.error
    else:
        assert answer.error == ""
        assert same(answer.objects[0], case.result)
