"""Every error that Azure is known to give: what it tells the administrator, and what it hides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcks.auth.azure import AKS_SERVER_ID
from mcks.backends.aks import AKSBackend
from mcks.errors import AuthError
from tests.backends.aks_errors import ARM, AT_LOG_IN, AT_START, PATH
from tests.backends.reading import put_pod
from tests.backends.refusals import (
    Case,
    SecretScan,
    World,
    check_page,
    check_words,
    meet,
)
from tests.fakes.azure import CLIENT, SECRETS, TENANT, FakeAzure, entra_user, kubeconfig
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture
async def world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[World]:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setattr("mcks.backends.cloud_api._FIRST_PAUSE", 0.001)
    (tmp_path / "jwt").write_text(SECRETS[1])
    async with (
        FakeAPIServer().running() as server,
        FakeAzure().running(monkeypatch, tmp_path) as azure,
    ):
        put_pod(server)
        azure.add_cluster(PATH, kubeconfig(server.url, server.ca_data, entra_user(AKS_SERVER_ID)))
        yield World(azure, server, monkeypatch, tmp_path, unused_tcp_port)


def backend_in(world: World, **settings: Any) -> AKSBackend:
    """Make the backend, and the environment that its source of credentials needs."""
    named = {"subscription": "sub", "resource_group": "Group", "cluster": "hub"}
    named["credential"] = "environment"
    given = named | settings
    variables = {
        "environment": {"AZURE_CLIENT_SECRET": SECRETS[0]},
        "workload-identity": {"AZURE_FEDERATED_TOKEN_FILE": str(world.folder / "jwt")},
        "managed-identity": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": world.cloud.url},
    }
    for name, value in variables[given["credential"]].items():
        world.monkeypatch.setenv(name, value)
    return AKSBackend(cluster_name="az", **given)


@pytest.mark.parametrize(
    "case", [*AT_LOG_IN, *(case.later() for case in AT_LOG_IN), *AT_START], ids=str
)
async def test_an_error_says_what_to_do_and_shows_no_secret(
    case: Case, world: World, secret_scan: SecretScan
) -> None:
    backend = backend_in(world, **case.settings)
    failure = await meet(case, world, backend)
    check_words(case, failure, "az")
    assert "Trace ID" not in str(failure)
    secret_scan.check(SECRETS, failure, backend, backend._login())


async def test_a_throttled_manager_is_asked_once_when_it_wants_a_long_pause(world: World) -> None:
    case = next(case for case in AT_START if case.name == "too many calls")
    case.arrange(world)
    backend = backend_in(world)
    for _ in range(3):
        with pytest.raises(AuthError, match="throttled") as caught:
            await backend.connect()
    assert caught.value.retry_after == 600
    assert "Try again in some minutes" in caught.value.jupyterhub_message
    assert len([call for call in world.cloud.calls if ARM in call]) == 1
    await backend.close()


def test_the_page_for_administrators_lists_these_errors_and_no_others() -> None:
    check_page("aks.md", [*AT_LOG_IN, *AT_START])
