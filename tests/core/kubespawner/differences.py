"""What is not the same in KubeSpawner's objects and mcks' translation of its words, and why.

The page docs/reference/kubespawner.md has this table. The differential tests compare all else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcks.core.labels import HUB_LABEL, KEY_LABEL, LIFETIME
from mcks.core.names import is_dns_label
from mcks.core.objects import Manifest

_CUT = re.compile(r".*-h[0-9a-f]{10}")
_WRITTEN_THOUGH_EMPTY = ("volumes", "volumeMounts", "imagePullSecrets", "lifecycle", "resources")


@dataclass(frozen=True)
class Difference:
    """*what* differs and *why*, as the page says it; *drop* takes it out of an object."""

    what: str
    why: str
    drop: Callable[[Manifest], None]


def _labels(manifest: Manifest) -> None:
    labels = manifest["metadata"]["labels"]
    for name in ("app.kubernetes.io/managed-by", KEY_LABEL, HUB_LABEL):
        labels.pop(name, None)


def _annotations(manifest: Manifest) -> None:
    annotations = manifest["metadata"]["annotations"]
    for name in ("kubespawner-version", "jupyterhub-version", "servername"):
        annotations.pop(f"hub.jupyter.org/{name}", None)
    annotations.pop("hub.jupyter.org/username", None)


def _lifetime(manifest: Manifest) -> None:
    manifest["metadata"]["annotations"].pop(LIFETIME, None)


def _environment(manifest: Manifest) -> None:
    for container in _notebooks(manifest):
        container.pop("env", None)
        container["envFrom"] = [
            source for source in container.get("envFrom") or [] if "secretRef" not in source
        ]
        if not container["envFrom"]:
            del container["envFrom"]


def _service_links(manifest: Manifest) -> None:
    if manifest["kind"] == "Pod":
        manifest["spec"].pop("enableServiceLinks", None)


def _grace(manifest: Manifest) -> None:
    if manifest["kind"] == "Pod":
        manifest["spec"].pop("terminationGracePeriodSeconds", None)


def _numbers(manifest: Manifest) -> None:
    for container in _notebooks(manifest):
        resources = container.get("resources") or {}
        for kind, quantities in list(resources.items()):
            resources[kind] = {name: _as_text(value) for name, value in quantities.items()}


def _as_text(quantity: Any) -> str:
    if isinstance(quantity, float) and quantity == int(quantity):
        return str(int(quantity))
    return str(quantity)


def _empty(manifest: Manifest) -> None:
    if manifest["kind"] != "Pod":
        return
    for place in (manifest["spec"], *_notebooks(manifest)):
        if isinstance(resources := place.get("resources"), dict):
            place["resources"] = {kind: said for kind, said in resources.items() if said}
        for name in _WRITTEN_THOUGH_EMPTY:
            if name in place and not place[name]:
                del place[name]


def _long_name(manifest: Manifest) -> None:
    name = manifest["metadata"]["name"]
    if manifest["kind"] in ("Pod", "Namespace") and (
        _CUT.fullmatch(name) or not is_dns_label(name)
    ):
        manifest["metadata"]["name"] = "(no label)"


def _notebooks(manifest: Manifest) -> list[dict[str, Any]]:
    containers = manifest["spec"].get("containers", []) if manifest["kind"] == "Pod" else []
    return [container for container in containers if container["name"] == "notebook"]


DIFFERENCES = [
    Difference(
        "labels of mcks: `mcks.hub.jupyter.org/key`, and `app.kubernetes.io/managed-by` is `mcks`",
        "by them mcks finds what is its own",
        _labels,
    ),
    Difference(
        "annotations: no versions; `hub.jupyter.org/servername` also for the default server",
        "mcks' own annotations are the same on every object",
        _annotations,
    ),
    Difference(
        "annotation `mcks.hub.jupyter.org/lifetime` of a claim: `user`, or `keep` without "
        "`delete_pvc`; of a user's namespace: `keep`",
        "it says when mcks deletes an object",
        _lifetime,
    ),
    Difference(
        "the environment is in a Secret, which the container reads (`envFrom`)",
        "who may read Pods must not read tokens",
        _environment,
    ),
    Difference(
        "`enableServiceLinks` is false",
        "variables of other users' Services do not reach the server",
        _service_links,
    ),
    Difference(
        "`terminationGracePeriodSeconds` of the Pod is `delete_grace_period`",
        "KubeSpawner says it when it deletes; here it holds whoever deletes",
        _grace,
    ),
    Difference(
        "quantities are texts, as in `memory: '1073741824'`",
        "Kubernetes reads both alike",
        _numbers,
    ),
    Difference(
        "lists that are empty are not there",
        "Kubernetes reads both alike",
        _empty,
    ),
    Difference(
        "a Pod's or namespace's name that is no DNS label of 63 characters is cut and gets a hash",
        "Service, route and a label are called as the Pod; Kubernetes takes no such namespace",
        _long_name,
    ),
]


def without_differences(manifest: Manifest) -> Manifest:
    """*manifest* without what differs for a reason."""
    meta = manifest["metadata"]
    meta["labels"], meta["annotations"] = meta.get("labels") or {}, meta.get("annotations") or {}
    for difference in DIFFERENCES:
        difference.drop(manifest)
    return manifest
