"""An administrator's word before a start makes anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web

import mcks
from mcks.core.hub import error_pages
from mcks.core.placement import quota
from mcks.core.servers.progress import Progress
from mcks.core.start import Start
from mcks.errors import ConfigError, FunctionFailed, Refused
from tests.core.profiles.choosing.common import spawner_of


def spawner(function: Any) -> Any:
    return SimpleNamespace(quota=function, user=SimpleNamespace(name="ada"))


async def test_without_a_function_nothing_is_said() -> None:
    assert await quota.asked(spawner(None), "west") == ""


async def test_it_gets_the_spawner_and_the_cluster_and_may_be_async() -> None:
    async def credits_left(spawner: Any, cluster: str) -> str:
        return f"{spawner.user.name}: 12 credits left in {cluster}"

    assert await quota.asked(spawner(credits_left), "west") == "ada: 12 credits left in west"
    assert await quota.asked(spawner(lambda *_: None), "west") == ""


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_refusal_is_the_functions_own_sentence(elsewhere: bool) -> None:
    def refuse(*_: Any) -> None:
        raise mcks.Refused("No credits are left.", elsewhere=elsewhere)

    with pytest.raises(Refused) as caught:
        await quota.asked(spawner(refuse), "west")
    assert caught.value.jupyterhub_message == "No credits are left."
    assert caught.value.elsewhere is elsewhere


@pytest.mark.parametrize("answer", [False, True, 12])
async def test_an_answer_that_might_be_a_no_lets_nobody_through(answer: Any) -> None:
    with pytest.raises(ConfigError, match=r"quota: the function .* must give a text"):
        await quota.asked(spawner(lambda *_: answer), "west")


async def test_a_function_that_fails_lets_nobody_through() -> None:
    with pytest.raises(FunctionFailed, match=r"quota: the function .* raised ZeroDivisionError"):
        await quota.asked(spawner(lambda *_: 1 / 0), "west")


async def test_a_sentence_is_on_the_progress_page_before_anything_else_happens() -> None:
    one = spawner_of(cluster="a", objects={"00-secret": None})
    one.quota = lambda spawner, cluster: f"12 credits left in {cluster}"
    progress = Progress()
    with pytest.raises(ConfigError):
        await Start(one, progress).run()
    progress.end()
    assert [line["message"] async for line in progress.follow()] == ["12 credits left in a"]


async def test_a_refused_start_is_no_failure_of_the_hub_and_has_no_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = spawner_of(cluster="a")

    def refuse(*_: Any) -> None:
        raise mcks.Refused("No credits are left.")

    one.quota = refuse
    with pytest.raises(web.HTTPError) as caught:
        await one.start()
    error: Any = caught.value
    assert (error.status_code, error.jupyterhub_message) == (403, "No credits are left.")
    assert error_pages.reference_for(Refused("x")) == ""
    assert "did not start (cluster a): No credits are left." in caplog.text
    assert one.remembered.created is None
