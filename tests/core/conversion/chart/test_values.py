"""Values are found wherever a chart has them, and merged as Helm does."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.conversion.chart.values import of_chart
from mcks.errors import ConfigError

INNER = {"singleuser": {"uid": 5}}


@pytest.mark.parametrize(
    "document",
    [
        {"jupyterhub": INNER, "other": {}},
        {"daskhub": {"jupyterhub": INNER, "dask-gateway": {"gateway": {}}}},
        {"mine": INNER, "global": {"hub": "a text"}},
        {"hub": {}, "jupyterhub": INNER},
    ],
)
def test_a_chart_that_contains_the_chart_is_looked_into(document: dict[str, Any]) -> None:
    assert of_chart(document, "v").get("singleuser.uid") == 5


def test_two_releases_in_one_file_are_refused_with_their_places() -> None:
    document = {"staging": {"jupyterhub": INNER}, "prod": INNER}
    with pytest.raises(ConfigError, match=r"at staging\.jupyterhub, prod\. Give a file"):
        of_chart(document, "v")


def test_what_is_no_chart_of_that_kind_is_refused() -> None:
    deep = {"a": {"b": {"c": {"d": INNER}}}}
    documents: list[Any] = [None, [], {"a": {}}, {"jupyterhub": {"b": 1}}, {"a": {"hub": 1}}, deep]
    for document in documents:
        with pytest.raises(ConfigError, match="has neither 'singleuser' nor 'hub'"):
            of_chart(document, "v")


def test_what_is_said_stands_above_the_charts_own_and_null_too() -> None:
    values = of_chart({"singleuser": {"uid": None, "memory": {"limit": "2G"}}}, "v")
    assert values.get("singleuser.uid") is None
    assert values.get("singleuser.memory") == {"guarantee": "1G", "limit": "2G"}
    assert values.get("singleuser.memory.limit.deeper", "nothing") == "nothing"
    assert values.is_said("singleuser.memory")
    assert not values.is_said("singleuser.fsGid")


def test_names_of_a_release_have_what_stands_before_all_of_them() -> None:
    assert of_chart({"hub": {}}, "v").name("singleuser") == "singleuser"
    assert of_chart({"hub": {}, "fullnameOverride": "x"}, "v").name("singleuser") == "x-singleuser"
