"""An API server (or what stands in front of it) redirects: nothing is sent to another place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiClient, Configuration, CoreV1Api

from mcks.auth.credential import Credential
from mcks.backends.redirects import Redirected
from mcks.core.api.client import ClusterClient
from mcks.core.api.no_answer import RedirectRefused
from tests.core.api.client.common import POD, SECRET_VALUE, TestBackend, connect, pod, watched
from tests.fakes.elsewhere import elsewhere, redirect
from tests.fakes.loopback import FakeAPIServer

Call = Callable[[ClusterClient], Awaitable[Any]]
SECRET: Any = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "namespace": "ns"},
    "stringData": {"token": SECRET_VALUE},
}
CALLS: dict[str, Call] = {
    "get": lambda client: client.get(POD),
    "create": lambda client: client.create(SECRET),
    "create (dry run)": lambda client: client.create(SECRET, dry_run=True),
    "patch": lambda client: client.patch(POD, {"metadata": {}}),
    "strategic patch": lambda client: client.patch(POD, {"metadata": {}}, type="strategic"),
    "replace": lambda client: client.replace(pod()),
    "delete": lambda client: client.delete(POD),
    "watch": watched,
    "raw": lambda client: client.raw_get("/version"),
    "logs": lambda client: client.logs(POD, "notebook"),
    "review": lambda client: client.review("get", resource="pods"),
    "discover": lambda client: client.namespaced("example.org/v1", "Thing"),
}


@pytest.fixture
async def other() -> AsyncIterator[str]:
    async with elsewhere() as origin:
        yield origin


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_no_verb_follows_a_redirect(
    server: FakeAPIServer, client: ClusterClient, other: str, call: Call, status: int
) -> None:
    server.answer_next(*(redirect(status, f"{other}/secret-path?x=y") for _ in range(9)))
    with pytest.raises(RedirectRefused) as failure:
        await call(client)
    told = str(failure.value)
    assert f"it redirects to {other} (HTTP status {status}), and no redirect is followed" in told
    assert "secret-path" not in told
    assert len(server.seen) == 1, "it would redirect once more"


async def test_a_redirect_within_the_server_is_refused_as_well(
    server: FakeAPIServer, client: ClusterClient
) -> None:
    server.answer_next(redirect(307, "/api/v1/namespaces/elsewhere/secrets"))
    with pytest.raises(RedirectRefused, match=r"it redirects \(HTTP status 307\)"):
        await client.create(SECRET)
    assert len(server.seen) == 1


@pytest.mark.parametrize("location", ["http://[", "", "https://user:word@h.example.org/p"])
async def test_a_redirect_to_nonsense_or_with_a_password_shows_a_host_at_most(
    server: FakeAPIServer, client: ClusterClient, location: str
) -> None:
    server.answer_next(redirect(302, location))
    with pytest.raises(RedirectRefused) as failure:
        await client.get(POD)
    assert "word" not in str(failure.value)


async def test_a_client_that_is_used_by_itself_follows_none_either(
    server: FakeAPIServer, backend: TestBackend, other: str
) -> None:
    api = await backend.connect()
    server.answer_next(redirect(308, other))
    with pytest.raises(Redirected):
        await CoreV1Api(api).create_namespaced_secret("ns", SECRET)
    await api.close()


class _OwnClient(TestBackend):
    """A backend of another package, which makes its client by itself."""

    __test__ = False

    async def connect(self) -> ApiClient:
        configuration = Configuration(host=self.where.server)
        configuration.verify_ssl = False
        return ApiClient(configuration)


async def test_nor_does_the_client_that_another_package_made(
    server: FakeAPIServer, backend: TestBackend, other: str
) -> None:
    strange = _OwnClient(cluster_name="a")
    strange.where = backend.where
    client = await connect(strange)
    server.answer_next(redirect(307, other))
    with pytest.raises(RedirectRefused):
        await client.create(SECRET)
    await client.close()
    await strange.close()


async def test_nor_does_a_connection_that_was_made_anew_for_another_certificate(
    server: FakeAPIServer, backend: TestBackend, other: str
) -> None:
    client = await connect(backend)
    issued = server.ca.issue_cert("hub@example.test", common_name="hub")
    certificate = issued.cert_chain_pems[0].bytes().decode()
    key = issued.private_key_pem.bytes().decode()
    backend._connection.present(Credential(client_certificate=certificate, client_key=key))
    server.answer_next(redirect(307, other))
    with pytest.raises(RedirectRefused):
        await client.create(SECRET)
    await client.close()
