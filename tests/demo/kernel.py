"""Run code in a user's server as a notebook does: its kernel and its terminal, by websocket."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, Protocol

import aiohttp

_SECONDS = 60


class Hub(Protocol):
    """A hub that is open at *url* for whoever has *token*."""

    url: str
    token: str


async def run(hub: Hub, user: str, code: str) -> str:
    """Run *code* in a new Python kernel of *user*'s server; return what it printed.

    Raises RuntimeError with the traceback if it raises.
    """
    base = f"{hub.url}user/{user}/api/kernels"
    headers = {"Authorization": f"token {hub.token}"}
    async with asyncio.timeout(_SECONDS), aiohttp.ClientSession(headers=headers) as session:
        async with session.post(base, json={"name": "python3"}) as response:
            kernel = (await response.json())["id"]
        async with session.ws_connect(f"{base}/{kernel}/channels") as socket:
            message = str(uuid.uuid4())
            await socket.send_str(json.dumps(_execute(message, code)))
            output = await _printed(socket, message)
        async with session.delete(f"{base}/{kernel}"):
            return output


def _execute(message: str, code: str) -> dict[str, Any]:
    header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": message}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    return {
        "header": {**header, "version": "5.3"},
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
    }


async def _printed(socket: aiohttp.ClientWebSocketResponse, message: str) -> str:
    output = ""
    async for frame in socket:
        received = json.loads(frame.data)
        if received["parent_header"].get("msg_id") != message:
            continue
        kind, content = received["msg_type"], received["content"]
        if kind == "stream":
            output += content["text"]
        elif kind == "error":
            raise RuntimeError("\n".join(content["traceback"]))
        elif kind == "status" and content["execution_state"] == "idle":
            break
    return output
