"""What the ResourceQuotas of a namespace leave, in users' words.

When it is read, and who is told, does not belong here (news.py, capacity.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from mcks.core.manifests.quantities import amount
from mcks.core.objects import Manifest, Selector

if TYPE_CHECKING:
    from mcks.core.api.client import ClusterClient

_SERVERS = ("pods", "count/pods")
_CPU = ("cpu", "requests.cpu", "limits.cpu")
_MEMORY = ("memory", "requests.memory", "limits.memory")
_REQUESTS = "requests."
_NAMES = {"gpu": "GPU", "tpu": "TPU"}
"""What people call devices, by the last part of a resource's name."""
_MIB, _GIB = 1024**2, 1024**3


async def read(client: ClusterClient, namespace: str) -> str:
    """Say what the ResourceQuotas of *namespace* leave: one request. Raises APIError, Unreachable.

    It needs the right to list them there.
    """
    quotas, _ = await client.list(Selector("v1", "ResourceQuota", namespace))
    return left(quotas)


def left(quotas: Iterable[Manifest]) -> str:
    """Say what *quotas* leave together: of each resource the least. Empty if none limits servers.

    A quota with scopes counts some Pods only, and nobody knows whether a server will be one of
    them: it is left out.
    """
    free: dict[str, Decimal] = {}
    most: dict[str, Decimal] = {}
    for quota in quotas:
        spec, status = quota.get("spec") or {}, quota.get("status") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        used = status.get("used") or {}
        for resource, hard in (status.get("hard") or {}).items():
            limit, taken = amount(hard), amount(used.get(resource, "0"))
            if limit is None or taken is None:
                continue
            rest = max(limit - taken, Decimal(0))
            if resource not in free or rest < free[resource]:
                free[resource], most[resource] = rest, limit
    return _joined([*_servers(free, most), *_devices(free), *_cpus(free), *_memory(free)])


def _joined(parts: list[str]) -> str:
    return f"{', '.join(parts)} free" if parts else ""


def _servers(free: Mapping[str, Decimal], most: Mapping[str, Decimal]) -> Iterator[str]:
    named = [name for name in _SERVERS if name in free]
    if named:
        least = min(named, key=free.__getitem__)
        yield f"{int(free[least])} of {_counted(int(most[least]), 'server')}"


def _devices(free: Mapping[str, Decimal]) -> Iterator[str]:
    """Extended resources: Kubernetes limits only the requests of them."""
    found: dict[str, int] = {}
    for resource in sorted(free):
        domain, slash, device = resource.removeprefix(_REQUESTS).partition("/")
        if resource.startswith(_REQUESTS) and slash and domain:
            found[device] = found.get(device, 0) + int(free[resource])
    for device, number in found.items():
        name = _NAMES.get(device)
        yield _counted(number, name) if name else f"{number} {device}"


def _cpus(free: Mapping[str, Decimal]) -> Iterator[str]:
    rest = _least(free, _CPU)
    if rest is not None:
        number = _rounded(rest)
        yield f"{number} {'CPU' if number == '1' else 'CPUs'}"


def _memory(free: Mapping[str, Decimal]) -> Iterator[str]:
    rest = _least(free, _MEMORY)
    if rest is not None:
        size, unit = (rest / _GIB, "GiB") if rest >= _GIB else (rest / _MIB, "MiB")
        yield f"{_rounded(size) if rest else '0'} {unit} memory"


def _least(free: Mapping[str, Decimal], names: Iterable[str]) -> Decimal | None:
    return min((free[name] for name in names if name in free), default=None)


def _rounded(number: Decimal) -> str:
    """Write *number* with one digit behind the point as far as that matters, never too much.

    >>> _rounded(Decimal("12.74")), _rounded(Decimal("2.49")), _rounded(Decimal("3.0"))
    ('12', '2.4', '3')
    """
    step = Decimal(1) if number >= 10 else Decimal("0.1")
    return format(number.quantize(step, ROUND_FLOOR).normalize(), "f")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
