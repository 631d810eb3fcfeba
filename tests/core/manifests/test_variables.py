"""What templates see of a server, and what they cannot."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import Any as AnyTrait
from traitlets import Dict, Unicode
from traitlets.config import Configurable

from mcks.core.manifests.variables import View, of_resources


class Source(Configurable):
    image = Unicode("img:1", config=True)
    environment = Dict({"A": "1"}, config=True)
    hook = AnyTrait(print, config=True)
    mixed = Dict({"f": print}, config=True)
    api_token = Unicode("s3cret")
    db = AnyTrait()
    plain_attribute = "x"


def test_a_view_shows_plain_values_of_traits() -> None:
    view = View(Source(), {"key": "k"})
    assert (view.image, view.environment, view.key) == ("img:1", {"A": "1"}, "k")


@pytest.mark.parametrize(
    "name", ["api_token", "db", "hook", "mixed", "plain_attribute", "__init__x", "_source_", "no"]
)
def test_secrets_live_objects_and_functions_are_not_there(name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(View(Source(), {}), name)


def test_it_names_what_it_shows_and_no_secret() -> None:
    names = dir(View(Source(), {"key": "k"}))
    assert {"image", "key"} <= set(names)
    assert not {"api_token", "db"} & set(names)
    assert "s3cret" not in repr(View(Source(), {}))


@pytest.mark.parametrize(
    ("given", "resources"),
    [
        ({}, {}),
        ({"mem_limit": 1024}, {"limits": {"memory": "1024"}}),
        ({"mem_guarantee": 0, "cpu_guarantee": 0.25}, {"requests": {"cpu": "0.25"}}),
        ({"cpu_limit": 2.0, "mem_limit": 1.0}, {"limits": {"memory": "1", "cpu": "2"}}),
    ],
)
def test_limits_become_kubernetes_quantities(given: dict[str, float], resources: Any) -> None:
    unset = dict.fromkeys(("mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee"))
    assert of_resources(**{**unset, **given}) == resources
