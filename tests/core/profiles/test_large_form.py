"""The form of 200 profiles asks nobody, whatever is listed. Its time is in bench_form."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.profiles import options_form
from mcks.core.profiles.offer import with_questions
from mcks.core.profiles.profile_list import Profile, parse
from tests.bench.profiles import profile
from tests.core import kubeconfigs


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whom anything tries to reach, or to look up; nobody is reached."""
    found: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        found.append(arguments)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return found


async def test_the_form_of_200_profiles_in_two_clusters_makes_no_network_call(
    called: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "a", "b")))
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        name: {"context": name, "ingress_public_url": f"http://{name}.example.org"} for name in "ab"
    }
    config.MultiClusterKubeSpawner.profile_list = [
        profile(number) | {"cluster": "ab"[number % 2]} for number in range(200)
    ]
    html = await sample_spawner(config, "ada", "profile-0").choosing.form()
    assert html.count('name="profile"') == 200
    assert called == []
    for host in ("127.0.0.1", "a.example.org"):
        with pytest.raises(OSError, match="no network here"):
            await asyncio.open_connection(host, 9)
    assert len(called) == 2


async def test_what_is_shown_of_a_profile_is_made_once_for_all_who_have_not_chosen_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, made = Config(), list[str]()
    config.MultiClusterKubeSpawner.profile_list = [profile(number) for number in range(20)]
    seen = options_form._seen

    def count(one: Profile, **words: Any) -> dict[str, Any]:
        made.append(one.slug)
        return seen(one, **words)

    monkeypatch.setattr(options_form, "_seen", count)
    forms = {}
    for user, chosen in (("ada", "profile-3"), ("bob", "profile-4"), ("eve", "profile-3")):
        spawner = sample_spawner(config, user)
        spawner.user_options = {"profile": chosen}
        forms[user] = await spawner.choosing.form()
    unchosen, chosen_by_each = {f"profile-{n}" for n in range(20)}, ["profile-3"] * 2
    assert sorted(made) == sorted([*unchosen, *chosen_by_each, "profile-4"])
    assert forms["ada"] == forms["eve"] != forms["bob"]
    assert forms["bob"].count(" checked") == 1


def test_profiles_that_nothing_is_asked_about_stay_the_same_objects_for_all_users() -> None:
    listed = parse([profile(number) for number in range(3)]).profiles
    marked = with_questions(listed, lambda _: False)
    assert [id(one) for one in marked] == [id(one) for one in listed]
    assert [one.asks for one in with_questions(listed, lambda _: True)] == [True] * 3
