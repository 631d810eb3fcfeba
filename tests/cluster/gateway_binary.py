"""Provides Contour, Envoy and the definitions of their kinds; running them is gateway.py's part."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import build, cache
from tests.cluster.python_venv import virtual_environment

_SOURCE = Path(__file__).parent / "gateway"
_CONTOUR = "github.com/projectcontour/contour"
_GATEWAY_API = "sigs.k8s.io/gateway-api"
_PARTS = ("apiVersion", "kind", "metadata", "spec")
_UNUSED = "contourdeployments.projectcontour.io"  # the largest, for a provisioner we do not run


@dataclass(frozen=True)
class GatewayBinaries:
    """Paths of the executables, and the CustomResourceDefinitions as manifests."""

    contour: Path
    envoy: Path
    definitions: list[dict[str, Any]] = field(repr=False)


def _key() -> str:
    return cache.key(_SOURCE / "go.mod", _SOURCE / "go.sum", _UNUSED, "without descriptions")


def is_built() -> bool:
    """True if `gateway_binaries` need not build Contour."""
    return cache.is_complete("contour", _key())


def gateway_binaries() -> GatewayBinaries:
    """Contour (built by Go), Envoy (from its Python package) and the definitions they need."""
    directory = cache.entry("contour", _key(), _build)
    envoy = next(virtual_environment("gateway").glob("lib/python3*/site-packages/envoy/_bin/envoy"))
    definitions = json.loads((directory / "definitions.json").read_text())
    return GatewayBinaries(directory / "contour", envoy, definitions)


def _build(directory: Path) -> None:
    with build.step("building Contour (the first time: 2 minutes on 2 cores)"):
        output, package = directory / "contour", f"{_CONTOUR}/cmd/contour"
        command = [
            "go",
            "build",
            "-trimpath",
            "-buildvcs=false",
            build.NO_DEBUGGING,
            "-ldflags",
            "-s -w",
            "-o",
            str(output),
            package,
        ]
        build.run(command, cwd=_SOURCE, environment={"CGO_ENABLED": "0"})
    files = [_module(_CONTOUR) / "examples" / "contour" / "01-crds.yaml"]
    files += sorted((_module(_GATEWAY_API) / "config" / "crd" / "standard").glob("*.yaml"))
    documents = [doc for file in files for doc in yaml.safe_load_all(file.read_text()) if doc]
    wanted = [
        without_descriptions({key: document[key] for key in _PARTS})
        for document in documents
        if document["kind"] == "CustomResourceDefinition"
        and document["metadata"]["name"] != _UNUSED
    ]
    (directory / "definitions.json").write_text(json.dumps(wanted))


def without_descriptions(value: Any) -> Any:
    """A schema without its texts: they are most of it, and the API server keeps it in memory."""
    if isinstance(value, list):
        return [without_descriptions(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_descriptions(item)
        for key, item in value.items()
        if not (key == "description" and isinstance(item, str))  # a property may have this name
    }


def _module(path: str) -> Path:
    listed = build.run(["go", "list", "-m", "-f", "{{.Dir}}", path], cwd=_SOURCE)
    return Path(listed.splitlines()[-1])
