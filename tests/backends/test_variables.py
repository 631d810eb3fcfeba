"""Variables of other programs: which would be lost, and which change nothing."""

from __future__ import annotations

import pytest

from mcks.backends.variables import last_set, on_the_way, refuse_lost
from mcks.errors import ConfigError


def test_what_is_known_or_harmless_is_taken() -> None:
    environment = {"REGION": "x", "PATH": "/opt", "LC_MESSAGES": "C", "PAGER": "", "OUTPUT": ""}
    hub = {"REGION": "y", "OUTPUT": "text", "PAGER": "less"}
    refuse_lost(environment, hub, counting=["REGION"], harmless=["OUTPUT"])
    refuse_lost({"REGION": ""}, {}, counting=["REGION"])


def test_an_empty_variable_is_refused_where_it_would_hide_the_hubs() -> None:
    with pytest.raises(ConfigError, match=r"REGION in exec\.env is empty") as caught:
        refuse_lost({"REGION": ""}, {"REGION": "s3cr3t"}, counting=["REGION"])
    assert "s3cr3t" not in str(caught.value)


def test_proxies_and_cas_of_the_way_are_named_as_they_are_written() -> None:
    environment = {"https_proxy": "http://me:s3cr3t@p", "NO_PROXY": "", "REGION": "x"}
    refuse_lost(environment, {"NO_PROXY": "y"}, counting=["REGION"])
    assert on_the_way(environment) == ["https_proxy", "NO_PROXY"]


@pytest.mark.parametrize(
    ("name", "shown"), [("ROLE", "ROLE"), ("HOME", "HOME"), ("TOKEN=s3cr3t", "TOKEN")]
)
def test_anything_else_is_refused_by_its_name_alone(name: str, shown: str) -> None:
    with pytest.raises(ConfigError, match=f"^{shown} in exec.env is not understood") as caught:
        refuse_lost({"PATH": "/opt", name: "s3cr3t"}, {}, counting=["REGION"])
    assert "s3cr3t" not in str(caught.value)


def test_the_last_of_several_names_that_says_something_counts() -> None:
    environment = {"OLD": "o", "NEW": "n", "EMPTY": ""}
    assert last_set(("OLD", "NEW", "EMPTY"), environment) == "NEW"
    assert not last_set(("EMPTY", "NOT_THERE"), environment)
