"""Start a server for a moment whose container tells what reaches it, and what it reaches.

What it runs (in_the_pod.py), what is sent to it (through_gateway.py) and for whom it is made
(subjects.py) do not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import Config

from mcks.core.checking.sample import Sample, hooked
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.clusters.pool import Pool
from mcks.core.gateways import gateway
from mcks.core.labels import LIFETIME, lifetime
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, metadata, ref
from mcks.core.servers import creation, diagnosis, launch, plan
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.trying import in_the_pod, subjects, through_gateway
from mcks.core.trying.report import Step
from mcks.errors import ConfigError, MCKSError, NotFound

USER_PREFIX = "mcks-check-"
"""How the user begins for whom such a server is made."""
_FIRST_NUMBER = 1_000_000_000
"""Numbers of such users: far beyond those of a hub's database, and good for ``runAsUser``."""
_NEVER_ASKED = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "args")
"""What of the container belongs to what it would run otherwise."""
_LOOKS = 45.0
"""Seconds for the container's look at the hub: three looks of ten, and the first line of a log."""
_ROUTE = 60.0
"""Seconds for a gateway to learn a route; some clouds' take that long."""
_CLEAN_UP = 90.0
_PAUSE = 0.5
_EVENTS = "see what Kubernetes says of the Pod; with another image, it may be tried by --image"
_WITHOUT_PYTHON = ("python3", "executable file not found")
_NO_PYTHON = "name an image that has python3, such as your single-user server's, by --image"
_TO_DO = {
    "resolve": "name the hub in hub_connect_url so that the cluster's DNS knows it",
    "reach": "let Pods of this cluster reach the hub: look at hub_connect_url, firewalls and "
    "NetworkPolicies",
    "ask": "let hub_connect_url lead to the hub itself, and run the hub meanwhile",
}
_NO_ANSWER = "look at the route that was made, at the gateway's log, and at ingress_public_url"


def disguised(planned: Plan, image: str = "") -> Plan:
    """Return *planned* with another program in its container, and in *image* if that is named.

    All its objects go with it, but for a namespace of its user's, which is deleted after it.
    """
    objects = [_temporary(_with_program(m, planned, image)) for m in planned.objects]
    return planned._replace(objects=objects)


def _with_program(manifest: Manifest, planned: Plan, image: str) -> Manifest:
    if manifest["kind"] != "Pod" or manifest["metadata"]["name"] != planned.created.key:
        return manifest
    spec = manifest["spec"]
    containers = [
        _other(container, image) if container["name"] == CONTAINER else container
        for container in spec["containers"]
    ]
    other = {"containers": containers, "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}
    return {**manifest, "spec": {**spec, **other}}


def _other(container: dict[str, Any], image: str) -> dict[str, Any]:
    kept = {name: value for name, value in container.items() if name not in _NEVER_ASKED}
    program = Path(in_the_pod.__file__).read_text(encoding="utf-8")
    kept["command"] = ["python3", "-c", program]
    return {**kept, "image": image} if image else kept


def _temporary(manifest: Manifest) -> Manifest:
    if lifetime(manifest) == "server":
        return manifest
    meta = metadata(manifest)
    ends = "user" if manifest["kind"] == "Namespace" else "server"
    annotations = {**(meta.get("annotations") or {}), LIFETIME: ends}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}


@dataclass
class Trial:
    """One such server. *public_host* is the hub's, as browsers say it; *seconds* bound its start;
    *say* tells somebody who waits."""

    cluster: ConnectedCluster
    planned: Plan
    public_host: str
    seconds: float
    say: Callable[[str], None]

    async def run(self) -> list[Step]:
        """Start it, look, and take it out again, whatever happens.

        Raises ConfigError if it would be somebody's server, and MCKSError if that cannot be seen.
        """
        await self._check_nobody_has_it()
        steps: list[Step] = []
        try:
            await self._all(steps.append)
        finally:
            self.say("Taking the server out again")
            steps.append(await self._clean_up())
        return steps

    async def _all(self, found: Callable[[Step], None]) -> None:
        self.say(f"Starting a server in {self.cluster.title}")
        found(started := await self._start())
        if started.result == "failed":
            return
        self.say("Waiting for its look at the hub")
        found(await self._look_at_hub())
        self.say("Asking it through the gateway")
        found(answer := await self._answer())
        if answer.result == "failed":
            return
        for step in await through_gateway.tried(self._aim(), self.public_host):
            found(step)

    async def _start(self) -> Step:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.seconds):
                objects = await self._not_there_yet()
                self.planned = self.planned._replace(objects=objects)
                await launch.run(self.cluster, self.planned, Progress())
        except TimeoutError:
            late = await diagnosis.timed_out(self.cluster, self.planned, self.seconds)
            return _failed_start(late)
        except MCKSError as exc:
            return _failed_start(exc)
        return Step("start", "ok", f"its container runs after {time.monotonic() - began:.1f} s")

    async def _not_there_yet(self) -> Sequence[Manifest]:
        """All objects but the data of others: that is used, and must not be taken out again."""
        client, created = self.cluster.client, self.planned.created
        objects = []
        for manifest in await creation.locate(client, self.planned.objects, created.namespace):
            if (metadata(manifest).get("annotations") or {}).get(LIFETIME):
                try:
                    await client.get(ref(manifest))
                except NotFound:
                    pass
                else:
                    continue
            objects.append(manifest)
        return objects

    async def _check_nobody_has_it(self) -> None:
        """A start would replace a server of the same name, and a clean-up would delete it."""
        created = self.planned.created
        for where in (created.where("Secret"), created.where("Pod")):
            with contextlib.suppress(NotFound):
                await self.cluster.client.get(where)
                raise ConfigError(
                    f"{where} is there: it is somebody's server, which a start by that name would "
                    "replace. Let key_template, or pod_name_template, tell users apart"
                )

    async def _look_at_hub(self) -> Step:
        try:
            async with asyncio.timeout(_LOOKS):
                looks = await self._told()
        except TimeoutError:
            what = "the container writes nothing about the hub"
            return Step("hub", "failed", what, _NO_PYTHON)
        except MCKSError as exc:
            return Step("hub", "failed", str(exc), "let the hub read logs, as `mcks rbac` says")
        name, fine, words, _ = looks[-1]
        if not fine:
            return Step("hub", "failed", f"from the Pod: {words}", _TO_DO[name])
        seconds = sum(seconds for *_, seconds in looks)
        return Step("hub", "ok", f"from the Pod: {words} ({seconds:.1f} s)")

    async def _told(self) -> list[list[Any]]:
        where = self.planned.created.where("Pod")
        while True:
            log = await self.cluster.client.logs(where, CONTAINER)
            for line in log.splitlines():
                if line.startswith(in_the_pod.MARK):
                    told: list[list[Any]] = json.loads(line.removeprefix(in_the_pod.MARK))
                    return told
            await asyncio.sleep(_PAUSE)

    async def _answer(self) -> Step:
        began = time.monotonic()
        last = ["no answer"]

        def answered(probe: gateway.Probe) -> None:
            last[0] = probe.text

        aim = self._aim
        try:
            async with asyncio.timeout(_ROUTE):
                target = await gateway.wait_until_ready(self.cluster.http, aim, 0.0, answered)
        except TimeoutError:
            what = f"{aim().probe_url}: {last[0]}, for {_ROUTE:.0f} s"
            return Step("answer", "failed", what, _NO_ANSWER)
        seconds = time.monotonic() - began
        return Step("answer", "ok", f"{target.url} leads to the Pod ({seconds:.1f} s)")

    @property
    def _aim(self) -> launch.Aim:
        return launch.pointing_at(self.cluster, self.planned.created, self.planned.target)

    async def _clean_up(self) -> Step:
        created, client = self.planned.created, self.cluster.client
        made = list(created.data)
        try:
            async with asyncio.timeout(_CLEAN_UP):
                found = await asyncio.gather(
                    launch.stop(self.cluster, created),
                    *(creation.remove_data(client, where, created.hub_id) for where in made),
                    return_exceptions=True,
                )
            for failed in (answer for answer in found if isinstance(answer, BaseException)):
                raise failed
        except (MCKSError, TimeoutError) as exc:
            what = f"{created.key} in {created.namespace} is not taken out: {exc or 'no answer'}"
            return Step("end", "failed", what, "mcks gc lists it, and deletes it with --delete")
        return Step("end", "ok", "all is taken out again")


def _failed_start(exc: MCKSError) -> Step:
    no_python = any(words in str(exc) for words in _WITHOUT_PYTHON)
    return Step("start", "failed", str(exc), _NO_PYTHON if no_python else _EVENTS)


async def tried(
    config: Config,
    cluster: str,
    *,
    groups: Sequence[str] = (),
    image: str = "",
    say: Callable[[str], None],
) -> list[Step]:
    """Try a start in *cluster* for a user in *groups*, who exists for this alone.

    Its Pod has *image*, else that of the first profile that starts there. Raises MCKSError for what
    keeps it from being tried at all.
    """
    spawner, choice = subjects.starting(somebody(config, groups), cluster)
    pool = Pool(config, logging.getLogger("mcks.check"))
    try:
        planned, refused = hooked(spawner, plan.make(spawner, spawner.configured(pool)))
        if refused:
            raise ConfigError(refused)
        connected = await pool.connect(cluster, spawner.clusters)
        say(f"As {choice}" if choice else "As nobody chooses anything")
        host = _public_host(config, spawner)
        return await Trial(
            connected, disguised(planned, image), host, float(spawner.start_timeout), say
        ).run()
    finally:
        await pool.close()


def somebody(config: Config, groups: Sequence[str]) -> Sample:
    """A user whom the hub does not have, neither by name nor by number: both make names."""
    number = _FIRST_NUMBER + secrets.randbelow(_FIRST_NUMBER)
    return Sample(config, f"{USER_PREFIX}{secrets.token_hex(3)}", groups, userid=number)


def _public_host(config: Config, spawner: MultiClusterKubeSpawner) -> str:
    """The hub's host as browsers say it, as far as the configuration tells."""
    url = str(config.JupyterHub.get("public_url") or spawner.get_env()["JUPYTERHUB_API_URL"])
    return urlsplit(url).netloc.rpartition("@")[2]
