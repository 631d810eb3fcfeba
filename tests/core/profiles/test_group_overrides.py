"""Mistakes in JupyterHub's group_overrides are told before anybody is in a group."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.profiles import group_overrides
from tests.core.profiles.choosing.common import spawner_of


def entry(**override: Any) -> dict[str, Any]:
    return {"groups": ["staff"], "spawner_override": override}


def test_what_is_right_is_no_problem_and_changes_nothing() -> None:
    said = {"a": entry(mem_limit="2G", environment={"A": "x"}), "b": entry(cpu_limit=lambda _: 1)}
    spawner = spawner_of(group_overrides=said)
    assert group_overrides.problems(spawner) == []
    assert (spawner.mem_limit, spawner.environment) == (None, {})


def test_a_function_is_not_called() -> None:
    assert group_overrides.problems(spawner_of(group_overrides=lambda _: 1 / 0)) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (entry(events_enabled=True), "'events_enabled' is KubeSpawner's"),
        (entry(node_selector=["a"]), "node_selector: The 'node_selector' trait"),
        (entry(mem_limt="1G"), "Did you mean 'mem_limit'"),
        (entry(mem_limit="much"), "spawner_override: mem_limit: much is not a valid memory"),
        ({"groups": ["staff"]}, "must be a dict with 'groups' and 'spawner_override'"),
        ("x", "must be a dict with"),
        (entry(candidates={"a": -1}), "['candidates']['a'] must be a number from 0 on, not -1"),
        (entry(candidates="west"), "['candidates'] must be a list of clusters' names"),
        (entry(candidates=["nowhere", "elsewhere"]), "unknown cluster 'nowhere'"),
        (entry(cluster="nowhere"), "unknown cluster 'nowhere'"),
        ({"groups": "staff", "spawner_override": {}}, "['groups'] must be a list of groups"),
        ({"groups": ["staff"], "spawner_override": ["x"]}, "['spawner_override'] must be a dict"),
    ],
)
def test_a_mistake_is_told_with_its_place(said: Any, words: str) -> None:
    (problem,) = group_overrides.problems(spawner_of(group_overrides={"01": said}))
    assert problem.startswith("group_overrides['01']")
    assert words in problem
