"""A profile list is parsed once, whoever asks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.profiles import profile_list
from mcks.errors import ConfigError
from tests.core.profiles.choosing.common import LISTED


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    parses: list[Any] = []

    def parse(listed: Any) -> profile_list.Listed:
        parses.append(listed)
        return parsed(listed)

    parsed = profile_list.parse
    monkeypatch.setattr(profile_list, "parse", parse)
    return parses


async def test_the_profiles_of_all_spawners_are_parsed_once(parses: list[Any]) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = [*LISTED, {"display_name": "Once"}]
    for name in ("ada", "bob", "eve"):
        spawner = sample_spawner(config, name)
        for _ in range(3):
            assert len(await spawner.choosing.listed()) == len(LISTED) + 1
    assert len(parses) == 1
    spawner.profile_list.pop()
    assert len(await spawner.choosing.listed()) == len(LISTED)
    assert len(parses) == 2


async def test_what_a_function_lists_is_parsed_each_time(parses: list[Any]) -> None:
    config, listed = Config(), [{"display_name": "One"}]
    config.MultiClusterKubeSpawner.profile_list = lambda _: listed
    spawner = sample_spawner(config, "ada")
    assert [p.slug for p in await spawner.choosing.listed()] == ["one"]
    listed[0]["display_name"] = "Two"
    assert [p.slug for p in await spawner.choosing.listed()] == ["two"]
    assert len(parses) == 2


async def test_mistakes_and_what_has_no_effect_are_told_by_each_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = [
        {
            "display_name": "Good",
            "kubespawner_override": {"http_timeout": 3, "dns_name_template": "x"},
        },
        {"display_name": "Bad", "spawner_override": 3},
    ]
    for name in ("ada", "bob"):
        await sample_spawner(config, name).choosing.listed()
    assert caplog.text.count("A profile is left out, for everybody") == 1
    assert caplog.text.count("'dns_name_template' has no effect") == 1


def long_list() -> list[dict[str, Any]]:
    return [{"display_name": f"Profile {number}"} for number in range(100)]


async def test_a_long_list_is_parsed_once_and_not_in_the_thread_of_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def parse(listed: Any) -> profile_list.Listed:
        threads.append(threading.get_ident())
        return parsed(listed)

    parsed = profile_list.parse
    monkeypatch.setattr(profile_list, "parse", parse)
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = long_list()
    spawners = [sample_spawner(config, name) for name in ("ada", "bob", "eve")]
    listed = await asyncio.gather(*(spawner.choosing.listed() for spawner in spawners))
    assert [len(each) for each in listed] == [100] * 3
    assert len(await spawners[0].choosing.listed()) == 100
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_a_long_list_of_which_nothing_is_left_is_refused_each_time() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = [{"display_nam": "x"}] * 100
    spawner = sample_spawner(config, "ada")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"profile_list\[0\].*no profile is left"):
            await spawner.choosing.listed()
