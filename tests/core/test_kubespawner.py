"""mcks and the installed KubeSpawner side by side: the same lists and forms, the same overrides."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.config_check import sample_spawner
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError
from tests.core.kubespawner_cases import IMAGE, LISTS, Case, cases

TRAITS = (
    "image", "mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee", "environment", "cmd",
    "args", "default_url", "notebook_dir",
)  # fmt: skip
CLASS = {"image": "class:1", "cmd": ["start"], "environment": {"SHARED": "class", "OWN": "class"}}
CASES = list(cases())


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """KubeSpawner wants a kubeconfig as soon as it is made."""
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda _: None)


def configured(listed: Any) -> Config:
    config = Config()
    for section in ("KubeSpawner", "MultiClusterKubeSpawner"):
        config[section].update(copy.deepcopy(CLASS))
        config[section].profile_list = copy.deepcopy(listed)
    return config


def kubespawner(listed: Any) -> Any:
    spawner = KubeSpawner(config=configured(listed), _mock=True)
    spawner.user = SimpleNamespace(name="ada", id=1, groups=[])
    return spawner


def ours(listed: Any) -> MultiClusterKubeSpawner:
    return sample_spawner(configured(listed), "ada")


def values(spawner: Any) -> dict[str, Any]:
    return {name: copy.deepcopy(getattr(spawner, name)) for name in TRAITS}


async def kubespawner_does(case: Case, listed: Any) -> dict[str, Any] | None:
    """Return the traits after the profile was applied, None for an error."""
    spawner = kubespawner(listed)
    form = case.way == "form"
    spawner.user_options = spawner.options_from_form(case.posted) if form else case.posted
    try:
        await spawner.load_user_options()
    except Exception:  # ValueError for what it checks, KeyError and TypeError for what it does not
        return None
    return values(spawner)


async def we_do(case: Case, listed: Any) -> dict[str, Any] | None:
    """Return the traits after the profile was applied, None for an error."""
    spawner = ours(listed)
    form = case.way == "form"
    options = spawner.run_options_from_form(case.posted) if form else case.posted
    try:
        await spawner.apply_profile(options)
    except MCKSError:
        return None
    return values(spawner)


def test_there_are_enough_cases_and_both_outcomes_among_them() -> None:
    assert len({str(case) for case in CASES}) >= 150


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_both_set_the_same_traits_or_both_refuse(case: Case) -> None:
    listed = LISTS[case.listed]
    expected = await kubespawner_does(case, listed)
    assert await we_do(case, listed) == expected


async def test_a_good_share_of_the_cases_is_accepted_and_a_good_share_refused() -> None:
    outcomes = [await we_do(case, LISTS[case.listed]) for case in CASES]
    refused = sum(outcome is None for outcome in outcomes)
    assert 40 <= refused <= len(outcomes) - 100


@pytest.mark.parametrize("name", ["options", "plain", "order", "disabled"])
async def test_both_forms_post_the_same_fields(name: str) -> None:
    from tests.core.test_options_form import Page

    listed = LISTS[name]
    html = await ours(listed).get_options_form()
    fields = {field["name"] for field in Page(html).fields}
    theirs = kubespawner(listed)
    page = theirs.options_form
    for field in fields:
        assert f'name="{field}"' in page  # a data-name, too, ends like this


# -- where KubeSpawner has defects, and mcks does otherwise ------------------------------------


def unlisted(**override: Any) -> list[Any]:
    free = {"enabled": True, "validation_regex": "[a-z]+/[a-z]+", "kubespawner_override": override}
    option = {"display_name": "Image", **IMAGE, "unlisted_choice": free}
    return [{"display_name": "p", "profile_options": {"image": option}}]


@pytest.mark.parametrize(
    ("why", "listed", "posted"),
    [
        (
            "options without a profile skip the regular expression",
            unlisted(image="{value}"),
            {"image--unlisted-choice": "evil miner"},
        ),
        (
            "options without a profile skip 'enabled'",
            [{"display_name": "p", "profile_options": {"image": IMAGE | {"unlisted_choice": {}}}}],
            {"image--unlisted-choice": "evil/miner"},
        ),
        (
            "the regular expression need match the beginning only",
            unlisted(image="{value}"),
            {"profile": "p", "image--unlisted-choice": "good/image; evil"},
        ),
    ],
)
async def test_kubespawner_lets_through_what_mcks_refuses(
    why: str, listed: Any, posted: dict[str, Any]
) -> None:
    case = Case(why, "api", posted)
    assert await kubespawner_does(case, listed) is not None
    assert await we_do(case, listed) is None


@pytest.mark.parametrize(
    ("why", "listed", "posted", "changed"),
    [
        (
            "braces in an override are a format",
            unlisted(args=["{}", "${X:-y}", '{"a": 1}', "{value}"]),
            {"profile": "p", "image--unlisted-choice": "a/b"},
            {"args": ["{}", "${X:-y}", '{"a": 1}', "a/b"]},
        ),
        (
            "a dict over a plain value",
            [
                {
                    "display_name": "p",
                    "kubespawner_override": {"environment": {"OWN": {"name": "x", "gone": None}}},
                }
            ],
            {},
            {"environment": {"SHARED": "class", "OWN": {"name": "x"}}},
        ),
        (
            "an option with free text only",
            [
                {
                    "display_name": "p",
                    "profile_options": {
                        "note": {
                            "display_name": "Note",
                            "unlisted_choice": {
                                "enabled": True,
                                "kubespawner_override": {"args": ["{value}"]},
                            },
                        }
                    },
                }
            ],
            {},
            {},
        ),
    ],
)
async def test_kubespawner_fails_where_mcks_does_what_was_meant(
    why: str, listed: Any, posted: dict[str, Any], changed: dict[str, Any]
) -> None:
    case = Case(why, "api", posted)
    assert await kubespawner_does(case, listed) is None
    assert await we_do(case, listed) == values(ours([])) | changed


async def test_without_any_list_of_profiles_the_options_are_the_administrators_own() -> None:
    case = Case("none", "api", {"profile": "small"})
    assert await kubespawner_does(case, []) is None
    assert await we_do(case, []) == values(ours([]))


async def test_kubespawner_reads_python_attributes_by_a_value() -> None:
    case = Case("attributes", "api", {"profile": "p", "image--unlisted-choice": "a/b"})
    listed = unlisted(image="x:{value.__class__.__name__}")
    theirs, mine = await kubespawner_does(case, listed), await we_do(case, listed)
    assert theirs is not None
    assert mine is not None
    assert theirs["image"] == "x:str"
    assert mine["image"] == "x:{value.__class__.__name__}"


async def test_kubespawner_lets_a_field_of_an_option_change_the_profile() -> None:
    form = {"profile": ["a"], "profile-option-a--profile": ["b"]}
    listed = LISTS["marked"]
    theirs, mine = kubespawner(listed), ours(listed)
    assert theirs.options_from_form(form) == {"profile": "b"}
    assert mine.run_options_from_form(form) == {"profile": "a"}


@pytest.mark.parametrize("value", [7, ["a/b"], {"a": 1}])
async def test_what_is_no_text_crashes_kubespawner_and_its_form(value: Any) -> None:
    listed = unlisted(image="{value}")
    options = {"profile": "p", "image--unlisted-choice": value}
    theirs = kubespawner(listed)
    theirs.user_options = options
    with pytest.raises(TypeError):
        await theirs.load_user_options()
    mine = ours(listed)
    mine.user_options = options
    with pytest.raises(MCKSError, match="must be a text"):
        await mine.apply_profile(options)
    assert "mcks-profiles" in await mine.get_options_form()


@pytest.mark.parametrize(
    ("posted", "crash"), [({"image": "tensor"}, KeyError), ({"image": ["scipy"]}, TypeError)]
)
async def test_a_choice_that_is_not_there_is_a_crash_in_kubespawner(
    posted: dict[str, Any], crash: type[Exception]
) -> None:
    listed = LISTS["order"]
    theirs = kubespawner(listed)
    theirs.user_options = posted
    with pytest.raises(crash):
        await theirs.load_user_options()
    with pytest.raises(MCKSError, match="Known: scipy, torch"):
        await ours(listed).apply_profile(posted)


async def test_functions_that_are_async_are_not_awaited_by_kubespawner() -> None:
    async def image(_: Any) -> str:
        return "later:1"

    listed = [{"display_name": "p", "kubespawner_override": {"image": image}}]
    case = Case("async", "api", {})
    with pytest.warns(RuntimeWarning, match="never awaited"):
        assert await kubespawner_does(case, listed) is None
    assert (await we_do(case, listed) or {})["image"] == "later:1"


async def test_overrides_leak_into_the_next_start_of_kubespawner_only() -> None:
    listed = LISTS["plain"]
    theirs, mine = kubespawner(listed), ours(listed)
    theirs.user_options = {"profile": "large-big"}
    await theirs.load_user_options()
    theirs.clear_state()
    theirs.user_options = {"profile": "small"}
    await theirs.load_user_options()
    assert theirs.image == "large:1"
    await mine.apply_profile({"profile": "large-big"})
    mine.clear_state()
    await mine.apply_profile({"profile": "small"})
    assert mine.image == "class:1"
