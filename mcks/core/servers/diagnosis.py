"""Find out why a start failed, and put it into an error: words for the user, evidence for the log.

Whether a Pod is hopeless (failures.py) and what is done about it (launch.py) do not belong here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mcks.core.gateways import gateway
from mcks.core.objects import Manifest, Selector, metadata
from mcks.core.pods import containers, events, failures
from mcks.core.servers import server
from mcks.core.servers.server import Plan
from mcks.errors import Forbidden, MCKSError, NotFound, StartFailed

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster

_LOG_LINES = 20
_LOOK_AROUND = 5.0
"""Seconds that may be spent to find out why a start failed."""


async def holds(connection: ConnectedCluster, verdict: failures.Verdict) -> bool:
    """Whether what the kubelet misses is really absent; where mcks may not look, it is believed."""
    if verdict.absent is None:
        return True
    try:
        await connection.client.get(verdict.absent)
    except (NotFound, Forbidden):
        return True
    return False


async def timed_out(connection: ConnectedCluster, launch: Plan, seconds: float) -> StartFailed:
    """Say why the server was not ready in time, with all that is known for the log."""
    verdict = await _in_the_way(connection, launch.created) or await _lateness(connection, launch)
    details = f"not ready after {seconds:.0f} s: {verdict.details}"
    return await failure(connection, launch, verdict._replace(details=details))


async def _in_the_way(
    connection: ConnectedCluster, created: server.Created
) -> failures.Verdict | None:
    """What of the last server the start has waited for in vain."""
    for where in created.in_the_way:
        try:
            async with asyncio.timeout(_LOOK_AROUND):
                return failures.still_ending(await connection.client.get(where))
        except NotFound:
            continue  # gone at last
        except (MCKSError, TimeoutError):
            return failures.still_ending(
                {
                    "apiVersion": where.api_version,
                    "kind": where.kind,
                    "metadata": {"name": where.name, "namespace": where.namespace},
                }
            )
    return None


async def _lateness(connection: ConnectedCluster, launch: Plan) -> failures.Verdict:
    pod = _pod(connection, launch.created)
    if pod is None:
        return failures.NEVER_MADE
    if not failures.is_running(pod):
        return failures.late(pod)
    target = server.located(launch.target, pod)
    answer = await gateway.ask(connection.http, target)
    if answer.elsewhere:
        return failures.redirected(target, answer.text)
    return failures.not_shown(target, answer.text)


async def failure(
    connection: ConnectedCluster, launch: Plan, verdict: failures.Verdict
) -> StartFailed:
    """Make the error: a sentence for the user, events and last log lines for the administrator."""
    lines = [verdict.details]
    try:
        async with asyncio.timeout(_LOOK_AROUND):
            lines += await _evidence(connection, launch.created, verdict.container)
    except (MCKSError, TimeoutError) as exc:
        lines.append(f"(no more is known: {str(exc) or 'time-out'})")
    details = "\n".join(line for line in lines if line)
    return StartFailed(verdict.message, details=details, reason=verdict.reason)


def _pod(connection: ConnectedCluster, created: server.Created) -> Manifest | None:
    """The Pod of this start, and no other of its name; None if there is none any more."""
    pod = connection.pods_of(created.namespace).get(created.where("Pod"))
    return pod if pod and metadata(pod)["uid"] == created.uids.get("Pod") else None


async def _evidence(
    connection: ConnectedCluster, created: server.Created, container: str
) -> list[str]:
    """What the cluster tells of this start's own Pod: an older one of its name is no evidence."""
    uid, where = created.uids.get("Pod"), created.where("Pod")
    if uid is None:
        return []
    selected = f"involvedObject.kind=Pod,involvedObject.name={where.name}"
    found, _ = await connection.client.list(
        Selector("v1", "Event", where.namespace, field_selector=selected)
    )
    lines = [events.sentence(event) for event in found if events.is_about(event, uid)]
    pod = _pod(connection, created)
    if pod is not None and any(c.name == container and c.has_run for c in containers.of(pod)):
        log = await connection.client.logs(where, container, tail_lines=_LOG_LINES)
        lines += [f"last log lines of container {container!r}:", log]
    return lines
