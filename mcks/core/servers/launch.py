"""Start one server in a connected cluster and wait until it works; take it out again.

Which objects there are (plan.py), why a start failed (diagnosis.py) and which hub calls lead here
(spawner.py) do not belong here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from mcks.core.gateways import gateway, routes
from mcks.core.objects import Manifest, metadata
from mcks.core.pods import events, failures
from mcks.core.pods.patience import ENDLESS, Patience
from mcks.core.servers import creation, diagnosis, refusals, server
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Plan, located
from mcks.core.servers.waiting import Wait
from mcks.errors import APIError, StartFailed

if TYPE_CHECKING:
    from mcks.core.api.client import ClusterClient
    from mcks.core.clusters.connected import ConnectedCluster

_ELSEWHERE = 30.0
"""Seconds of nothing but redirects to another address after which a gateway is believed: one that
is just learning a route may answer so for a while."""
_MOMENT = 0.25
"""Seconds in which nobody looks for what would end a wait."""
_T = TypeVar("_T")
_U = TypeVar("_U")
PodCreated = Callable[[Manifest], Awaitable[None]] | None
Aim = Callable[[], routes.Target]
_STOP_MARGIN = 15.0
"""Seconds beyond a Pod's grace period until the API server is asked instead of the watch."""


async def start(
    connection: ConnectedCluster,
    launch: Plan,
    progress: Progress,
    pod_created: PodCreated = None,
    patience: Patience = ENDLESS,
) -> str:
    """Create the objects and return the server's URL when it answers there.

    *pod_created* is called with the Pod as soon as there is one; what it raises ends the start.
    *patience* bounds what may never come: a place, the end of a queue, a gateway's answer.
    Raises StartFailed as soon as the pod cannot become ready, and what the cluster answers.
    Nothing is cleaned up here: ``stop`` does that.
    """
    began = time.monotonic()
    gateway.refuse_if_silent(connection.http, launch.target)
    uid = await run(connection, launch, progress, pod_created, patience)
    aim = pointing_at(connection, launch.created, launch.target)
    answers = _Answers(aim, progress, patience.gateway)
    url = await _until_ready_or_failed(connection, launch, uid, answers, time.monotonic() - began)
    progress.say("The server answers", 95)
    return url


async def run(
    connection: ConnectedCluster,
    launch: Plan,
    progress: Progress,
    pod_created: PodCreated = None,
    patience: Patience = ENDLESS,
) -> str:
    """Create the objects and return the Pod's uid when its container runs. Raises as ``start``."""
    progress.say(f"Creating the server in {connection.title}", 10)
    pods = connection.pods_of(launch.created.namespace)
    if launch.created.owns(pods.get(launch.created.where("Pod")) or {}):
        progress.say("Waiting for the end of your last server", 10)
    pod = await _create(connection.client, launch)
    pods.learn(pod)
    if pod_created is not None:
        await pod_created(pod)
    progress.say("The cluster has accepted the server", 25)
    progress.accepted.set()
    uid = str(metadata(pod)["uid"])
    await _until_running(connection, launch, uid, progress, patience)
    return uid


def pointing_at(
    connection: ConnectedCluster, created: server.Created, target: routes.Target
) -> Aim:
    """Return what points at the server wherever its Pod is at that moment."""

    def present() -> routes.Target:
        pod = connection.pods_of(created.namespace).get(created.where("Pod"))
        return located(target, pod if pod and created.owns(pod) else None)

    return present


async def _create(client: ClusterClient, launch: Plan) -> Manifest:
    try:
        objects = await creation.locate(client, launch.objects, launch.created.namespace)
        return await creation.create_all(client, objects, launch.created)
    except APIError as exc:
        failed = refusals.explained(exc)
        if failed is None:
            raise
        raise failed from exc


async def _until_running(
    connection: ConnectedCluster, launch: Plan, uid: str, progress: Progress, patience: Patience
) -> None:
    pods, where = connection.pods_of(launch.created.namespace), launch.created.where("Pod")
    wait = Wait(connection, launch.created, patience, progress)
    doubted: failures.Verdict | None = None

    def settled(current: Manifest | None) -> failures.Verdict | bool | None:
        if current is None or metadata(current)["uid"] != uid:
            return failures.vanished(pods.last(uid))
        wait.see(current)
        percent, words = failures.phase(current)
        progress.say(words, percent)
        verdict = failures.hopeless(current)
        if verdict is not None and verdict != doubted:
            return verdict
        there = failures.is_running(current) and located(launch.target, current).url
        return True if there else None

    while isinstance(
        verdict := await _unless(wait.given_up, pods.wait_for(where, settled)), failures.Verdict
    ):
        if await diagnosis.holds(connection, verdict):
            raise await diagnosis.failure(connection, launch, verdict)
        doubted = verdict


async def _unless(
    ends: Callable[[], Coroutine[Any, Any, _U]], work: Coroutine[Any, Any, _T]
) -> _T | _U:
    """Return what *work* gives, or what *ends* does if that is there first; *work* is ended then.

    Most of what is waited for is there in a moment, and then *ends* is not even begun.
    """
    loop, limit = asyncio.get_running_loop(), asyncio.timeout(None)
    beside: list[asyncio.Task[_U]] = []
    waiting = True

    def over(_: object) -> None:
        if waiting:
            limit.reschedule(loop.time())

    def begin() -> None:
        beside.append(asyncio.create_task(ends()))
        beside[0].add_done_callback(over)

    beginning = loop.call_later(_MOMENT, begin)
    try:
        async with limit:
            try:
                return await work
            finally:
                waiting = False
    except TimeoutError:
        if not limit.expired():
            raise
        return await beside[0]
    finally:
        beginning.cancel()
        for task in beside:
            task.remove_done_callback(over)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Answers:
    """What was answered so far to the questions of one start, where *aim* points. A gateway that is
    silent from the beginning is given up after *patience* seconds; None: never."""

    def __init__(self, aim: Aim, progress: Progress, patience: float | None) -> None:
        self.aim, self._progress = aim, progress
        self._patience, self._began = patience, time.monotonic()
        self._elsewhere_since: float | None = None

    def take(self, probe: gateway.Probe) -> None:
        """Take in one answer. Raises StartFailed if there is nothing but redirects, or silence."""
        if not probe.silent:
            self._patience = None
        elif self._patience is not None and not self.aim().is_direct:
            self._bear_silence(probe.text, self._patience)
        if not probe.elsewhere:
            self._elsewhere_since = None
            return
        now = time.monotonic()
        whose = "The server" if self.aim().is_direct else "The cluster's gateway"
        self._elsewhere_since = self._elsewhere_since or now
        self._progress.say(
            f"{whose} sends requests to another address ({probe.elsewhere}). "
            "Waiting whether that passes"
        )
        if now - self._elsewhere_since >= _ELSEWHERE:
            raise _failed(failures.redirected(self.aim(), probe.text))

    def _bear_silence(self, answer: str, patience: float) -> None:
        self._progress.say("The cluster's gateway does not answer. Waiting whether that passes")
        waited = time.monotonic() - self._began
        if waited >= patience:
            raise _failed(failures.silent(self.aim(), answer, waited))


def _failed(verdict: failures.Verdict) -> StartFailed:
    return StartFailed(verdict.message, details=verdict.details, reason=verdict.reason)


async def _until_ready_or_failed(
    connection: ConnectedCluster, launch: Plan, uid: str, answers: _Answers, waited: float
) -> str:
    """Ask where the server is to be, and give up at once if the pod ends meanwhile."""
    pods = connection.pods_of(launch.created.namespace)

    def failed(current: Manifest | None) -> failures.Verdict | None:
        if current is None or metadata(current)["uid"] != uid:
            return failures.vanished(pods.last(uid))
        return failures.hopeless(current)

    outcome = await _unless(
        lambda: pods.wait_for(launch.created.where("Pod"), failed),
        gateway.wait_until_ready(connection.http, answers.aim, waited, answers.take),
    )
    if isinstance(outcome, failures.Verdict):
        raise await diagnosis.failure(connection, launch, outcome)
    return str(outcome.url)


async def narrate(
    connection: ConnectedCluster, created: server.Created, progress: Progress
) -> None:
    """Add the events of the server's Pod to *progress* until cancelled."""
    async for event in connection.pod_events.follow(created.where("Pod")):
        of_this_pod = events.is_about(event, created.uids["Pod"] or "")
        if of_this_pod and (step := events.step(event)):
            progress.say(step[1], step[0])


async def find_again(
    connection: ConnectedCluster, created: server.Created, target: routes.Target
) -> str:
    """Return the URL of a server that ran before when it answers at *target*, or its Pod is known
    to be gone."""
    pods, aim = connection.pods_of(created.namespace), pointing_at(connection, created, target)
    await pods.synced.wait()

    def gone(pod: Manifest | None) -> bool | None:
        return True if pod is None or failures.exit_code(pod) is not None else None

    if not gone(pods.get(created.where("Pod"))):
        await _unless(
            lambda: pods.wait_for(created.where("Pod"), gone),
            gateway.wait_until_ready(connection.http, aim),
        )
    return aim().url


async def stop(connection: ConnectedCluster, created: server.Created) -> None:
    """Delete the server's objects and return when its Pod is gone. Bound it with a time-out.

    A Pod of an older server, for whose end a start has waited in vain, is not waited for again.
    """
    pods, where = connection.pods_of(created.namespace), created.where("Pod")
    pod = pods.get(where)
    unknown = created.uids.get("Pod") is None and where not in created.in_the_way
    if pod is not None and unknown and created.owns(pod):
        created.uids["Pod"] = metadata(pod)["uid"]
    await creation.remove(connection.client, created)
    uid = created.uids.get("Pod")
    if uid is None:
        return
    grace = float(((pod or {}).get("spec") or {}).get("terminationGracePeriodSeconds") or 30)
    try:
        async with asyncio.timeout(grace + _STOP_MARGIN):
            await pods.wait_for(
                where, lambda p: True if p is None or metadata(p)["uid"] != uid else None
            )
    except TimeoutError:
        await creation.wait_until_gone(connection.client, where, uid)
