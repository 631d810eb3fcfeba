"""Candidates: the clusters in which a server may start, and who tries which of them first. Pure.

What sends a start to the next one (placement/tries.py) does not belong here.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mcks.core.clusters.cluster import CONTEXT_PREFIX

Candidates = Sequence[str] | Mapping[str, float]
"""Names in their order, or names with weights; a cluster of weight 0 takes no new servers."""

WAYS = ("cluster", "kubernetes_context", "candidates")
"""Traits that say in which cluster a server starts; the first ones win over the last."""
_BITS = 64


def mistakes(said: Any, where: str) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with *said*, which stands at *where*."""
    if isinstance(said, str) or not isinstance(said, Sequence | Mapping):
        kind = type(said).__name__
        yield (
            f"{where} must be a list of clusters' names in their order, or a dict of names and "
            f"weights, not {kind}"
        )
        return
    if not said:
        yield f"{where} names no cluster: write one or more, or take the key out"
    for name in said:
        if not isinstance(name, str) or not name:
            yield f"{where}: {name!r} is no name of a cluster: quote it"
    if isinstance(said, Mapping):
        yield from _mistaken_weights(said, where)
    elif len(set(map(repr, said))) < len(said):
        yield f"{where} names a cluster twice: {', '.join(map(str, said))}"


def _mistaken_weights(said: Mapping[Any, Any], where: str) -> Iterator[str]:
    found = False
    for name, weight in said.items():
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight <= sys.float_info.max:
            found = True
            yield f"{where}[{name!r}] must be a number from 0 on, not {weight!r}"
    if said and not found and not any(said.values()):
        yield f"{where}: all weights are 0, so no server could start: give one cluster a weight"


def open_ones(said: Candidates) -> list[str]:
    """Return the names of those that take new servers, as they were written."""
    if isinstance(said, Mapping):
        return [name for name, weight in said.items() if weight > 0]
    return list(said)


def named(values: Mapping[str, Any]) -> list[str]:
    """Return the clusters that the traits with these *values* name, as far as no call is needed."""
    name, context = values.get("cluster"), values.get("kubernetes_context")
    if isinstance(context, str) and context:
        return [CONTEXT_PREFIX + context]
    if isinstance(name, str) and name:
        return [name]
    said = values.get("candidates") or ()
    return [] if callable(said) else open_ones(said)


def led_to(values: Mapping[str, Any], own: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Return the clusters to which *values* lead, or the hub's *own*, or the only one of *known*.

    None if a function names them: that is called when a server starts.
    """
    if any(callable(values.get(way)) for way in WAYS):
        return []
    return named(values) or named(own) or (list(known) if len(known) == 1 else [])


def in_order(said: Candidates, user: str) -> list[str]:
    """Return the names in the order in which *user* tries them.

    By weights each user has an order of their own, which stays: a cluster is first for as many
    users as its weight says, and when one is taken out, only its own users move (weighted
    rendezvous hashing, Thaler and Ravishankar 1998).
    """
    if not isinstance(said, Mapping):
        return list(said)
    return sorted(open_ones(said), key=lambda name: (_distance(user, name) / said[name], name))


def _distance(user: str, cluster: str) -> float:
    """Draw from an exponential distribution; the same two names always draw the same."""
    text = f"{len(user)}:{user}{cluster}".encode()
    drawn = int.from_bytes(hashlib.blake2b(text, digest_size=_BITS // 8).digest(), "big")
    return -math.log((drawn + 0.5) / 2**_BITS)
