"""What was chosen, by form or API, becomes a profile with an answer to each option, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.profiles.profile_list import parse
from mcks.core.profiles.selection import insert, select
from mcks.errors import UnknownProfile

LISTED = [
    {"display_name": "Small one"},
    {
        "display_name": "GPU",
        "default": True,
        "spawner_override": {"mem_limit": "1G", "image": "low"},
        "profile_options": {
            "image": {
                "display_name": "Image",
                "choices": {
                    "torch": {"spawner_override": {"image": "torch:1"}},
                    "jax": {"default": True, "kubespawner_override": {"image": "jax:1"}},
                },
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": r"example\.org/.*",
                    "validation_message": "It comes from example.org.",
                    "kubespawner_override": {"image": "{value}", "environment": {"I": "<{value}>"}},
                },
            },
            "size": {"choices": {"s": {}, "l": {"spawner_override": {"mem_limit": "9G"}}}},
            "note": {
                "unlisted_choice": {"enabled": True, "spawner_override": {"args": ["{value}"]}}
            },
        },
    },
]
PROFILES = parse(LISTED).profiles


def chosen(saved: bool = False, **options: Any) -> dict[str, Any]:
    posted = {key.replace("__", "--").replace("_", "-"): v for key, v in options.items()}
    merged: dict[str, Any] = {}
    for level in select(PROFILES, posted, saved=saved).levels:
        merged |= level.values
    return merged


def test_the_chosen_profile_is_found_and_the_default_if_none_is_chosen() -> None:
    assert select(PROFILES, {"profile": "small-one"}).profile.slug == "small-one"
    assert select(PROFILES, {}).profile.slug == "gpu"


def test_options_that_say_nothing_have_their_default() -> None:
    assert chosen() == {"mem_limit": "1G", "image": "jax:1"}
    assert chosen(image="", size=None) == chosen()


def test_an_options_override_wins_over_the_profiles() -> None:
    assert chosen(image="torch", size="l") == {"mem_limit": "9G", "image": "torch:1"}


def test_a_written_value_takes_the_place_of_value() -> None:
    assert chosen(image__unlisted_choice="example.org/a", note__unlisted_choice="b{c}") == {
        "mem_limit": "1G",
        "image": "example.org/a",
        "environment": {"I": "<example.org/a>"},
        "args": ["b{c}"],
    }


def test_a_written_value_wins_over_a_choice() -> None:
    assert chosen(image="torch", image__unlisted_choice="example.org/a")["image"] == "example.org/a"


def test_templates_read_the_chosen_keys_and_written_values() -> None:
    options = {"image": "torch", "note--unlisted-choice": "hello"}
    assert select(PROFILES, options).options == {"image": "torch", "size": "s", "note": "hello"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "gpus"}, "unknown profile 'gpus'. Did you mean 'gpu'? Known: gpu, small-one"),
        ({"profile": ["gpu"]}, "unknown profile"),
        ({"profile": {"a": 1}}, "unknown profile"),
        ({"profile": 7}, "unknown profile '7'"),
        ({"profile": "<script>"}, "unknown profile '<script>'"),
        ({"profile": "x" * 9999}, "xxx…'"),
        ({"image": "tensor"}, "Image: unknown choice 'tensor'. Known: jax, torch"),
        ({"image": ["torch"]}, "Image: unknown choice"),
        ({"image": 7}, "Image: unknown choice '7'"),
        ({"image": "unlisted-choice"}, "Image: write a value, or choose one of the list"),
        ({"image--unlisted-choice": 7}, "image--unlisted-choice must be a text, not int"),
        ({"image--unlisted-choice": ["example.org/a"]}, "must be a text, not list"),
        ({"image--unlisted-choice": {"a": 1}}, "must be a text, not dict"),
        ({"image--unlisted-choice": "evil/miner"}, "It comes from example.org. Known: torch, jax"),
        ({"image--unlisted-choice": "example.org/a\nevil"}, "Image cannot be"),
        ({"image--unlisted-choice": "example.org/" + "a" * 9999}, "longer than 4096"),
        ({"note--unlisted-choice": "\ud800"}, "no Unicode text"),
        ({"note--unlisted-choice": "a\0b"}, "no Unicode text"),
        ({"profile": "\ud800"}, r"unknown profile '\\ud800'"),
        ({"size--unlisted-choice": "xl"}, "size takes no value of your own. Known: s, l"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_there_is(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownProfile) as caught:
        select(PROFILES, options)
    assert message in str(caught.value)
    assert caught.value.jupyterhub_message == str(caught.value)
    str(caught.value).encode()


def test_the_rules_hold_for_options_that_name_no_profile() -> None:
    with pytest.raises(UnknownProfile):
        select(PROFILES, {"image--unlisted-choice": "evil/miner"})


def test_a_saved_profile_that_is_gone_falls_back_to_the_default_with_a_notice() -> None:
    selection = select(PROFILES, {"profile": "old", "image": "torch"}, saved=True)
    assert selection.profile.slug == "gpu"
    assert selection.options["image"] == "jax"
    (notice,) = selection.notices
    assert notice.startswith("The profile 'old' is not there: ")
    assert notice.endswith(f"{selection.profile.display_name!r} is chosen instead.")


def test_a_saved_choice_that_is_gone_falls_back_alone() -> None:
    selection = select(PROFILES, {"image": "old", "size": "l"}, saved=True)
    assert selection.options == {"image": "jax", "size": "l"}
    assert selection.notices == ("Image: what was chosen is not there: 'jax' is chosen instead.",)


@pytest.mark.parametrize("value", ["evil/miner", 7, "\ud800"])
def test_a_saved_value_that_is_not_valid_any_more_falls_back(value: Any) -> None:
    selection = select(PROFILES, {"image--unlisted-choice": value}, saved=True)
    assert selection.options["image"] == "jax"
    assert len(selection.notices) == 1


@pytest.mark.parametrize("value", ["{}", "{0}", "{value.__class__}", "{value}", "{{key}}", "%s"])
def test_a_value_is_literal_and_never_a_format(value: str) -> None:
    assert insert("a {value} b", value) == f"a {value} b"


@pytest.mark.parametrize("text", ["{}", "${X:-y}", '{"a": 1}', "{value.__class__}", "{value!r}"])
def test_nothing_but_value_is_special_in_an_override(text: str) -> None:
    assert insert({"k": [text, 1, None, True]}, "v") == {"k": [text, 1, None, True]}


@pytest.mark.parametrize("clusters", [["west"], {"west": 1, "east": 0}])
def test_who_asks_for_another_cluster_than_the_only_one_is_told(clusters: Any) -> None:
    profiles = parse([{"display_name": "a", "clusters": clusters}]).profiles
    for same in ("west", "any", "", None):
        assert select(profiles, {"cluster": same}).notices == ()
    with pytest.raises(UnknownProfile, match=r"unknown choice 'east'\. .*Known: west"):
        select(profiles, {"cluster": "east"})
    assert select(profiles, {"cluster": "east"}, saved=True).notices == (
        "Cluster: what was chosen is not there: 'west' is chosen instead.",
    )


def test_a_saved_cluster_that_is_gone_is_any_of_those_that_are_left() -> None:
    profiles = parse([{"display_name": "a", "clusters": ["west", "north"]}]).profiles
    chosen = select(profiles, {"cluster": "east"}, saved=True)
    assert chosen.options == {"cluster": "any"}
    assert chosen.notices == (
        "Cluster: what was chosen is not there: 'Any cluster' is chosen instead.",
    )
