"""Where a user's data is: the form says it, and a start elsewhere is refused, or asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mcks.core.clusters import pool
from mcks.core.objects import Ref
from mcks.core.servers.state import UserObject
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import Unreachable
from tests.core.profiles.choosing.common import CLUSTERS, form_of, refusal, spawner_of, start

HOME = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: "{{key}}", annotations: {mcks.hub.jupyter.org/lifetime: user}}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
CLAIM = Ref("v1", "PersistentVolumeClaim", "jupyter-ada", "default")
YES = {"mcks-data": "elsewhere"}
LISTED: list[dict[str, Any]] = [
    {"display_name": "Here", "cluster": "a"},
    {"display_name": "There", "cluster": "b"},
    {"display_name": "Bare", "cluster": "b", "spawner_override": {"objects": {"05-home": None}}},
    {
        "display_name": "Choice",
        "cluster": "a",
        "profile_options": {"at": {"choices": {"a": {"cluster": "a"}, "b": {"cluster": "b"}}}},
    },
]


def at_home(*clusters: str, **settings: Any) -> MultiClusterKubeSpawner:
    """The spawner of a user with data in *clusters*; all servers but Bare have a home."""
    spawner = spawner_of(**{"listed": LISTED, **settings})
    spawner.objects = {**spawner.objects, "05-home": HOME}
    data = tuple(UserObject(cluster, CLAIM) for cluster in clusters)
    spawner.remembered = spawner.remembered._replace(data=data)
    return spawner


@pytest.fixture(autouse=True)
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters in which a server was about to start; none of them answers."""
    clusters: list[str] = []

    async def connect(_pool: pool.Pool, name: str, *_: Any) -> None:
        clusters.append(name)
        raise Unreachable("no network here")

    monkeypatch.setattr(pool.Pool, "connect", connect)
    return clusters


async def told(spawner: MultiClusterKubeSpawner, options: dict[str, Any] | None) -> Any:
    """Start as the hub does, and return what its pages read."""
    await start(spawner, options)
    with pytest.raises(Exception, match=r".") as caught:
        await spawner.start()
    return caught.value


@pytest.mark.parametrize("policy", ["stay", "ask"])
async def test_a_start_away_from_data_is_refused_before_a_cluster_is_asked(
    policy: str, tried: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    said = await told(at_home("a", data=policy), {"profile": "there"})
    assert said.jupyterhub_message.startswith("Your data is in a, and not in b.")
    assert "Reference" not in said.jupyterhub_html_message
    assert tried == []
    (record,) = [r for r in caplog.records if "did not start" in r.getMessage()]
    assert record.levelname == "WARNING"
    await told(at_home("a", data=policy), {"profile": "here"})
    assert tried == ["a"]


async def test_a_hub_that_says_nothing_starts_where_the_profile_says(tried: list[str]) -> None:
    await told(at_home("a"), {"profile": "there"})
    assert tried == ["b"]


async def test_a_profile_may_say_otherwise(tried: list[str]) -> None:
    listed = [{**LISTED[1], "spawner_override": {"data": "stay"}}]
    await told(at_home("a", listed=listed, data="ignore"), {"profile": "there"})
    assert tried == []


async def test_a_server_without_volumes_starts_anywhere(tried: list[str]) -> None:
    await told(at_home("a", data="stay"), {"profile": "bare"})
    assert tried == ["b"]


async def test_data_in_the_cluster_is_enough_though_there_is_more_elsewhere(
    tried: list[str],
) -> None:
    await told(at_home("a", "b", data="stay"), {"profile": "there"})
    await told(at_home("b", "a", data="stay"), {"profile": "there"})
    assert tried == ["b", "b"]


async def test_who_agrees_starts_without_their_data_once(tried: list[str]) -> None:
    spawner = at_home("a", data="ask")
    await told(spawner, {"profile": "there", **YES})
    assert tried == ["b"]
    assert spawner.orm_spawner.user_options == {"profile": "there"}
    assert "mcks-data" not in spawner.user_options
    await told(spawner, None)
    assert tried == ["b"]
    await told(spawner, {"profile": "there", **YES})
    assert tried == ["b", "b"]


async def test_nobody_can_agree_where_data_is_to_stay(tried: list[str]) -> None:
    said = await told(at_home("a", data="stay"), {"profile": "there", **YES})
    assert "mcks-data" not in said.jupyterhub_html_message
    assert tried == []


async def test_the_error_page_leads_to_a_form_that_agrees() -> None:
    said = await told(at_home("a", data="ask"), {"profile": "there"})
    assert said.jupyterhub_html_message.endswith(
        '<a href="/hub/spawn/ada">Try again</a> or '
        '<a href="/hub/spawn/ada?mcks-data=elsewhere">start without it</a>'
    )


@pytest.mark.parametrize("answer", ["yes", 1, ["elsewhere"], {"a": 1}])
async def test_another_answer_is_refused(answer: Any, tried: list[str]) -> None:
    said = await refusal(at_home("a", data="ask"), {"profile": "there", "mcks-data": answer})
    assert said.jupyterhub_message.startswith("mcks-data can only be 'elsewhere'")
    assert tried == []


async def test_without_profiles_one_may_agree_as_well(tried: list[str]) -> None:
    spawner = at_home("a", data="ask", listed=[], cluster="b")
    assert await form_of(spawner) == ""
    await told(spawner, {})
    assert tried == []
    link(spawner)
    assert is_checked(await form_of(spawner))
    await told(spawner, spawner.choosing.posted({"mcks-data": ["elsewhere"]}))
    assert tried == ["b"]
    assert await form_of(spawner) == ""


def link(spawner: MultiClusterKubeSpawner, **fields: str) -> None:
    query = {"mcks-data": [b"elsewhere"]}
    query |= {name: [value.encode()] for name, value in fields.items()}
    spawner.choosing.take_link(query)
    assert not query, "the hub would start a server with what is left"


def is_checked(html: str) -> bool | None:
    """Whether the form's question is answered; None if it asks none."""
    found = re.search(r'<input type="checkbox" name="mcks-data"[^<>]*>', html)
    return None if found is None else "checked" in found[0]


async def test_the_form_says_where_the_data_is_and_asks_only_if_the_answer_may_count() -> None:
    assert "Your data is in a." in await form_of(at_home("a"))
    assert is_checked(await form_of(at_home("a"))) is None
    assert is_checked(await form_of(at_home("a", data="stay"))) is None
    assert is_checked(await form_of(at_home("a", data="ask"))) is False
    assert is_checked(await form_of(at_home("a", data="ask", listed=LISTED[:1]))) is None
    assert "Your data" not in await form_of(at_home(data="ask"))
    only = {"clusters": {"a": CLUSTERS["a"]}, "listed": LISTED[:1]}
    assert "Your data" not in await form_of(at_home("a", **only))


async def test_the_form_knows_which_profiles_and_choices_may_need_an_answer() -> None:
    html = await form_of(at_home("a", data="ask"))
    profiles = re.findall(r'class="mcks-profile"( data-mcks-asks="yes")?>', html)
    assert [bool(asks) for asks in profiles] == [False, True, True, False]
    assert re.findall(r'<option value="(\w)" data-mcks-asks="(\w+)"', html) == [
        ("a", "no"),
        ("b", "yes"),
    ]


async def test_a_link_that_agrees_keeps_what_was_chosen_last() -> None:
    spawner = at_home("a", data="ask", saved={"profile": "there"})
    link(spawner)
    html = await form_of(spawner)
    assert is_checked(html)
    assert re.findall(r'value="(\w+)" checked', html) == ["there"]
    link(spawner, profile="choice")
    assert re.findall(r'value="(\w+)" checked', await form_of(spawner)) == ["choice"]
