"""Where a server is without a gateway: by its Service's name, or at its Pod's address. Pure.

How requests get through a gateway does not belong here (routes.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcks.core.objects import Manifest, metadata
from mcks.errors import ConfigError

PORT = "notebook-port"
"""What the server's port is called, where a container has several."""


def of_service(
    service: Manifest, container: Mapping[str, Any], namespace: str, domain: str = ""
) -> str:
    """Return the URL by the name that the cluster's DNS has for *service*.

    *namespace* is where it is unless it says so itself; *domain* is the cluster's, such as
    ``cluster.local``. Raises ConfigError if the Service does not lead to *container*.
    """
    meta, spec = metadata(service), service.get("spec") or {}
    name = meta["name"]
    if spec.get("type") == "ExternalName":
        raise ConfigError(
            f'Service {name!r} is of type ExternalName, so route = "service" cannot lead to the '
            "server: take the type out, or choose another route"
        )
    if not spec.get("ports"):
        raise ConfigError(f'Service {name!r} has no ports: route = "service" needs the server\'s')
    place = [name, meta.get("namespace") or namespace, "svc", *([domain] if domain else ())]
    return f"http://{'.'.join(place)}:{_port_of_service(spec, container)}"


def of_pod(pod: Manifest, container: Mapping[str, Any]) -> str:
    """Return the URL of *container* of *pod*, "" as long as the Pod has no address."""
    address = (pod.get("status") or {}).get("podIP") or ""
    if not address:
        return ""
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port_of(container)}"


def port_of(container: Mapping[str, Any]) -> int:
    """Return where *container* listens: its port ``notebook-port``, else its first.

    Raises ConfigError if it names none.
    """
    port = _port_entry(container)
    if port is None:
        raise ConfigError(
            f'the container {container.get("name")!r} names no port: route = "pod" needs '
            f"`ports: [{{name: {PORT}, containerPort: 8888}}]` there"
        )
    return int(port["containerPort"])


def _port_entry(container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    ports: list[Mapping[str, Any]] = container.get("ports") or []
    return next((p for p in ports if p.get("name") == PORT), ports[0] if ports else None)


def _port_of_service(spec: Mapping[str, Any], container: Mapping[str, Any]) -> int:
    """The port that leads to the server; a headless Service leads nowhere by itself."""
    listens = _port_entry(container) or {}
    ends = {listens.get("containerPort"), listens.get("name")} - {None}
    ports = spec["ports"]
    chosen = next((p for p in ports if p.get("targetPort", p["port"]) in ends), ports[0])
    if spec.get("clusterIP") != "None":
        return int(chosen["port"])
    target = chosen.get("targetPort", chosen["port"])
    return target if isinstance(target, int) else port_of(container)
