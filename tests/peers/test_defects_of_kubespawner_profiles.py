"""What goes wrong with profiles of KubeSpawner does not with mcks, shown side by side."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError

from mcks.errors import ConfigError, MCKSError
from tests.core.profiles.kubespawner_cases import IMAGE, LISTS, Case
from tests.core.profiles.side_by_side import kubespawner, kubespawner_does, ours, values, we_do
from tests.core.profiles.test_options_form import Page


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
async def test_the_rules_for_a_written_value_hold_for_every_way_to_post_it(
    why: str, listed: Any, posted: dict[str, Any]
) -> None:
    """Without a profile, or behind a good beginning, any value passed: any image was started."""
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
async def test_what_an_administrator_may_well_write_works(
    why: str, listed: Any, posted: dict[str, Any], changed: dict[str, Any]
) -> None:
    """Braces, a dict over a plain value, and an option with free text only were errors."""
    case = Case(why, "api", posted)
    assert await kubespawner_does(case, listed) is None
    assert await we_do(case, listed) == values(ours([])) | changed


async def test_a_written_value_reaches_no_python_objects() -> None:
    """``{value.__class__}`` in an override was evaluated."""
    case = Case("attributes", "api", {"profile": "p", "image--unlisted-choice": "a/b"})
    listed = unlisted(image="x:{value.__class__.__name__}")
    theirs, mine = await kubespawner_does(case, listed), await we_do(case, listed)
    assert theirs is not None
    assert mine is not None
    assert theirs["image"] == "x:str"
    assert mine["image"] == "x:{value.__class__.__name__}"


async def test_a_field_of_an_option_does_not_change_the_profile() -> None:
    """A posted field named like an option ``profile`` replaced the profile."""
    form = {"profile": ["a"], "profile-option-a--profile": ["b"]}
    listed = LISTS["marked"]
    theirs, mine = kubespawner(listed), ours(listed)
    assert theirs.options_from_form(form) == {"profile": "b"}
    assert mine.run_options_from_form(form) == {"profile": "a"}


@pytest.mark.parametrize("value", [7, ["a/b"], {"a": 1}])
async def test_a_value_that_is_no_text_is_refused_and_the_form_stays_usable(value: Any) -> None:
    """A posted number or list locked its user out: start and form crashed until it was cleared."""
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
async def test_a_choice_that_is_not_there_is_refused_with_what_there_is(
    posted: dict[str, Any], crash: type[Exception]
) -> None:
    """An unknown choice was a KeyError, which is the hub's error 500."""
    listed = LISTS["order"]
    theirs = kubespawner(listed)
    theirs.user_options = posted
    with pytest.raises(crash):
        await theirs.load_user_options()
    with pytest.raises(MCKSError, match="Known: scipy, torch"):
        await ours(listed).apply_profile(posted)


async def test_an_async_function_in_an_override_is_awaited() -> None:
    """Async functions were documented and never awaited."""

    async def image(_: Any) -> str:
        return "later:1"

    listed = [{"display_name": "p", "kubespawner_override": {"image": image}}]
    case = Case("async", "api", {})
    with pytest.warns(RuntimeWarning, match="never awaited"):
        assert await kubespawner_does(case, listed) is None
    assert (await we_do(case, listed) or {})["image"] == "later:1"


async def test_what_one_start_overrides_does_not_leak_into_the_next() -> None:
    """What a profile set stayed set on the spawner, for other profiles, too."""
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


async def test_what_a_failed_start_has_half_set_does_not_leak_into_the_next() -> None:
    """Of a profile with a mistake, what came before the mistake stayed set."""
    listed = [
        {"display_name": "bad", "kubespawner_override": {"image": "half:1", "mem_limit": "much"}},
        {"display_name": "good"},
    ]
    theirs, mine = kubespawner(listed), ours(listed)
    theirs.user_options = {"profile": "bad"}
    with pytest.raises(TraitError):
        await theirs.load_user_options()
    theirs.clear_state()
    theirs.user_options = {"profile": "good"}
    await theirs.load_user_options()
    assert theirs.image == "half:1"
    with pytest.raises(ConfigError, match="mem_limit"):
        await mine.apply_profile({"profile": "bad"})
    mine.clear_state()
    await mine.apply_profile({"profile": "good"})
    assert mine.image == "class:1"


async def test_the_form_preselects_nothing_that_is_not_valid_any_more() -> None:
    """The form checked the saved options, and then showed them unchecked."""
    listed = unlisted(image="{value}")
    saved = {"profile": "p", "image--unlisted-choice": "NOT VALID"}
    theirs, mine = kubespawner(listed), ours(listed)
    theirs.user_options = mine.user_options = saved
    assert "NOT VALID" in theirs.options_form
    page = Page(await mine.get_options_form())
    assert "NOT VALID" not in page.html
    assert [option["value"] for option in page.options if "selected" in option] == ["scipy"]
