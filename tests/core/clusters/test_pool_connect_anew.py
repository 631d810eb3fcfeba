"""A kubeconfig entry that is edited while the hub runs counts as a whole, or not at all yet."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Ref
from mcks.errors import Unreachable
from tests.backends.reading import REF, put_pod
from tests.fakes.loopback import AT_ONCE, FakeAPIServer
from tests.fakes.loopback_servers import PODS, pod, until

BASIC = "Basic " + base64.b64encode(b"me:secret").decode()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcks.core.clusters.pool._LOOK_AGAIN", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    async with FakeAPIServer().running() as server:
        put_pod(server)
        yield server


Edit = Callable[..., None]


@pytest.fixture
def edit(tmp_path: Path, server: FakeAPIServer) -> Edit:
    """Write the kubeconfig: the user, and what is changed of the cluster."""

    def write(user: dict[str, Any], **cluster: Any) -> None:
        ca = base64.b64encode(server.ca_data).decode()
        fields = {"server": server.url, "certificate-authority-data": ca} | cluster
        content = {
            "current-context": "x",
            "clusters": [{"name": "c", "cluster": fields}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": user}],
        }
        (tmp_path / "new").write_text(yaml.safe_dump(content))
        (tmp_path / "new").replace(tmp_path / "kubeconfig")

    return write


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(Config(), logging.getLogger("test"))
    pool.deadlines = AT_ONCE
    yield pool
    await pool.close()


@pytest.fixture
async def connected(pool: Pool, edit: Edit, tmp_path: Path) -> ConnectedCluster:
    """The hub's connection by the entry ``token: T1``."""
    edit({"token": "T1"})
    settings = {"kubeconfig": str(tmp_path / "kubeconfig"), "namespace": "ns"}
    clusters = {"a": settings | {"ingress_public_url": "http://192.0.2.1"}}
    return await pool.connect("a", clusters)


async def anew(connected: ConnectedCluster) -> None:
    """Return when the cluster was connected anew, and use it all the time until then."""
    before = connected.backend
    async with asyncio.timeout(20):
        while connected.backend is before:
            await connected.client.get(REF)
            await asyncio.sleep(0)


def sent(server: FakeAPIServer) -> set[tuple[str | None, str | None]]:
    """How requests have logged in, and as whom they acted."""
    return {(h.get("Authorization"), h.get("Impersonate-User")) for h in server.headers}


@pytest.mark.parametrize(
    ("user", "login"),
    [
        ({"token": "ADMIN", "as": "limited"}, ("Bearer ADMIN", "limited")),
        ({"username": "me", "password": "secret"}, (BASIC, None)),
        ({}, (None, None)),
    ],
    ids=["impersonation", "basic", "nothing"],
)
async def test_another_login_counts_with_all_that_belongs_to_it(
    server: FakeAPIServer,
    edit: Edit,
    connected: ConnectedCluster,
    user: dict[str, Any],
    login: tuple[str | None, str | None],
) -> None:
    edit(user)
    credential = await connected.backend.credentials.get("a")
    connected.backend.credentials.reject(credential, "a")
    await anew(connected)
    await connected.client.get(REF)
    assert sent(server) == {("Bearer T1", None), login}


async def test_a_login_takes_nothing_of_the_one_before(
    server: FakeAPIServer, edit: Edit, connected: ConnectedCluster
) -> None:
    edit({"username": "me", "password": "secret"})
    await anew(connected)
    server.headers.clear()
    edit({"token": "T2"})
    await anew(connected)
    await connected.client.get(REF)
    assert sent(server) == {(BASIC, None), ("Bearer T2", None)}


async def test_another_ca_is_the_only_one_that_is_trusted(
    edit: Edit, connected: ConnectedCluster
) -> None:
    other = base64.b64encode(FakeAPIServer().ca_data).decode()
    before = connected.backend
    edit({"token": "T1"}, **{"certificate-authority-data": other})
    await until(lambda: connected.backend is not before)
    with pytest.raises(Unreachable, match="certificate was refused"):
        await connected.client.get(REF)


async def test_another_server_is_asked_for_all_and_its_pods_are_seen(
    server: FakeAPIServer, edit: Edit, connected: ConnectedCluster
) -> None:
    server.put(f"{PODS}/jupyter-ada", pod("jupyter-ada"))
    pods = connected.pods_of("ns")
    await pods.synced.wait()
    async with FakeAPIServer().running() as other:
        other.put(f"{PODS}/jupyter-bob", pod("jupyter-bob"))
        put_pod(other)
        waiting = asyncio.create_task(
            pods.wait_for(Ref("v1", "Pod", "jupyter-bob", "ns"), lambda found: found)
        )
        ca = base64.b64encode(other.ca_data).decode()
        edit({"token": "T1"}, server=other.url, **{"certificate-authority-data": ca})
        await anew(connected)
        before = len(server.seen)
        await connected.client.get(REF)
        server.watch_held.set()  # the old watch comes to its end
        assert (await asyncio.wait_for(waiting, 20))["metadata"]["name"] == "jupyter-bob"
        assert pods.get(Ref("v1", "Pod", "jupyter-ada", "ns")) is None
        assert len(server.seen) == before
        await connected.close()


async def test_a_rotated_token_is_taken_without_a_new_connection(
    server: FakeAPIServer, edit: Edit, connected: ConnectedCluster
) -> None:
    before = connected.backend
    edit({"token": "T2"})
    server.tokens = {"T2"}
    await connected.client.get(REF)
    assert not await before.outdated()
    assert connected.backend is before


async def test_an_entry_that_cannot_be_used_changes_nothing_and_is_warned_of_once(
    server: FakeAPIServer,
    edit: Edit,
    connected: ConnectedCluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = []

    async def outdated() -> bool:
        looks.append(1)
        return True

    monkeypatch.setattr(connected.backend, "outdated", outdated)
    edit({"token": "T2", "username": "me", "password": "secret"})
    await until(lambda: len(looks) >= 5)
    await connected.client.get(REF)
    assert sent(server) == {("Bearer T1", None)}
    assert caplog.text.count("it is used as it was before") == 1
    assert "token and username exclude each other" in caplog.text


async def test_an_entry_that_cannot_log_in_leaves_the_cluster_available(
    server: FakeAPIServer,
    edit: Edit,
    connected: ConnectedCluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = []

    async def outdated() -> bool:
        looks.append(1)
        return True

    monkeypatch.setattr(connected.backend, "outdated", outdated)
    edit({"tokenFile": "/not/there"})
    await until(lambda: len(looks) >= 6)
    assert "it is used as it was before" in caplog.text
    assert connected.breaker.unavailable is None
    await connected.client.get(REF)
    assert sent(server) == {("Bearer T1", None)}


async def test_a_broken_or_missing_file_changes_nothing(
    server: FakeAPIServer, connected: ConnectedCluster, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    for broken in (True, False):
        file.write_text("clusters: [") if broken else file.unlink()
        assert not await connected.backend.outdated()
        await connected.client.get(REF)
    assert sent(server) == {("Bearer T1", None)}


async def test_a_start_under_way_is_not_disturbed(
    server: FakeAPIServer, edit: Edit, connected: ConnectedCluster
) -> None:
    answered = asyncio.Event()

    async def slow(_request: Any, _handler: Any) -> None:
        await answered.wait()

    server.fail_next(slow)
    under_way = asyncio.create_task(connected.client.get(REF))
    await until(lambda: not server.faults)
    edit({"token": "ADMIN", "as": "limited"})
    await anew(connected)
    answered.set()
    assert await under_way
