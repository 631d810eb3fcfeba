"""One step of trying a cluster: would it take the objects of a start, and is there what they name?

How each object is judged (dry_run.py) and what they name (references.py) do not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mcks.core.api.client import ClusterClient
from mcks.core.objects import Ref
from mcks.core.trying import dry_run, references
from mcks.core.trying.dry_run import Sampled
from mcks.core.trying.report import Step
from mcks.errors import Forbidden, NotFound

NAME = "objects"
_OPTIONAL = "IngressClass"
"""Gateways that watch one class read its name, and need no object of it."""
_CLASSES = "`mcks rbac --classes` prints what lets the hub look"


async def step(client: ClusterClient, samples: Sequence[Sampled]) -> Step:
    """Ask the API server about the objects of *samples*; nothing is kept there.

    Raises what no object can be blamed for, such as `Unreachable`.
    """
    if not samples:
        return Step(NAME, "skipped", "no profile can be tried in it")
    sent, refused = await dry_run.judge(client, samples)
    missing, unseen = await _looked_for(client, samples)
    lacking = [ref for ref in missing if ref.kind != _OPTIONAL]
    told = [str(refusal) for refusal in refused] + [f"there is no {ref}" for ref in lacking]
    if told:
        to_do = [refusal.to_do for refusal in refused]
        to_do += ["make what is missing, or name another"] if lacking else []
        return Step(NAME, "failed", "; ".join(told), "; ".join(dict.fromkeys(filter(None, to_do))))
    what = f"{sent} {'object' if sent == 1 else 'objects'} would be accepted"
    if without := ", ".join(str(ref) for ref in missing):
        what += f". There is no {without}: some gateways, such as Contour, do without"
    if names := ", ".join(str(ref) for ref in unseen):
        what += f". The hub may not see whether there is {names}: {_CLASSES}"
    return Step(NAME, "ok", what)


async def _looked_for(
    client: ClusterClient, samples: Sequence[Sampled]
) -> tuple[list[Ref], list[Ref]]:
    """Return what *samples* name and is not there, and what the hub may not see."""
    named = dict.fromkeys(
        ref for sample in samples for ref in references.named(sample.objects, sample.namespace)
    )

    async def look(where: Ref) -> str:
        try:
            await client.get(where)
        except NotFound:
            return "missing"
        except Forbidden:
            return "unseen"
        return ""

    found = await asyncio.gather(*(look(where) for where in named))
    answers = list(zip(named, found, strict=True))
    return [r for r, how in answers if how == "missing"], [
        r for r, how in answers if how == "unseen"
    ]
