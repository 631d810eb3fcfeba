"""Who may choose what, and what becomes of a choice, by whichever way it comes."""

from __future__ import annotations

import contextlib
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web
from traitlets.config import Config

from mcks.core import plan
from mcks.core.apply import Created
from mcks.core.config_check import sample_spawner
from mcks.core.pool import Pool, pool_of
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import (
    AuthError,
    ConfigError,
    MCKSError,
    NotAllowed,
    UnknownProfile,
    Unreachable,
)
from tests.core import kubeconfigs

CLUSTERS: dict[str, Any] = {
    "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"},
    "b": {"context": "ctx-b", "ingress_public_url": "http://192.0.2.2"},
}
LISTED: list[dict[str, Any]] = [
    {"display_name": "Small", "cluster": "a", "spawner_override": {"mem_limit": "1G"}},
    {
        "display_name": "Large",
        "cluster": "a",
        "profile_options": {
            "image": {
                "choices": {
                    "torch": {"spawner_override": {"image": "torch:1"}},
                    "secret": {
                        "allowed_groups": ["insiders"],
                        "spawner_override": {"image": "secret:1"},
                    },
                },
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": "[a-z:0-9]+",
                    "spawner_override": {"image": "{value}"},
                },
            },
            "where": {"choices": {"here": {}, "there": {"cluster": "b"}}},
        },
    },
    {"display_name": "GPU", "cluster": "a", "allowed_groups": ["gpu", "insiders"]},
]


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))


def spawner_of(
    *groups: str,
    saved: dict[str, Any] | None = None,
    listed: Any = LISTED,
    clusters: dict[str, Any] = CLUSTERS,
    **settings: Any,
) -> MultiClusterKubeSpawner:
    """Make the spawner of a user in *groups*, as the hub does, with *saved* options."""
    config = Config()
    config.MultiClusterKubeSpawner.clusters = clusters
    config.MultiClusterKubeSpawner.profile_list = listed
    config.MultiClusterKubeSpawner.update(settings)
    spawner = sample_spawner(config, "ada")
    spawner.user.groups = [SimpleNamespace(name=name) for name in groups]
    spawner.orm_spawner = SimpleNamespace(name="", server=None, state={}, user_options=saved)
    spawner.user_options = saved or {}
    spawner.choosing.remember(saved)
    return spawner


async def start(spawner: MultiClusterKubeSpawner, options: dict[str, Any] | None) -> None:
    """Do what the hub does before ``start``; None is a start without options."""
    if options is None:
        options = spawner.orm_spawner.user_options or {}
    else:
        spawner.orm_spawner.user_options = options
    spawner.user_options = options
    spawner.clear_state()
    await spawner._run_apply_user_options(options)


async def refusal(spawner: MultiClusterKubeSpawner, options: dict[str, Any] | None) -> Any:
    with pytest.raises(web.HTTPError) as caught:
        await start(spawner, options)
    return caught.value


async def form_of(spawner: MultiClusterKubeSpawner) -> str:
    return str(await spawner.get_options_form())


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


async def test_templates_see_the_chosen_options() -> None:
    patch = "kind: Pod\nmetadata: {name: '{{key}}', annotations: {x: '{{ options.image }}'}}"
    spawner = spawner_of(patches={"1": patch})
    await start(spawner, {"profile": "large", "image--unlisted-choice": "mine"})
    planned = plan.make(spawner, spawner.configured(Pool(spawner.config, logging.getLogger("t"))))
    (pod,) = (m for m in planned.objects if m["kind"] == "Pod")
    assert pod["metadata"]["annotations"]["x"] == "mine"


async def test_an_override_that_is_no_trait_says_what_to_write_instead() -> None:
    override = {"kubespawner_override": {"node_selector": {"disk": "ssd"}}}
    spawner = spawner_of(listed=[{"display_name": "x", **override}])
    with pytest.raises(ConfigError, match=r"(?s)an entry of 'patches'.*nodeSelector: {disk: ssd}"):
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
    assert 'value="small" checked' in (await form_of(spawner)).replace("\n", " ")
    await start(spawner, None)
    assert spawner.choosing.profile == "small"
    (notice,) = spawner.choosing.notices
    assert "'gone' of your last server is not there any more" in notice


async def test_the_notice_is_on_the_progress_page() -> None:
    spawner = spawner_of(saved={"profile": "gone"}, objects={"00-secret": None})
    await start(spawner, None)
    with pytest.raises(web.HTTPError):
        await spawner.start()
    assert spawner._progress is not None
    lines = [line["message"] async for line in spawner._progress.follow()]
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
    assert spawner._created is None


# -- links -----------------------------------------------------------------------------------


async def linked(spawner: MultiClusterKubeSpawner, **query: list[bytes]) -> dict[str, list[bytes]]:
    request = SimpleNamespace(method="GET", path="/hub/spawn", query_arguments=dict(query))
    spawner.handler = SimpleNamespace(request=request)
    await spawner.run_auth_state_hook(None)
    return request.query_arguments


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
    before._created = Created("jupyter-ada", "default", "", {"Pod": "uid"})
    before._cluster_name = "a"
    saved = before.get_state()
    assert saved["profile"] == "small"
    after = spawner_of(saved={})
    after.load_state(saved)
    assert after.user_options == {"profile": "small"}


# -- clusters that are away -------------------------------------------------------------------


def away(spawner: MultiClusterKubeSpawner, *clusters: str) -> MultiClusterKubeSpawner:
    """Let *clusters* be unavailable."""
    spawner.unavailable = (  # type: ignore[method-assign]
        lambda name: f"{name} <does> not answer." if name in clusters else ""
    )
    return spawner


def radios(html: str) -> dict[str, str]:
    """Slug -> checked, disabled, or nothing."""
    found = re.findall(r'value="([\w-]+)"([^<>]*) required>', html)
    return {
        slug: " ".join(word for word in rest.split() if word in ("checked", "disabled"))
        for slug, rest in found
    }


async def fail(spawner: MultiClusterKubeSpawner, cluster: str, error: MCKSError) -> None:
    breaker = pool_of(spawner.config, spawner.log).breaker(cluster, spawner.clusters)
    for _ in range(3):
        with contextlib.suppress(MCKSError), breaker.attempt():
            raise error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unreachable("10.1.2.3 refuses"), "its cluster does not answer."),
        (AuthError("no role arn:x"), "the hub cannot log in to its cluster."),
    ],
)
async def test_a_cluster_that_fails_again_and_again_is_away_until_it_answers(
    error: MCKSError, words: str
) -> None:
    spawner = spawner_of(listed=TWO)
    assert radios(await form_of(spawner)) == {"here": "checked", "there": ""}
    await fail(spawner, "a", error)
    html = await form_of(spawner)
    assert radios(html) == {"here": "disabled", "there": "checked"}
    assert f"Unavailable at the moment: {words}</div>" in html
    assert str(error) not in html
    breaker = pool_of(spawner.config, spawner.log).breaker("a", spawner.clusters)
    with breaker.attempt(forced=True):
        pass
    assert radios(await form_of(spawner)) == {"here": "checked", "there": ""}


TWO = [
    {"display_name": "Here", "cluster": "a", "description": "Near"},
    {"display_name": "There", "cluster": "b"},
]


async def test_a_profile_of_a_cluster_that_is_away_cannot_be_chosen_and_says_why() -> None:
    html = await form_of(away(spawner_of(listed=TWO), "a"))
    assert radios(html) == {"here": "disabled", "there": "checked"}
    assert (
        'id="profile-off-here">Unavailable at the moment: a &lt;does&gt; not answer.</div>' in html
    )
    assert radios(await form_of(spawner_of(listed=TWO))) == {"here": "checked", "there": ""}


async def test_a_remembered_profile_that_is_away_gives_its_place_to_the_first_that_is_not() -> None:
    html = await form_of(away(spawner_of(listed=TWO, saved={"profile": "there"}), "b"))
    assert radios(html) == {"here": "checked", "there": "disabled"}


async def test_if_all_is_away_nothing_can_be_chosen_and_the_form_says_so() -> None:
    html = await form_of(away(spawner_of(listed=TWO), "a", "b"))
    assert radios(html) == {"here": "disabled", "there": "disabled"}
    assert "No server can start at the moment." in html


async def test_an_option_that_chooses_among_clusters_decides_for_its_profile() -> None:
    where = {"choices": {"a": {"cluster": "a"}, "b": {"cluster": "b"}}}
    listed = [{"display_name": "Any", "cluster": "a", "profile_options": {"where": where}}]
    saved = {"profile": "any", "where": "a"}
    html = await form_of(away(spawner_of(listed=listed, saved=saved), "a"))
    assert radios(html) == {"any": "checked"}
    assert '<option value="a" disabled>a (unavailable at the moment)</option>' in html
    assert '<option value="b" selected>b</option>' in html
    html = await form_of(away(spawner_of(listed=listed), "a", "b"))
    assert radios(html) == {"any": "disabled"}


async def test_the_only_cluster_is_meant_by_profiles_that_name_none() -> None:
    spawner = spawner_of(listed=[{"display_name": "X"}], clusters={"a": CLUSTERS["a"]})
    assert radios(await form_of(away(spawner, "a"))) == {"x": "disabled"}


async def test_what_a_user_wrote_stays_while_another_choice_is_away() -> None:
    options = {
        "where": {"choices": {"a": {"cluster": "a"}, "b": {"cluster": "b"}}},
        "image": {"unlisted_choice": {"enabled": True}},
    }
    listed = [{"display_name": "Any", "profile_options": options}]
    saved = {"profile": "any", "where": "a", "image--unlisted-choice": "mine:1"}
    html = await form_of(away(spawner_of(listed=listed, saved=saved), "a"))
    assert 'value="mine:1"' in html
    assert '<option value="b" selected>b</option>' in html
