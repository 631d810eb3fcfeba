"""Who may choose what, and what becomes of a choice, by whichever way it comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import escape
from tornado import web

from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Created
from mcks.core.servers.state import State
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.start import Start
from mcks.errors import (
    ConfigError,
    NotAllowed,
    UnknownProfile,
)
from tests.core.profiles.choosing.common import CLUSTERS, form_of, refusal, spawner_of, start

# -- options --------------------------------------------------------------------------------


async def test_the_profile_and_then_its_options_set_traits() -> None:
    spawner = spawner_of()
    await start(spawner, {"profile": "large", "where": "there"})
    assert (spawner.image, spawner.cluster) == ("torch:1", "b")


async def test_nothing_leaks_into_the_next_start() -> None:
    spawner = spawner_of()
    await start(spawner, {"profile": "large", "image--unlisted-choice": "mine:1"})
    assert spawner.image == "mine:1"
    await start(spawner, {"profile": "small"})
    assert spawner.image == "pangeo/pangeo-notebook:latest"
    await refusal(spawner, {"profile": "gone"})
    await start(spawner, {"profile": "large"})
    assert spawner.mem_limit is None


async def test_functions_are_asked_with_the_spawner_and_may_be_async() -> None:
    async def image(spawner: Any) -> str:
        return f"{spawner.user.name}:{spawner.mem_limit}"

    listed = [{"display_name": "x", "spawner_override": {"mem_limit": "1K", "image": image}}]
    spawner = spawner_of(listed=listed)
    await start(spawner, {})
    assert spawner.image == "ada:1024"


async def test_a_function_that_lists_nothing_changes_nothing() -> None:
    spawner = spawner_of(listed=lambda _: [])
    assert await form_of(spawner) == ""
    await start(spawner, {})
    assert spawner.image == "pangeo/pangeo-notebook:latest"


async def test_an_override_that_is_no_trait_says_what_to_write_instead() -> None:
    override = {"spawner_override": {"node_selector": {"disk": "ssd"}}}
    spawner = spawner_of(listed=[{"display_name": "x", **override}])
    with pytest.raises(ConfigError, match=r"(?s)an entry of 'patches'.*nodeSelector:\n *disk: ssd"):
        await spawner.apply_profile({})


# -- what does not exist ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "lage"}, "Did you mean 'large'? Known: large, small"),
        ({"profile": "large", "image": "tensor"}, "Known: torch"),
        ({"profile": "large", "image--unlisted-choice": "NO"}, "image cannot be 'NO'"),
        ({"profile": "large", "image--unlisted-choice": ["x"]}, "must be a text, not list"),
        ({"profile": ["large"]}, "unknown profile"),
    ],
)
async def test_a_posted_choice_that_does_not_exist_is_a_400_with_what_there_is(
    options: dict[str, Any], message: str
) -> None:
    error = await refusal(spawner_of(), options)
    assert error.status_code == 400
    assert message in error.jupyterhub_message
    assert "mistake" not in error.jupyterhub_message


async def test_a_refused_choice_is_not_remembered() -> None:
    spawner = spawner_of(saved={"profile": "large"})
    await refusal(spawner, {"profile": "gone"})
    assert spawner.orm_spawner.user_options == {"profile": "large"}
    assert (await refusal(spawner, {"profile": "gone"})).status_code == 400


async def test_saved_options_that_name_what_is_gone_start_the_default_with_a_notice() -> None:
    spawner = spawner_of(saved={"profile": "gone", "image": "x"})
    html = await form_of(spawner)
    assert 'value="small" checked' in html.replace("\n", " ")
    await start(spawner, None)
    assert spawner.choosing.profile == "small"
    (notice,) = spawner.choosing.notices
    assert notice == "The profile 'gone' is not there: 'Small' is chosen instead."
    assert f'role="alert">{escape(notice)}</p>' in html


async def test_the_notice_is_on_the_progress_page() -> None:
    spawner = spawner_of(saved={"profile": "gone"}, objects={"00-secret": None})
    await start(spawner, None)
    progress = Progress()
    with pytest.raises(ConfigError):
        await Start(spawner, progress).run()
    progress.end()
    lines = [line["message"] async for line in progress.follow()]
    assert lines == list(spawner.choosing.notices)


async def test_a_form_posted_with_what_is_gone_is_refused_even_if_it_was_used_before() -> None:
    spawner = spawner_of(saved={"profile": "gone"})
    options = spawner.run_options_from_form({"profile": ["gone"]})
    assert (await refusal(spawner, options)).status_code == 400


# -- who may ---------------------------------------------------------------------------------


async def test_the_form_shows_only_what_the_user_may_choose() -> None:
    outside, inside = await form_of(spawner_of()), await form_of(spawner_of("insiders"))
    assert 'value="gpu"' not in outside
    assert 'value="secret"' not in outside
    assert 'value="gpu"' in inside
    assert 'value="secret"' in inside


@pytest.mark.parametrize("options", [{"profile": "gpu"}, {"profile": "large", "image": "secret"}])
async def test_a_crafted_post_of_what_is_not_allowed_is_a_403(options: dict[str, Any]) -> None:
    error = await refusal(spawner_of(), options)
    assert error.status_code == 403
    assert error.reason in ("not-allowed", None)  # JupyterHub 5 has none
    assert error.jupyterhub_message == NotAllowed.user_message
    await start(spawner_of("insiders"), options)


async def test_saved_options_that_are_not_allowed_any_more_are_a_403() -> None:
    assert (await refusal(spawner_of(saved={"profile": "gpu"}), None)).status_code == 403


async def test_the_list_of_what_there_is_names_nothing_hidden() -> None:
    error = await refusal(spawner_of(), {"profile": "gpuu"})
    assert error.jupyterhub_message == "unknown profile 'gpuu'. Known: large, small"


async def test_an_empty_list_of_groups_is_nobody() -> None:
    listed = [{"display_name": "x", "allowed_groups": []}]
    error = await refusal(spawner_of("x", listed=listed), {})
    assert error.status_code == 403
    assert "You may not use" in await form_of(spawner_of("x", listed=listed))


async def no(spawner: Any) -> bool:
    return False


def broken(spawner: Any) -> bool:
    raise KeyError("x")


@pytest.mark.parametrize("allow", [no, broken, lambda spawner: None])
async def test_a_function_that_does_not_say_yes_hides_and_denies(allow: Any) -> None:
    listed = [{"display_name": "open"}, {"display_name": "shut", "allow": allow, "default": True}]
    assert 'value="shut"' not in await form_of(spawner_of(listed=listed))
    assert (await refusal(spawner_of(listed=listed), {"profile": "shut"})).status_code == 403
    spawner = spawner_of(listed=listed)
    await start(spawner, {})
    assert spawner.choosing.profile == "open"


async def test_a_start_asks_only_of_the_profile_that_was_chosen_whether_it_is_allowed() -> None:
    asked: list[str] = []

    def profile(name: str) -> dict[str, Any]:
        def allow(_spawner: Any) -> bool:
            asked.append(name)
            return True

        return {"display_name": name, "allow": allow}

    listed = [profile(f"p{number}") for number in range(300)]
    spawner = spawner_of(listed=listed)
    await start(spawner, {"profile": "p217"})
    assert (spawner.choosing.profile, asked) == ("p217", ["p217"])


async def test_groups_and_function_must_both_say_yes() -> None:
    rule = {"allowed_groups": ["g"], "allow": lambda spawner: spawner.user.name == "ada"}
    listed = [{"display_name": "x", **rule}]
    await start(spawner_of("g", listed=listed), {})
    assert (await refusal(spawner_of(listed=listed), {})).status_code == 403


async def test_a_profile_without_any_choice_left_is_not_allowed() -> None:
    options = {"image": {"choices": {"x": {"allowed_groups": ["g"]}}}}
    listed = [{"display_name": "a"}, {"display_name": "b", "profile_options": options}]
    assert 'value="b"' not in await form_of(spawner_of(listed=listed))
    assert (await refusal(spawner_of(listed=listed), {"profile": "b"})).status_code == 403


RULES = [{"allowed_groups": ["west"]}, {"allow": lambda spawner: len(spawner.user.groups) == 1}]


@pytest.mark.parametrize("rule", RULES)
async def test_a_clusters_rule_hides_what_starts_there(rule: dict[str, Any]) -> None:
    clusters = CLUSTERS | {"b": CLUSTERS["b"] | rule}
    spawner = spawner_of(clusters=clusters)
    assert 'value="there"' not in await form_of(spawner)
    options = {"profile": "large", "where": "there"}
    assert (await refusal(spawner, options)).status_code == 403
    await start(spawner_of("west", clusters=clusters), options)


@pytest.mark.parametrize("rule", RULES)
async def test_a_clusters_rule_holds_whoever_chose_the_cluster(rule: dict[str, Any]) -> None:
    clusters = CLUSTERS | {"b": CLUSTERS["b"] | rule}
    spawner = spawner_of(clusters=clusters, listed=[])
    spawner.cluster = "b"
    with pytest.raises(web.HTTPError) as caught:
        await spawner.start()
    assert caught.value.status_code == 403
    assert spawner.remembered.created is None


# -- links -----------------------------------------------------------------------------------


async def linked(spawner: MultiClusterKubeSpawner, **query: list[bytes]) -> dict[str, list[bytes]]:
    request = SimpleNamespace(method="GET", path="/hub/spawn", query_arguments=dict(query))
    spawner.handler = SimpleNamespace(request=request)
    await spawner.run_auth_state_hook(None)
    found: dict[str, list[bytes]] = request.query_arguments
    return found


async def test_a_link_preselects_and_starts_nothing() -> None:
    spawner = spawner_of()
    query = {"profile": [b"large"], "profile-option-large--where": [b"there"]}
    assert await linked(spawner, **query) == {}
    html = await form_of(spawner)
    assert 'value="large" checked' in html.replace("\n", " ")
    assert '<option value="there" selected>' in html


@pytest.mark.parametrize("value", [b"gone", b"\xff", b"<script>"])
async def test_a_link_to_what_is_not_there_shows_the_default(value: bytes) -> None:
    spawner = spawner_of()
    await linked(spawner, profile=[value])
    html = await form_of(spawner)
    assert 'value="small" checked' in html.replace("\n", " ")
    assert html.count("<script>") == 1
    assert html.count("is not there: &#39;Small&#39; is chosen instead.") == 1


async def test_a_link_to_an_option_that_is_not_there_says_so() -> None:
    spawner = spawner_of()
    await linked(spawner, profile=[b"large"], **{"profile-option-large--where": [b"gone"]})
    html = await form_of(spawner)
    assert "where: what was chosen is not there: &#39;here&#39; is chosen instead." in html


async def test_links_in_jupyterhubs_own_words_still_start() -> None:
    left = await linked(spawner_of(), **{"opt-profile": [b"large"], "next": [b"/x"]})
    assert set(left) == {"opt-profile", "next"}


# -- hooks -----------------------------------------------------------------------------------


async def test_the_administrators_own_hook_sees_what_the_profile_set() -> None:
    seen: list[str] = []
    spawner = spawner_of(apply_user_options=lambda s, options: seen.append(s.image))
    await start(spawner, {"profile": "large"})
    assert seen == ["torch:1"]


async def test_errors_know_what_they_are() -> None:
    with pytest.raises(UnknownProfile):
        await spawner_of().apply_profile({"profile": "x"})
    with pytest.raises(NotAllowed):
        await spawner_of().apply_profile({"profile": "gpu"})


# -- what administrators see ------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"profile": "large", "where": "there"}])
async def test_the_servers_model_names_profile_and_answers_also_if_nothing_was_said(
    given: dict[str, Any],
) -> None:
    """JupyterHub's admin page shows ``user_options.profile``."""
    spawner = spawner_of()
    await start(spawner, given)
    expected = {"profile": "small"} if not given else {**given, "image": "torch"}
    assert spawner.user_options == expected
    assert spawner.orm_spawner.user_options == given


async def test_a_value_of_ones_own_is_named_as_such() -> None:
    spawner = spawner_of()
    await start(spawner, {"profile": "large", "image--unlisted-choice": "mine:1"})
    assert spawner.user_options == {
        "profile": "large",
        "image--unlisted-choice": "mine:1",
        "where": "here",
    }


async def test_a_hub_that_restarts_still_names_the_profile() -> None:
    before = spawner_of()
    await start(before, {})
    created = Created("jupyter-ada", "default", "", {"Pod": "uid"})
    before.remembered = State(created, "a", profile=before.choosing.profile)
    saved = before.get_state()
    assert saved["profile"] == "small"
    after = spawner_of(saved={})
    after.load_state(saved)
    assert after.user_options == {"profile": "small"}
