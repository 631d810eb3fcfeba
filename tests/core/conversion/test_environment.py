"""Variables with fields are templates; what can stay in ``environment`` stays there."""

from __future__ import annotations

from typing import Any

from mcks.core.conversion.environment import Environment, split
from mcks.core.conversion.names import fields_of
from mcks.core.kubespawner.fields import expand
from mcks.core.writing.marks import Marks


def divided(said: dict[str, Any], user_text: bool = False) -> Environment:
    marks = Marks()
    text = marks.mark("options.o") if user_text else ""
    inserted = {
        name: value.replace("<>", text) if isinstance(value, str) else value
        for name, value in said.items()
    }
    fields = fields_of(marks, {})
    return split(inserted, lambda _, value: expand(value, fields), marks, text)


def test_what_has_no_field_stays_with_single_braces() -> None:
    said = {"A": "a", "J": '{{"x": 1}}', "F": len, "N": None, "V": {"secretKeyRef": {"key": "k"}}}
    assert divided(said) == Environment({**said, "J": '{"x": 1}'}, {})


def test_a_field_goes_into_the_secret_and_a_reference_into_the_pod() -> None:
    found = divided(
        {"S": "{username}", "R": "$(S)/{username}", "V": {"value_from": {"x": "{userid}"}}}
    )
    assert found.plain == {}
    assert 'stringData:\n  S: "{{safe_username}}"' in found.templates["S"]
    assert 'value: "$(S)/{{safe_username}}"' in found.templates["R"]
    assert 'valueFrom:\n            x: "{{userid}}"' in found.templates["V"]


def test_a_users_own_text_stays_where_it_is_inserted_as_it_is() -> None:
    found = divided({"A": "<>", "B": "<>-{username}.", "C": "<>{{value}}"}, user_text=True)
    assert found.plain == {"A": "{value}"}
    assert 'B: "{{options.o}}-{{safe_username}}."' in found.templates["B"]
    assert "{value}" not in found.templates["C"]
