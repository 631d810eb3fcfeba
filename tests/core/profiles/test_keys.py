"""Keys of others in a profile list are kept for templates and told; near misses are mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.profiles import options_form, profile_list
from mcks.errors import ConfigError

LISTED: list[dict[str, Any]] = [
    {
        "display_name": "GPU",
        "icon": "chip.svg",
        "allowed_teams": ["org:team"],
        "slug": "gpu",
        "profile_options": {
            "image": {
                "id": "x",
                "help": "?",
                "choices": {"a": {"slug": "a", "badge": {"text": "new"}, "hook": len}},
                "unlisted_choice": {"enabled": True, "placeholder": "example.org/x:1"},
            }
        },
    }
]
TEMPLATE = (
    "{% for p in profile_list %}{{ p.icon }} {{ p.allowed_teams[0] }}"
    "{% for o in p.profile_options.values() %} {{ o.id }} {{ o.help }} {{ o.choices.a.badge.text }}"
    " {{ o.choices.a.hook is defined }} {{ o.unlisted_choice.placeholder }}"
    "{% endfor %}{% endfor %}"
)


def test_they_are_kept_for_templates_and_never_take_the_place_of_ours() -> None:
    shown = options_form.form(TEMPLATE, profile_list.parse(LISTED).profiles)
    assert shown == "chip.svg org:team profile-option-gpu--image ? new False example.org/x:1"


def test_each_is_told_with_its_place() -> None:
    told = profile_list.parse(LISTED).ignored
    keys = ("'icon'", "'allowed_teams'", "'id'", "'help'", "'badge'", "'hook'", "'placeholder'")
    for key in keys:
        assert [note for note in told if key in note and "has no effect" in note], key


@pytest.mark.parametrize("key", ["allowed_group", "defualt", "kubespawner_overides", "Cluster"])
def test_a_near_miss_is_a_mistake(key: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown key '{key}'. Did you mean"):
        profile_list.parse([{"display_name": "x", key: True}])
