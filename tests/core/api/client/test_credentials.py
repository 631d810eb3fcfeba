"""ClusterClient renews what is refused, and shows no secret."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from mcks.core.api.client import ClusterClient
from mcks.core.objects import Ref
from mcks.errors import (
    Forbidden,
    Invalid,
    MCKSError,
    Unauthorized,
    Unreachable,
)
from tests.core.api.client.common import POD, PODS, SECRET_VALUE, TestBackend, connect, pod, watched
from tests.fakes.loopback import FakeAPIServer, status


async def test_a_refused_secret_shows_fields_and_never_values(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    details = {"causes": [{"field": "data[x]", "reason": "FieldValueInvalid", "message": "m"}]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
    server.answer_next(
        status(422, "Invalid", f"bad {SECRET_VALUE}", details=details),
        status(400, "BadRequest", f'unknown field "dta" near {SECRET_VALUE}'),
    )
    with pytest.raises(Invalid, match=r"data\[x\]: FieldValueInvalid") as failure:
        await client.create(secret)
    assert SECRET_VALUE not in str(failure.value)
    with pytest.raises(Invalid, match='unknown field "dta"') as failure:
        await client.create(secret)
    assert SECRET_VALUE not in str(failure.value)


async def test_an_expired_token_is_renewed_once_and_nobody_notices(
    client: ClusterClient, server: FakeAPIServer, backend: TestBackend
) -> None:
    server.tokens = {"token-2"}
    made = (await client.create(pod())).json()
    assert made["metadata"]["name"] == "p"
    assert backend.mints == 2
    assert [m for m, _ in server.seen] == ["POST", "POST"]


async def test_fifty_requests_with_a_revoked_token_make_one_new_mint(
    client: ClusterClient, server: FakeAPIServer, backend: TestBackend
) -> None:
    server.put(f"{PODS}/p", pod())
    server.tokens = {"token-2"}
    await asyncio.gather(*(client.get(POD) for _ in range(50)))
    assert backend.mints == 2


async def test_a_second_401_is_an_answer(
    client: ClusterClient, server: FakeAPIServer, backend: TestBackend
) -> None:
    server.tokens = set()
    with pytest.raises(Unauthorized):
        await client.get(POD)
    assert backend.mints == 2
    assert len(server.seen) == 2


async def test_a_403_never_renews(
    client: ClusterClient, server: FakeAPIServer, backend: TestBackend
) -> None:
    server.answer_next(status(403, "Forbidden"))
    with pytest.raises(Forbidden):
        await client.get(POD)
    assert backend.mints == 1
    assert len(server.seen) == 1


async def test_a_401_tells_of_a_wrong_clock(client: ClusterClient, server: FakeAPIServer) -> None:
    date = "Mon, 01 Jan 2001 00:00:00 GMT"
    server.answer_next(*(status(401, "Unauthorized", Date=date) for _ in range(2)))
    with pytest.raises(Unauthorized, match=r"the hub's clock is .* s ahead of the server's"):
        await client.get(POD)


async def test_a_backend_may_explain_why_a_login_was_refused_once_a_minute(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    asked = []

    async def explain(error: MCKSError) -> str:
        asked.append(type(error))
        return "Give it an access entry"

    backend.explanation = explain
    client = await connect(backend)
    server.tokens = set()
    with pytest.raises(Unauthorized, match=r"Unauthorized\. Give it an access entry$"):
        await client.get(POD)
    with pytest.raises(Unauthorized, match=r"Unauthorized\. Give it an access entry$"):
        await watched(client)
    assert asked == [Unauthorized]
    await client.close()


async def test_an_explanation_that_fails_is_left_out(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    async def explain(_error: MCKSError) -> str:
        raise Unreachable("the cloud is away, too")

    backend.explanation = explain
    client = await connect(backend)
    server.tokens = set()
    with pytest.raises(Unauthorized, match=r"Unauthorized$"):
        await client.get(POD)
    await client.close()


async def test_no_token_and_no_secret_shows_in_logs_or_errors(
    client: ClusterClient, server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
    secret["stringData"] = {"x": SECRET_VALUE}
    await client.create(secret)
    await client.get(Ref("v1", "Secret", "s", "ns"))
    server.tokens = set()
    for call in (client.get(POD), client.create(secret)):
        with pytest.raises(Unauthorized) as failure:
            await call
        chain = [failure.value, failure.value.__cause__, failure.value.__context__]
        shown = "".join(str(e) + repr(e) for e in chain) + caplog.text
        for hidden in (SECRET_VALUE, "token-1", "token-2", "Bearer"):
            assert hidden not in shown


async def test_a_netrc_file_is_not_used(
    server: FakeAPIServer, backend: TestBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = await connect(backend)
    await client.create(pod())
    assert server.headers[-1]["Authorization"] == "Bearer token-1"
    await client.close()
