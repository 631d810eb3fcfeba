"""A form of one's own: what it sees of the user's options."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import escape

from tests.core.profiles.choosing.common import form_of, spawner_of

OWN_FORM = """
{% for p in profile_list %}
<input type=radio value="{{ p.slug }}" {% if user_options.profile == p.slug %}checked{% endif %}>
{% endfor %}
[{{ user_options.items() | sort | join(" ") }}]
"""


@pytest.mark.parametrize(
    ("saved", "checked", "options"),
    [
        ({"profile": "gone", "image": "x"}, "small", "('profile', 'small')"),
        ({}, "small", "('profile', 'small')"),
        ({"profile": "small", "stale": "x", "n": 7}, "small", "('profile', 'small')"),
        (
            {"profile": "large", "image": "gone", "where": "there"},
            "large",
            "('image', 'torch') ('profile', 'large') ('where', 'there')",
        ),
        (
            {"profile": "large", "image--unlisted-choice": "mine:1"},
            "large",
            "('image--unlisted-choice', 'mine:1') ('profile', 'large') ('where', 'here')",
        ),
    ],
)
async def test_a_form_of_ones_own_sees_only_options_that_are_there(
    saved: dict[str, Any], checked: str, options: str
) -> None:
    html = await form_of(spawner_of(saved=saved, profile_form_template=OWN_FORM))
    assert html.count("checked") == 1
    assert f'value="{checked}" checked' in html
    assert f"[{escape(options)}]" in html
