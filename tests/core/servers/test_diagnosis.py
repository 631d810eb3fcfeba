"""What is told of a start that failed, and which evidence there is for it."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.fakes.loopback_servers import PODS, LoopbackHub, pod

KEY = "jupyter-ada"


@pytest.mark.slow
async def test_a_server_that_does_not_end_is_told_as_such_without_its_events_and_log(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    """Its node is dead: it stays in Terminating, whatever is asked of it."""
    server = loopback_hub.server
    old = server.put(f"{PODS}/{KEY}", pod(KEY))
    old["spec"]["nodeName"] = "node-7"
    about = {"kind": "Pod", "name": KEY, "uid": old["metadata"]["uid"]}
    happened = {"type": "Warning", "reason": "NodeNotReady", "involvedObject": about}
    server.put("/api/v1/namespaces/ns/events/e", {"metadata": {"name": "e"}, **happened})
    server.objects[f"{PODS}/{KEY}/log"] = {"said": "an old log"}
    delete = server._delete

    async def hang(request: web.Request) -> web.Response:
        if request.path != f"{PODS}/{KEY}":
            return await delete(request)
        old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return web.json_response(old)

    server._delete = hang  # type: ignore[method-assign]
    await loopback_hub.watched()
    began = asyncio.get_running_loop().time()
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await loopback_hub.spawner(start_timeout=3).start()
    told = str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]
    assert asyncio.get_running_loop().time() - began < 10, "nor is its end waited for afterwards"
    assert told.startswith("Your last server has not ended yet in this cluster")
    assert "not ready after 3 s: Pod jupyter-ada" in caplog.text
    assert "on node node-7" in caplog.text
    assert "since 2026-01-01T00:00:00Z" in caplog.text
    assert "NodeNotReady" not in caplog.text
    assert "an old log" not in caplog.text
    assert [path for path in server.objects if "/secrets/" in path] == []
