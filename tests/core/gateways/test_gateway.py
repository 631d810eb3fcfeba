"""The gateway is asked until the server itself answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest
import trustme
from aiohttp import web

from mcks.core.api.turns import Turns
from mcks.core.gateways import gateway as gateway_module
from mcks.core.gateways.gateway import Probe, ask, wait_until_ready
from mcks.core.gateways.gateway_session import GatewaySession
from mcks.core.gateways.routes import Target
from tests.fakes.silence import silence

Answer = Callable[[web.Request], web.StreamResponse]
VERSION = {"X-JupyterHub-Version": "6.1.1"}


class NoTurns(Turns):
    """Nobody else is there."""

    async def next(self) -> None:
        """Return at once."""


@pytest.fixture
async def session() -> AsyncIterator[GatewaySession]:
    opened = GatewaySession(NoTurns())
    yield opened
    await opened.close()


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[str, list[Answer], list[web.Request]]]:
    """A gateway that gives the answers in turn, the last one for ever, and notes who asked."""
    answers: list[Answer] = []
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return (answers.pop(0) if len(answers) > 1 else answers[0])(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", answers, asked
    await runner.cleanup()


def server(_: web.Request) -> web.StreamResponse:
    return web.json_response({"version": "2.17"}, headers=VERSION)


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (server, True),
        (lambda _: web.json_response({"version": "2"}), False),  # not JupyterHub's server
        (lambda _: web.Response(status=404, headers=VERSION), False),
        (lambda _: web.Response(text="<html>", headers=VERSION), False),
        (lambda _: web.json_response([], headers=VERSION), False),
        (lambda _: web.Response(status=302, headers=VERSION | {"Location": "/hub/"}), False),
        (lambda _: web.Response(status=503), False),
    ],
)
async def test_only_a_single_user_servers_own_answer_counts(
    session: GatewaySession,
    gateway: tuple[str, list[Answer], list[web.Request]],
    answer: Answer,
    ready: bool,
) -> None:
    url, answers, _ = gateway
    answers.append(answer)
    assert (await ask(session, Target(url, "/user/ada/"))).ready is ready


async def test_other_images_may_give_any_answer_below_400(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, _ = gateway
    answers[:] = [lambda _: web.Response(status=404), lambda _: web.Response(text="RStudio")]
    target = Target(url, "/user/ada/", "http")
    assert not (await ask(session, target)).ready
    assert (await ask(session, target)).ready


def to(location: str, status: int = 308) -> Answer:
    return lambda _: web.Response(status=status, headers={"Location": location} | VERSION)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_address_is_told_and_never_followed(
    session: GatewaySession,
    gateway: tuple[str, list[Answer], list[web.Request]],
    status: int,
) -> None:
    url, answers, asked = gateway
    answers.append(to("https://gw.example.org/user/ada/api?token=x", status))
    probe = await ask(session, Target(url, "/user/ada/"))
    assert not probe.ready
    assert probe.elsewhere == "https://gw.example.org"
    assert probe.text == f"HTTP {status} to https://gw.example.org"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "location", ["/hub/user/ada/api?next=x", "{url}/hub/user/ada/api", "", "http://["]
)
async def test_a_redirect_within_the_gateway_leads_nowhere_else(
    session: GatewaySession,
    gateway: tuple[str, list[Answer], list[web.Request]],
    location: str,
) -> None:
    url, answers, _ = gateway
    answers.append(to(location.format(url=url), 302))
    probe = await ask(session, Target(url, "/user/ada/"))
    assert not probe.ready
    assert probe.elsewhere == ""
    assert "next" not in probe.text


async def test_a_subdomain_is_the_gateway_too(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, _ = gateway
    port = url.rpartition(":")[2]
    target = Target(url, "ada.hub.example.org/user/ada/")
    answers[:] = [
        to(f"http://ada.hub.example.org:{port}/hub/"),
        to("https://ada.hub.example.org/hub/"),
    ]
    assert (await ask(session, target)).elsewhere == ""
    assert (await ask(session, target)).elsewhere == "https://ada.hub.example.org"


async def test_other_images_may_redirect_but_not_a_gateway_to_itself_with_tls(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, _ = gateway
    target = Target(url, "/user/ada/", "http")
    answers[:] = [
        to("/user/ada/rstudio/", 302),
        to(f"{url}/user/ada/rstudio/", 302),
        to("https://127.0.0.1/user/ada/api"),
    ]
    assert [(await ask(session, target)).ready for _ in range(3)] == [True, True, False]


async def test_who_waits_may_hear_each_answer_and_end_the_waiting(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, _ = gateway
    answers[:] = [lambda _: web.Response(status=404), to("https://gw.example.org/")]
    heard: list[str] = []

    def answered(probe: Probe) -> None:
        heard.append(probe.text)
        if probe.elsewhere:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await wait_until_ready(session, lambda: Target(url, "/user/ada/"), 0.0, answered)
    assert heard == ["HTTP 404", "HTTP 308 to https://gw.example.org"]


async def test_an_address_that_is_none_is_no_answer(session: GatewaySession) -> None:
    probe = await ask(session, Target("http://gw.example.org:99999", "/user/ada/"))
    assert (probe.ready, probe.text) == (False, "no answer (ValueError)")


async def test_it_asks_until_the_server_answers(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, asked = gateway
    answers[:] = [lambda _: web.Response(status=404), lambda _: web.Response(status=503), server]
    async with asyncio.timeout(10):
        await wait_until_ready(session, lambda: Target(url, "/user/ada/"))
    assert [r.path for r in asked] == ["/user/ada/api"] * 3


@pytest.mark.parametrize(
    ("waited", "pauses"),
    [
        (0.05, [0.1, 0.15, 0.225]),  # at once, at first
        (3.0, [0.3, 0.45, 0.675, 1.0]),
        (60.0, [1.0, 1.0, 1.0, 1.0]),
    ],
)
async def test_the_longer_a_start_has_taken_the_later_it_asks(
    session: GatewaySession,
    gateway: tuple[str, list[Answer], list[web.Request]],
    monkeypatch: pytest.MonkeyPatch,
    waited: float,
    pauses: list[float],
) -> None:
    url, answers, _ = gateway
    away: list[Answer] = [lambda _: web.Response(status=503)] * 3
    answers[:] = [*away, server]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("mcks.core.gateways.gateway.asyncio.sleep", sleep)
    await wait_until_ready(session, lambda: Target(url, "/user/ada/"), waited)
    assert slept == pytest.approx(pauses)


async def test_a_subdomain_is_asked_for_by_its_host(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, asked = gateway
    answers.append(server)
    await ask(session, Target(url, "ada.hub.example.org/user/ada/"))
    assert asked[0].headers["Host"] == "ada.hub.example.org"


async def test_no_answer_is_an_answer_too(session: GatewaySession, unused_tcp_port: int) -> None:
    answer = await ask(session, Target(f"http://127.0.0.1:{unused_tcp_port}", "/user/ada/"))
    assert not answer.ready
    assert "no answer" in answer.text
    assert answer.silent


def hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word, as a load balancer does that has nobody behind it."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def test_who_hangs_up_without_a_word_is_silent_and_who_says_anything_is_not(
    session: GatewaySession, gateway: tuple[str, list[Answer], list[web.Request]]
) -> None:
    url, answers, _ = gateway
    twice = [hang_up, hang_up]  # aiohttp asks once more by itself
    answers[:] = [*twice, lambda _: web.Response(status=503), server]
    target = Target(url, "/user/ada/")
    probes = [await ask(session, target) for _ in range(3)]
    assert [probe.silent for probe in probes] == [True, False, False]


async def test_who_takes_the_connection_and_never_answers_is_silent(
    session: GatewaySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "_ONE_TRY", 0.2)
    async with silence() as nobody:
        assert (await ask(session, Target(nobody.url, "/user/ada/"))).silent


async def test_a_gateway_with_a_certificate_that_is_not_trusted_is_there(
    session: GatewaySession,
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    strange = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=tls)
    async with strange:
        port = strange.sockets[0].getsockname()[1]
        probe = await ask(session, Target(f"https://127.0.0.1:{port}", "/user/ada/"))
    assert not probe.ready
    assert not probe.silent
