from __future__ import annotations

from typing import Any

import pytest

from mcks.core.profiles import choose, merge, parse, slugify
from mcks.errors import ConfigError, UnknownProfile

TWO = [{"display_name": "Small one"}, {"display_name": "GPU", "default": True}]


def test_slugs_are_made_from_names_and_the_marked_profile_is_the_default() -> None:
    small, gpu = parse(TWO)
    assert (small.slug, small.default) == ("small-one", False)
    assert (gpu.slug, gpu.default) == ("gpu", True)


def test_the_first_profile_is_the_default_if_none_is_marked() -> None:
    assert [p.default for p in parse([{"display_name": "a"}, {"display_name": "b"}])] == [
        True,
        False,
    ]


def test_only_one_profile_is_the_default() -> None:
    marked = [{"display_name": "a", "default": True}, {"display_name": "b", "default": True}]
    assert [p.default for p in parse(marked)] == [True, False]


def test_a_dict_of_profiles_is_taken_in_the_order_of_its_keys() -> None:
    listed = {"02": {"display_name": "b"}, "01": {"display_name": "a"}}
    assert [p.slug for p in parse(listed)] == ["a", "b"]


def test_the_key_cluster_is_short_for_an_override() -> None:
    (profile,) = parse([{"display_name": "a", "cluster": "gcp"}])
    assert profile.overrides == {"cluster": "gcp"}


def test_kubespawners_spelling_of_the_override_works() -> None:
    (profile,) = parse([{"display_name": "a", "kubespawner_override": {"image": "i"}}])
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
        ([{"display_name": "a"}, {"display_name": "A"}], "the same slug 'a'"),
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
        ({"k": {"slug": "x"}}, r"profile_list\['k'\] needs a 'display_name'"),
    ],
)
def test_a_mistake_is_told_with_its_place(listed: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(listed)


def test_the_chosen_profile_is_found_and_the_default_if_none_is_chosen() -> None:
    profiles = parse(TWO)
    assert choose(profiles, {"profile": "small-one"}).slug == "small-one"
    assert choose(profiles, {}).slug == "gpu"


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownProfile, match="Known: gpu, small-one"):
        choose(parse(TWO), {"profile": "gpus"})


@pytest.mark.parametrize("hostile", [["gpu"], {"a": 1}, 7, "<script>"])
def test_a_posted_profile_of_any_type_is_only_unknown(hostile: Any) -> None:
    with pytest.raises(UnknownProfile):
        choose(parse(TWO), {"profile": hostile})


@pytest.mark.parametrize(
    ("base", "override", "merged"),
    [
        ({"A": "1"}, {"B": "2"}, {"A": "1", "B": "2"}),
        ({"A": "1"}, {"A": None}, {}),
        ({"A": {"x": 1, "y": 2}}, {"A": {"y": None}}, {"A": {"x": 1}}),
        ({"A": "1"}, {"A": {"x": 1}}, {"A": {"x": 1}}),
        ("old", "new", "new"),
        ([1], [2], [2]),
    ],
)
def test_overrides_merge_over_values(base: Any, override: Any, merged: Any) -> None:
    assert merge(base, override) == merged


def test_merging_changes_neither_side() -> None:
    base: dict[str, Any] = {"A": {"x": 1}}
    override: dict[str, Any] = {"A": {"y": 2}}
    merge(base, override)["A"]["z"] = 3
    assert (base, override) == ({"A": {"x": 1}}, {"A": {"y": 2}})


def test_slugs_hold_letters_digits_and_hyphens() -> None:
    assert slugify("Größe: 16 GiB (ünï)") == "groe-16-gib-uni"
