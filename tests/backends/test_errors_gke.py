"""Every error that Google is known to give: what it tells the administrator, and what it hides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mcks.auth.shared import SharedCredentials
from mcks.backends.gke import GKEBackend
from mcks.errors import AuthError
from tests.backends.gke_errors import API, AT_LOG_IN, AT_START, PATH, TOKENS, token_error
from tests.backends.reading import REF, client_of, put_pod
from tests.backends.refusals import (
    Case,
    SecretScan,
    World,
    check_page,
    check_words,
    meet,
)
from tests.fakes.google import (
    SECRETS,
    FakeGoogle,
    authorized_user,
    external_account,
    service_account,
    write,
)
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture
async def world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[World]:
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)
    no_pauses = SimpleNamespace(sleep=lambda _seconds: None)
    monkeypatch.setattr("google.auth._exponential_backoff.time", no_pauses)
    async with (
        FakeAPIServer().running() as server,
        FakeGoogle().running(monkeypatch, tmp_path) as google,
    ):
        put_pod(server)
        google.add_cluster(PATH, server.ca_data, server.url.removeprefix("https://"))
        (tmp_path / "jwt").write_text(SECRETS[3])
        write(tmp_path / "key.json", service_account())
        write(tmp_path / "user.json", authorized_user())
        write(tmp_path / "pool.json", external_account(str(tmp_path / "jwt")))
        yield World(google, server, monkeypatch, tmp_path, unused_tcp_port)


def backend_in(world: World, **settings: Any) -> GKEBackend:
    named = {"project": "p", "location": "europe-west1", "cluster": "hub"} | settings
    file = named.pop("file", "key.json")
    file = file and str(world.folder / file)
    return GKEBackend(cluster_name="gcp", credentials_file=file, **named)


@pytest.mark.parametrize(
    "case", [*AT_LOG_IN, *(case.later() for case in AT_LOG_IN), *AT_START], ids=str
)
async def test_an_error_says_what_to_do_and_shows_no_secret(
    case: Case, world: World, secret_scan: SecretScan
) -> None:
    backend = backend_in(world, **case.settings)
    failure = await meet(case, world, backend)
    check_words(case, failure, "gcp")
    assert "authorized networks" not in str(failure), "the API server is not to blame"
    key = service_account()["private_key"].splitlines()[1]
    secret_scan.check([*SECRETS, key], failure, backend, backend._login())


async def test_an_error_of_a_shared_credential_names_the_cluster_that_wants_it(
    world: World,
) -> None:
    shared = SharedCredentials()
    world.cloud.add_cluster(PATH + "2", world.server.ca_data, world.server.url[8:])
    first, second = backend_in(world), backend_in(world, cluster="hub2")
    second.cluster_name = "another"
    for backend in (first, second):
        backend.shared_credentials = shared
    client = await client_of(first)
    other = await client_of(second)
    token_error(TOKENS, 400, "invalid_grant", "Invalid JWT Signature.")(world)
    second.credentials.reject(await second.credentials.get(), "another")
    with pytest.raises(AuthError, match=r"^cluster 'another': .* Invalid JWT Signature"):
        await other.get(REF)
    assert await client.get(REF), "its token was not refused"
    first.credentials.reject(await first.credentials.get(), "gcp")
    with pytest.raises(AuthError, match=r"^cluster 'gcp': .* Invalid JWT Signature"):
        await client.get(REF)
    for opened in (client, other, first, second):
        await opened.close()


async def test_a_used_up_quota_is_asked_about_three_times(world: World) -> None:
    case = next(case for case in AT_START if case.name == "a used up quota")
    await meet(case, world, backend_in(world))
    assert len([call for call in world.cloud.calls if API in call]) == 3


def test_the_page_for_administrators_lists_these_errors_and_no_others() -> None:
    check_page("gke.md", [*AT_LOG_IN, *AT_START])
