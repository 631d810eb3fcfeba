"""A profile list is read, and its mistakes are told."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.administrator.limits import Limits
from mcks.core.clusters.layers import merge_value
from mcks.core.profiles.profile_list import parse
from mcks.errors import ConfigError
from tests.core.profiles.side_by_side import kubespawner

TWO = [{"display_name": "Small one"}, {"display_name": "GPU", "default": True}]


def test_slugs_are_made_from_names_and_the_marked_profile_is_the_default() -> None:
    small, gpu = parse(TWO).profiles
    assert (small.slug, small.default) == ("small-one", False)
    assert (gpu.slug, gpu.default) == ("gpu", True)


def test_the_first_profile_is_the_default_if_none_is_marked() -> None:
    assert [p.default for p in parse([{"display_name": "a"}, {"display_name": "b"}]).profiles] == [
        True,
        False,
    ]


def test_only_one_profile_is_the_default() -> None:
    marked = [{"display_name": "a", "default": True}, {"display_name": "b", "default": True}]
    assert [p.default for p in parse(marked).profiles] == [True, False]


def test_a_dict_of_profiles_is_taken_in_the_order_of_its_keys() -> None:
    listed = {"02": {"display_name": "b"}, "01": {"display_name": "a"}}
    assert [p.slug for p in parse(listed).profiles] == ["a", "b"]


def test_the_key_cluster_is_short_for_an_override() -> None:
    (profile,) = parse([{"display_name": "a", "cluster": "gcp"}]).profiles
    assert profile.overrides == {"cluster": "gcp"}


def test_limits_stand_beside_the_cluster() -> None:
    said = {"max_servers": 20, "max_starting": 2, "max_per_user": None, "max_age": 28800}
    limited, unlimited = parse(
        [{"display_name": "a", "cluster": "gcp", **said}, {"display_name": "b"}]
    ).profiles
    assert limited.limits == Limits(20, 2, None, 28800)
    assert limited.overrides == {"cluster": "gcp"}
    assert unlimited.limits == Limits()


def test_kubespawners_spelling_of_the_override_works() -> None:
    (profile,) = parse([{"display_name": "a", "kubespawner_override": {"image": "i"}}]).profiles
    assert profile.overrides == {"image": "i"}


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["x"], r"profile_list\[0\] must be a dict, not str"),
        ([{}], r"profile_list\[0\] needs a 'display_name'"),
        ([{"display_name": "!!!"}], "none can be made of '!!!'"),
        (
            [{"display_name": "a", "spawner_overide": {}}],
            "unknown key 'spawner_overide'. Did you mean 'spawner_override'",
        ),
        (
            [{"display_name": "a", "cluster": "x", "spawner_override": {"cluster": "y"}}],
            "names its cluster twice",
        ),
        (
            [
                {
                    "display_name": "a",
                    "cluster": "x",
                    "spawner_override": {"kubernetes_context": "y"},
                }
            ],
            "both a cluster and a kubernetes_context",
        ),
        ([{"display_name": "a", "spawner_override": "x"}], "must be a dict, not str"),
        ("x", "must be a list or a dict of profiles, not str"),
        ([{"display_name": 7}], "display_name'.* must be a text, not int"),
        ([{"display_name": "a", "allowed_groups": "g"}], "must be a list of groups, not str"),
        ([{"display_name": "a", "allow": "g"}], "must be a function of the spawner, not str"),
        ([{"display_name": "a", "profile_options": ["x"]}], "must be a dict of options, not list"),
        ({"k": {"slug": "x"}}, r"profile_list\['k'\] needs a 'display_name'"),
    ],
)
def test_a_mistake_is_told_with_its_place(listed: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(listed)


@pytest.mark.parametrize(
    ("base", "override", "merged"),
    [
        ({"A": "1"}, {"B": "2"}, {"A": "1", "B": "2"}),
        ({"A": "1"}, {"A": None}, {}),
        ({"A": {"x": 1, "y": 2}}, {"A": {"y": None}}, {"A": {"x": 1}}),
        ({"A": "1"}, {"A": {"x": 1}}, {"A": {"x": 1}}),
        ({}, {"A": {"x": None, "y": 1}}, {"A": {"y": 1}}),
        ("old", "new", "new"),
        ([1], [2], [2]),
    ],
)
def test_overrides_merge_over_values(base: Any, override: Any, merged: Any) -> None:
    assert merge_value(base, override) == merged


def test_merging_changes_neither_side() -> None:
    base: dict[str, Any] = {"A": {"x": 1}}
    override: dict[str, Any] = {"A": {"y": 2}}
    merge_value(base, override)["A"]["z"] = 3
    assert (base, override) == ({"A": {"x": 1}}, {"A": {"y": 2}})


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Größe: 16 GiB (ünï)", "grosse-16-gib-uni"),
        ("日本語", "ri-ben-yu"),
        ("Ἑλλάς", "ellas"),
        ("It's 1,000 µm", "it-s-1000-mm"),
        ("R &amp; D", "r-d"),
    ],
)
def test_slugs_are_those_of_kubespawner(name: str, slug: str) -> None:
    (profile,) = parse([{"display_name": name}]).profiles
    assert profile.slug == slug
    (theirs,) = kubespawner([])._get_initialized_profile_list([{"display_name": name}])
    assert theirs["slug"] == slug


BAD: list[tuple[Any, str]] = [
    ("x", "profile_list[1] must be a dict, not str"),
    ({"display_name": "🎉"}, "profile_list[1] needs a 'slug': none can be made of '🎉'"),
    ({"display_name": "Good"}, "profile_list[1] and profile_list[0] have the same slug 'good'"),
    ({"display_name": "b", "profile_options": {"o": {"choices": {}}}}, "['o'] offers nothing"),
    ({"display_name": "b", "allowed_group": ["x"]}, "unknown key 'allowed_group'"),
    (
        {"display_name": "b", "profile_options": {"o": {"choices": {"c": {"alowed_groups": []}}}}},
        "unknown key 'alowed_groups'",
    ),
]


@pytest.mark.parametrize(("entry", "words"), BAD)
def test_an_entry_with_a_mistake_is_left_out_and_the_others_are_there(
    entry: Any, words: str
) -> None:
    listed = parse([{"display_name": "Good"}, entry, {"display_name": "Last", "default": True}])
    assert [(p.slug, p.default) for p in listed.profiles] == [("good", False), ("last", True)]
    (told,) = listed.left_out
    assert words in told


def test_the_next_is_the_default_if_the_marked_one_is_left_out() -> None:
    listed = parse([{"display_name": "a", "default": True, "sluk": 1}, {"display_name": "b"}])
    assert [(p.slug, p.default) for p in listed.profiles] == [("b", True)]


def test_a_list_of_which_nothing_can_be_used_is_no_list_without_profiles() -> None:
    with pytest.raises(
        ConfigError, match=r"profile_list\[0\].*profile_list\[1\].*no profile is lef"
    ):
        parse([{"slug": "a"}, {"slug": "b"}])
    assert parse([]).profiles == []


def test_a_slug_in_a_choice_changes_nothing_and_is_told() -> None:
    listed = parse(option(choices={"x": {"slug": "y", "display_name": "X"}}))
    (choice,) = listed.profiles[0].options[0].choices
    assert choice.key == "x"
    (told,) = listed.ignored
    assert told.endswith("['choices']['x']: 'slug' has no effect: a choice's name is its key")


def option(**keys: Any) -> list[Any]:
    return [{"display_name": "a", "profile_options": {"image": keys}}]


def test_the_first_choice_is_the_default_if_none_is_marked() -> None:
    choices = {"x": {"display_name": "X"}, "y": {}}
    (profile,) = parse(option(display_name="Image", choices=choices)).profiles
    assert [(c.key, c.display_name, c.default) for c in profile.options[0].choices] == [
        ("x", "X", True),
        ("y", "y", False),
    ]


def test_an_unlisted_choice_that_is_not_enabled_is_none() -> None:
    (profile,) = parse(option(choices={"x": {}}, unlisted_choice={"enabled": False})).profiles
    assert profile.options[0].unlisted is None


def test_the_keys_of_jupyterhub_fancy_profiles_are_kept() -> None:
    fancy = {"dynamic_image_building": {"enabled": True}}
    (profile,) = parse(option(choices={"x": {}}, **fancy)).profiles
    assert profile.options[0].extra == fancy


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "offers nothing: write 'choices'"),
        ({"choices": ["x"]}, "must be a dict of choices, not list"),
        ({"choices": {"x": "y"}}, r"\['x'\] must be a dict, not str"),
        ({"choices": {3: {}}}, "the key of a choice must be a text, not 3"),
        ({"choices": {"unlisted-choice": {}}}, "the form needs it itself"),
        ({"choices": {"x": {"defalt": True}}}, "unknown key 'defalt'. Did you mean 'default'"),
        ({"choices": {"x": {"cluster": "c", "spawner_override": {"cluster": "d"}}}}, "twice"),
        ({"choice": {}}, "unknown key 'choice'. Did you mean 'choices'"),
        (
            {"unlisted_choice": {"enabled": True, "validation_regex": "("}},
            "is no regular expression",
        ),
        (
            {
                "unlisted_choice": {
                    "enabled": True,
                    "spawner_override": {"patches": {"1": "x: {value}"}},
                }
            },
            "'patches' is a template, of which a user's text may not become a part",
        ),
    ],
)
def test_a_mistake_in_an_option_is_told_with_its_place(keys: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse(option(**keys))
    assert str(caught.value).startswith("profile_list[0]['profile_options']['image']")


@pytest.mark.parametrize("key", ["profile", "x--unlisted-choice"])
def test_an_option_may_not_have_the_forms_own_names(key: str) -> None:
    listed = [{"display_name": "a", "profile_options": {key: {"choices": {"x": {}}}}}]
    with pytest.raises(ConfigError, match="the form needs it itself"):
        parse(listed)


@pytest.mark.parametrize("said", ["west", 5, {"west": "3", "east": 1}, ["west", 7], {"west": 0}])
def test_candidates_in_an_override_are_looked_at_as_the_key_clusters_is(said: Any) -> None:
    listed = [*TWO, {"display_name": "a", "spawner_override": {"candidates": said}}]
    parsed = parse(listed)
    assert len(parsed.profiles) == 2
    assert parsed.left_out[0].startswith("profile_list[2]: spawner_override['candidates']")


def test_candidates_that_a_function_names_are_known_at_the_start_only() -> None:
    override = {"candidates": lambda _: ["west", "east"]}
    (profile,) = parse([{"display_name": "a", "spawner_override": override}]).profiles
    assert profile.options == ()
