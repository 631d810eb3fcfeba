"""A real hub with its real proxy as a process of its own, for the demonstration and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.cluster.fixtures import Clusters
from tests.cluster.local_set import LocalSet
from tests.cluster.names import PROCESS_MARK
from tests.cluster.proxy import proxy_command
from tests.demo.forward import forwarded

CONFIG = Path(__file__).with_name("jupyterhub_config.py")
_PAUSE = 0.1
_STOP_SECONDS = 60


class Hub:
    """One hub. ``url`` is what a browser opens; ``directory`` holds database, log and settings."""

    def __init__(
        self,
        directory: Path,
        kubeconfig: Path,
        settings: dict[str, Any],
        extra: str,
        mark: dict[str, str],
    ) -> None:
        self.directory = directory
        self._mark = mark
        self.url: str = settings["public_url"]
        self.log = directory / "hub.log"
        self.token = secrets.token_hex(16)
        self._kubeconfig = kubeconfig
        self._process: asyncio.subprocess.Process | None = None
        (directory / "demo.json").write_text(json.dumps(settings))
        self._config = directory / "jupyterhub_config.py"
        service = {"name": "operator", "api_token": self.token}
        role = {"name": "operator", "services": ["operator"]}
        scopes = ["admin:users", "admin:servers", "list:users", "access:servers"]
        self._config.write_text(
            f"c = get_config()\nload_subconfig({settings['configuration']!r})\n"
            f"c.JupyterHub.setdefault('services', []).append({service!r})\n"
            f"c.JupyterHub.setdefault('load_roles', []).append({ {**role, 'scopes': scopes}!r})\n"
            f"{extra}\n"
        )
        self._config.chmod(0o600)

    async def start(self) -> None:
        """Start the hub and return when it answers. Raises RuntimeError with the log's end."""
        environment = {
            **os.environ,
            **self._mark,
            "MCKS_DEMO": str(self.directory / "demo.json"),
            "KUBECONFIG": str(self._kubeconfig),
        }
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "jupyterhub", "-f", str(self._config)),
                cwd=self.directory,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with aiohttp.ClientSession() as session:
            while not await _answers(session, f"{self.url}hub/health"):
                if self._process.returncode is not None:
                    raise RuntimeError(f"the hub ended:\n{self.log.read_text()[-4000:]}")
                await asyncio.sleep(_PAUSE)

    async def wait(self) -> None:
        """Return when the hub has ended."""
        assert self._process is not None
        await self._process.wait()

    async def kill(self) -> None:
        """End the hub as a crash does; its proxy and its servers stay."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End the hub and its proxy, and with them all servers."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        self._end_proxy()

    def _end_proxy(self) -> None:
        """A killed hub leaves its proxy, which the next hub would have ended."""
        pid_file = self.directory / "proxy.pid"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int(pid_file.read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_text()
            if "configurable-http-proxy" in command:
                os.kill(pid, signal.SIGTERM)
            pid_file.unlink()

    async def request(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
        """Ask the hub's API as an operator; return status and JSON."""
        headers = {"Authorization": f"token {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.url}hub/api/{path}", **kwargs) as response,
        ):
            text = await response.text()
            return response.status, json.loads(text) if text else None


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


@contextlib.asynccontextmanager
async def hub(
    clusters: Clusters,
    kubeconfig: Path,
    directory: Path,
    *,
    namespace: str,
    port: int = 0,
    base_url: str = "/",
    config: Path = CONFIG,
    extra: str = "",
) -> AsyncIterator[Hub]:
    """A running hub that serves *clusters* (as tests.cluster knows them); stopped at the end.

    *extra* is appended to its configuration, the file *config*. *port* is the public one, on
    loopback; 0: a free one.
    Hubs that use a cluster at the same time need a *base_url* each: its gateway is one for all.
    """
    public, private, proxy_api = port or _free_port(), _free_port(), _free_port()
    command = await asyncio.to_thread(proxy_command)
    async with contextlib.AsyncExitStack() as stack:
        described = [
            {
                "name": cluster.name,
                "context": cluster.context,
                "gateway_url": cluster.gateway_url,
                "hub_connect_url": await stack.enter_async_context(
                    forwarded(cluster.bridge_ip, private)
                ),
            }
            for cluster in clusters
        ]
        settings = {
            "configuration": str(config),
            "directory": str(directory),
            "namespace": namespace,
            "public_url": f"http://127.0.0.1:{public}{base_url}",
            "hub_url": f"http://127.0.0.1:{private}",
            "proxy_api_url": f"http://127.0.0.1:{proxy_api}",
            "proxy_command": command,
            "clusters": described,
            "command": clusters.notebook_command(),
            "notebook_patch": clusters.notebook_patch(),
        }
        running = Hub(directory, kubeconfig, settings, extra, _mark(clusters))
        stack.push_async_callback(running.stop)
        await running.start()
        yield running


def _mark(clusters: Clusters) -> dict[str, str]:
    """By this the clusters' teardown finds a hub that a killed demonstration left."""
    return (
        {PROCESS_MARK: f"{clusters.state.set_name}/hub"} if isinstance(clusters, LocalSet) else {}
    )


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
