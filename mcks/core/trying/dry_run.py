"""Let an API server judge the objects of a start without keeping any of them.

Which objects there are (subjects.py) and what they name (references.py) does not belong here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mcks.core.api.client import ClusterClient
from mcks.core.objects import Manifest, metadata
from mcks.core.servers import creation, refusals
from mcks.errors import APIError, Conflict, NotFound

_AT_A_TIME = 8
_REMEDIES = {
    "quota": "raise the ResourceQuota, or let the profile ask for less",
    "policy": "change the profile by a patch, or the cluster's rule",
}


@dataclass(frozen=True)
class Sampled:
    """The objects that a sample user's start with one choice would send; *choice* names it.

    *key* names its Pod and Secret. *namespace* is where they go, None if it is the user's own.
    """

    choice: str
    key: str
    namespace: str | None
    objects: tuple[Manifest, ...]


@dataclass(frozen=True)
class Refusal:
    """What the API server would answer: for which *choice*, *what*, and what *to_do*."""

    choice: str
    what: str
    to_do: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.choice, self.what)))


async def judge(client: ClusterClient, samples: Sequence[Sampled]) -> tuple[int, list[Refusal]]:
    """Send each object once, to be judged; return how many, and what was refused.

    What several choices have in common is told for the first one. Objects in a namespace that the
    start itself would make cannot be judged, and are not sent. Raises what no object can be
    blamed for: `Unreachable`, `Unauthorized`.
    """
    chosen: dict[str, tuple[str, str | None, Manifest]] = {}
    for sample in samples:
        for manifest in _judgeable(sample):
            text = json.dumps([sample.namespace, manifest], sort_keys=True)
            chosen.setdefault(text, (sample.choice, sample.namespace, manifest))
    at_a_time = asyncio.Semaphore(_AT_A_TIME)

    async def one(choice: str, namespace: str | None, manifest: Manifest) -> Refusal | None:
        async with at_a_time:
            return await _judged(client, choice, namespace, manifest)

    answers = await asyncio.gather(*(one(*which) for which in chosen.values()))
    first = {answer.what: answer for answer in reversed(answers) if answer is not None}
    return len(chosen), list(reversed(first.values()))


def _judgeable(sample: Sampled) -> Iterator[Manifest]:
    """The objects as they can be sent alone, without what is secret."""
    accounts = {m["metadata"]["name"] for m in sample.objects if m["kind"] == "ServiceAccount"}
    to_be_made = {m["metadata"]["name"] for m in sample.objects if m["kind"] == "Namespace"}
    for manifest in sample.objects:
        place = metadata(manifest).get("namespace") or sample.namespace
        if manifest["kind"] == "Namespace" or (place and place not in to_be_made):
            yield _alone(manifest, sample.key, accounts)


def _alone(manifest: Manifest, key: str, accounts: Collection[str]) -> Manifest:
    if manifest["kind"] == "Secret" and manifest["metadata"]["name"] == key:
        return {name: value for name, value in manifest.items() if name != "stringData"}
    spec = manifest.get("spec")
    if manifest["kind"] == "Pod" and spec and spec.get("serviceAccountName") in accounts:
        without = {name: value for name, value in spec.items() if name != "serviceAccountName"}
        return {**manifest, "spec": without}  # admission would miss it
    return manifest


async def _judged(
    client: ClusterClient, choice: str, namespace: str | None, manifest: Manifest
) -> Refusal | None:
    try:
        (located,) = await creation.locate(client, [manifest], namespace or "")
        await client.create(located, dry_run=True)
    except Conflict:
        return None  # the name is taken, so it was accepted once
    except NotFound as exc:
        kind = f"{manifest['kind']} of {manifest['apiVersion']}"
        to_do = f"install what serves {kind}, or take it out of the objects"
        return Refusal(choice, _words(exc), to_do)
    except APIError as exc:
        if exc.status == 401 or exc.status >= 500:
            raise
        known = refusals.explained(exc)
        return Refusal(choice, _words(exc), _REMEDIES.get(known.reason, "") if known else "")
    return None


def _words(exc: APIError) -> str:
    """Kubernetes' own words, without the name of the cluster, which stands beside them."""
    return str(exc).partition(": ")[2]
