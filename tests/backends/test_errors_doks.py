"""Every error that DigitalOcean is known to give: what it tells administrators, what it hides."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from mcks.backends.doks import DOKSBackend
from mcks.errors import AuthError, ConfigError, Forbidden, Unauthorized, Unreachable
from tests.backends.reading import put_pod
from tests.backends.refusals import (
    CANNOT_FIND,
    CANNOT_GET,
    Case,
    SecretScan,
    World,
    away,
    check_page,
    check_words,
    meet,
    server_answers,
)
from tests.fakes.cloud import refusing
from tests.fakes.digitalocean import API_TOKEN, HOST, FakeDigitalOcean
from tests.fakes.loopback import FakeAPIServer

ID = "0d3db13e-a604-4944-9827-7ec2642d32ac"
OTHER = "1d3db13e-a604-4944-9827-7ec2642d32ac"


@pytest.fixture
async def world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[World]:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)
    async with (
        FakeAPIServer().running() as server,
        FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud,
    ):
        put_pod(server)
        cloud.add_cluster(ID, "hub", server.ca_data, server.url)
        yield World(cloud, server, monkeypatch, tmp_path, unused_tcp_port)


def backend_for(**settings: Any) -> DOKSBackend:
    return DOKSBackend(cluster_name="do", **({"cluster": ID} | settings))


def error(code: int, word: str, message: str, **headers: str) -> Callable[[World], None]:
    """Let the API refuse."""

    def arrange(world: World) -> None:
        body = {"id": word, "message": message, "request_id": "r"}
        world.cloud.handlers[HOST] = refusing(code, body, **headers)

    return arrange


def single_sign_on(world: World) -> None:
    world.cloud.clusters[ID]["sso"] = {"enabled": True, "required": True}


def deleted(world: World) -> None:
    world.cloud.clusters.clear()


def twins(world: World) -> None:
    world.cloud.add_cluster(OTHER, "hub", world.server.ca_data, world.server.url)


def without_token(world: World) -> None:
    world.monkeypatch.delenv("DIGITALOCEAN_ACCESS_TOKEN")


TOO_MANY = "API rate limit exceeded for your account"
CALL = f"{CANNOT_FIND}: DigitalOcean: GET /v2/kubernetes/clusters/{ID}/credentials"
ALWAYS = [
    Case(
        "a wrong API token",
        AuthError,
        CALL,
        "unauthorized: Unable to authenticate you",
        "put another one into the hub's environment",
        error(401, "unauthorized", "Unable to authenticate you"),
    ),
    Case(
        "a missing scope",
        AuthError,
        CALL,
        "forbidden: You are not authorized to perform this operation",
        "needs the scope kubernetes:access_cluster",
        error(403, "forbidden", "You are not authorized to perform this operation"),
    ),
    Case(
        "too many calls in a minute",
        AuthError,
        CALL,
        f"too_many_requests: {TOO_MANY} (asks to wait 3600 seconds)",
        "The hub waits and asks again by itself; look for what else uses the same identity",
        error(429, "too_many_requests", TOO_MANY, retry_after="3600"),
    ),
    Case(
        "too many calls in an hour",
        AuthError,
        CALL,
        f"too_many_requests: {TOO_MANY} (asks to wait ",
        "The hub waits and asks again by itself",
        error(429, "too_many_requests", TOO_MANY, ratelimit_reset=f"{time.time() + 900:.0f}"),
    ),
    Case(
        "a fault",
        Unreachable,
        CALL,
        "HTTP status 500: Server Error",
        "The fault is DigitalOcean's: try again later, and look at its status page",
        error(500, "server_error", "Server Error"),
    ),
    Case(
        "a service that is switched off",
        Unreachable,
        CALL,
        "HTTP status 503: Service Unavailable",
        "The fault is DigitalOcean's: try again later, and look at its status page",
        error(503, "service_unavailable", "Service Unavailable"),
    ),
    Case(
        "an API that is away",
        Unreachable,
        CALL,
        "no connection",
        f"Let the hub reach {HOST}; HTTPS_PROXY counts",
        away,
    ),
    Case(
        "a cluster for people only",
        ConfigError,
        CANNOT_FIND,
        "requires single sign-on",
        "switch off the requirement",
        single_sign_on,
    ),
    Case(
        "a deleted cluster",
        ConfigError,
        CANNOT_FIND,
        "there is no such cluster: The resource you requested could not be found",
        "Set cluster to the id of one that the token's team owns",
        deleted,
    ),
    Case(
        "no API token",
        AuthError,
        CANNOT_FIND,
        "there is no API token",
        "set token_file, or one of DIGITALOCEAN_ACCESS_TOKEN",
        without_token,
    ),
]
AT_START = [
    Case(
        "a token file that is not there",
        AuthError,
        CANNOT_FIND,
        "the token file /gone cannot be read",
        "No such file",
        settings={"token_file": "/gone"},
    ),
    Case(
        "a wrong API token, by name",
        AuthError,
        f"{CANNOT_FIND}: DigitalOcean: GET /v2/kubernetes/clusters:",
        "unauthorized: Unable to authenticate you",
        "put another one into the hub's environment",
        error(401, "unauthorized", "Unable to authenticate you"),
        {"cluster": "hub"},
    ),
    Case(
        "a scope that is missing for names",
        AuthError,
        f"{CANNOT_FIND}: DigitalOcean: GET /v2/kubernetes/clusters:",
        "forbidden: You are not authorized",
        "needs the scope kubernetes:read",
        error(403, "forbidden", "You are not authorized"),
        {"cluster": "hub"},
    ),
    Case(
        "an unknown name",
        ConfigError,
        "(DOKS 'hubb')",
        "no cluster has this name",
        "set cluster to its id",
        settings={"cluster": "hubb"},
    ),
    Case(
        "two clusters of one name",
        ConfigError,
        "(DOKS 'hub')",
        "several have this name",
        f"use an id: {ID}, {OTHER}",
        twins,
        {"cluster": "hub"},
    ),
    Case(
        "an API server that knows nobody",
        Unauthorized,
        CANNOT_GET,
        "Unauthorized",
        "look whether that account is still in the team, or make another token",
        server_answers(401, "Unauthorized", "Unauthorized"),
    ),
    Case(
        "an API server that allows nothing",
        Forbidden,
        CANNOT_GET,
        'cannot get resource "pods"',
        "`mcks rbac` prints the Role",
        server_answers(
            403,
            "Forbidden",
            'pods "p" is forbidden: User "u" cannot get resource "pods" in API group "" in the '
            'namespace "ns"',
        ),
    ),
]


@pytest.mark.parametrize("case", [*ALWAYS, *(case.later() for case in ALWAYS), *AT_START], ids=str)
async def test_an_error_says_what_to_do_and_shows_no_secret(
    case: Case, world: World, secret_scan: SecretScan
) -> None:
    backend = backend_for(**case.settings)
    failure = await meet(case, world, backend)
    check_words(case, failure, "do")
    secret_scan.check([API_TOKEN, "k8s-secret-"], failure, backend)


@pytest.mark.parametrize(
    "asked",
    [
        lambda: {"retry-after": "0.2"},
        lambda: {"retry-after": formatdate(time.time() + 1.2, usegmt=True)},
        lambda: {"ratelimit-reset": f"{time.time() + 0.2:.3f}"},
    ],
    ids=["seconds", "date", "reset"],
)
async def test_the_api_is_not_asked_before_the_time_it_asks_for(
    world: World, asked: Callable[[], dict[str, str]]
) -> None:
    at: list[float] = []

    async def busy_once(request: web.Request) -> web.StreamResponse:
        at.append(time.monotonic())
        if len(at) == 1:
            return web.json_response({}, status=429, headers=asked())
        answer: web.StreamResponse = await world.cloud._api(request)
        return answer

    world.cloud.handlers[HOST] = busy_once
    assert await backend_for().mint()
    assert at[1] - at[0] > 0.1


async def test_a_long_wait_is_kept_by_those_who_connect_and_by_those_who_renew(
    world: World,
) -> None:
    now = 1000.0
    world.monkeypatch.setattr("mcks.backends.search.time", SimpleNamespace(monotonic=lambda: now))
    error(429, "too_many_requests", TOO_MANY, retry_after="3600")(world)
    backend = backend_for()
    for _ in range(5):
        with pytest.raises(AuthError, match="too_many_requests"):
            await backend.connect()
        with pytest.raises(AuthError, match="too_many_requests"):
            await backend.credentials.get()
    assert len(world.cloud.calls) == 2, "one of each"
    now += 3601
    world.cloud.handlers[HOST] = world.cloud._api
    assert await backend._connection._search.find()
    await backend.close()


def test_the_page_for_administrators_lists_these_errors_and_no_others() -> None:
    check_page("doks.md", [*ALWAYS, *AT_START])
