"""Who has the last word on a trait, on a real hub: configuration, group, profile, option, hooks.

The spawner of this hub writes down what it would start with, and starts nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.plain_hub import Running, serving

pytestmark = pytest.mark.slow

_MORE = """
import json
from tornado import web
from mcks.core.spawner import MultiClusterKubeSpawner


class Recorder(MultiClusterKubeSpawner):
    async def start(self):
        seen = {
            "environment": {k: v for k, v in self.get_env().items() if k.startswith("OF_")},
            "cmd": self.cmd,
            "args": self.args,
            "mem_limit": self.mem_limit,
            "profile": self.user_options.get("profile"),
        }
        with open(f"{self.user.name}.json", "w") as file:
            json.dump(seen, file)
        raise web.HTTPError(418, "recorded")


def said_by(who, *names):
    return {f"OF_{name}": who for name in names}


def apply(spawner, user_options):
    spawner.environment.update(said_by("apply", "APPLY", "HOOK"))
    if user_options.get("by_hand"):
        spawner.mem_limit = user_options["by_hand"]


def hook(spawner):
    spawner.environment.update(said_by("hook", "HOOK"))
    spawner.environment["OF_SEEN"] = f"{spawner.cmd[0]} {spawner.mem_limit}"
    if spawner.user.name == "dan":
        spawner.mem_limit = "9K"


c.JupyterHub.spawner_class = Recorder
c.Spawner.consecutive_failure_limit = 0
c.JupyterHub.load_groups = {"staff": {"users": ["bob", "dan"]}}
ALL = ("CONFIG", "GROUP", "PROFILE", "OPTION", "APPLY", "HOOK")
c.Spawner.environment = said_by("config", *ALL)
c.Spawner.cmd = ["config"]
c.Spawner.args = ["--config"]
c.Spawner.mem_limit = "1K"
c.Spawner.group_overrides = {
    "staff": {
        "groups": ["staff"],
        "spawner_override": {
            "environment": said_by("group", *ALL[1:]),
            "cmd": ["group"],
            "args": ["--group"],
            "mem_limit": "2K",
        },
    }
}
c.MultiClusterKubeSpawner.profile_list = [
    {"display_name": "Plain"},
    {
        "display_name": "Full",
        "spawner_override": {
            "environment": {**said_by("profile", *ALL[2:]), "OF_CONFIG": None},
            "cmd": ["profile"],
            "args": ["--profile"],
            "mem_limit": "3K",
        },
        "profile_options": {
            "size": {
                "choices": {
                    "same": {},
                    "big": {
                        "spawner_override": {
                            "environment": said_by("option", *ALL[3:]),
                            "mem_limit": "4K",
                        }
                    },
                }
            }
        },
    },
]
c.Spawner.apply_user_options = apply
c.Spawner.pre_spawn_hook = hook
"""


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with serving(tmp_path, unused_tcp_port, _MORE) as running:
        yield running


async def seen(hub: Running, user: str, **options: str) -> dict[str, Any]:
    """Return what the server of *user* would start with."""
    status, message = await hub.api(user, options)
    assert status == 418, message
    found: dict[str, Any] = json.loads((hub.log.parent / f"{user}.json").read_text())
    return found


def values(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["cmd"], found["args"], found["mem_limit"]


async def test_the_later_word_wins(hub: Running) -> None:
    plain = await seen(hub, "ada", profile="plain")
    assert values(plain) == (["config"], ["--config"], 1024)
    assert plain["environment"] == {
        "OF_CONFIG": "config",
        "OF_GROUP": "config",
        "OF_PROFILE": "config",
        "OF_OPTION": "config",
        "OF_APPLY": "apply",
        "OF_HOOK": "hook",
        "OF_SEEN": "config 1024",
    }

    group = await seen(hub, "bob")
    assert values(group) == (["group"], ["--group"], 2048)
    assert group["profile"] == "plain"
    assert group["environment"]["OF_CONFIG"] == "config"
    assert group["environment"]["OF_OPTION"] == "group"

    full = await seen(hub, "bob", profile="full", size="big")
    assert values(full) == (["profile"], ["--profile"], 4096)
    assert full["environment"] == {
        "OF_GROUP": "group",
        "OF_PROFILE": "profile",
        "OF_OPTION": "option",
        "OF_APPLY": "apply",
        "OF_HOOK": "hook",
        "OF_SEEN": "profile 4096",
    }

    assert (await seen(hub, "ada", profile="full", by_hand="5K"))["mem_limit"] == 5 * 1024
    assert (await seen(hub, "dan", profile="full", by_hand="5K"))["mem_limit"] == 9 * 1024

    again = await seen(hub, "ada", profile="plain")
    assert again == plain, "something of the last start is left"
