"""Each mistake in a template or a patch is one error with key, place and remedy: see the table."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from mcks.core.manifests.defaults import DEFAULT_OBJECTS
from mcks.core.manifests.render import render_objects
from mcks.errors import BadPatch, BadTemplate

TABLE = Path(__file__).parents[2] / "cases" / "broken.yaml"
CASES = yaml.safe_load(TABLE.read_text())

VARIABLES = {
    "key": "jupyter-ada",
    "username": "ada",
    "userid": 0,
    "port": 8888,
    "command": [],
    "args": ["--debug"],
    "resources": {},
    "nothing": None,
    "options": {"profile": "gpu", "label": "$patch"},
    "route_path": "/user/ada/",
    "route_class": "",
    "route_host": "",
    "spawner": SimpleNamespace(image="a/b:1", port=8888),
}


def error_of(case: dict[str, Any]) -> BadTemplate | BadPatch:
    """Render the default objects and the case's texts as one server."""
    templates = DEFAULT_OBJECTS | {"50-x": case.get("template", "")}
    patches = {"10-before": case.get("before", ""), "50-x": case.get("patch", "")}
    with pytest.raises((BadTemplate, BadPatch)) as caught:
        render_objects(templates, patches, VARIABLES, labels={}, annotations={})
    assert isinstance(caught.value, BadTemplate | BadPatch)
    return caught.value


def test_the_table_is_long_enough_and_says_each_thing_once() -> None:
    assert len(CASES) >= 60
    assert len({case["case"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_error_is_as_in_the_table(case: dict[str, Any]) -> None:
    error = error_of(case)
    assert str(error) == case["error"]
    assert error.key == "50-x"
    assert isinstance(error, BadPatch) == ("patch" in case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_error_names_the_key_and_for_templates_the_place(case: dict[str, Any]) -> None:
    what = "patch" if "patch" in case else "template"
    assert case["error"].startswith(f"{what} '50-x'")
    assert case["error"].isprintable()
    assert what == "patch" or re.search(r"line \d|document \d", case["error"])
