"""Values of Zero to JupyterHub as the hub's configuration that its chart makes of them.

Only what sets a spawner is here. `chart_defaults` has what the chart says by itself. The chart's
own ``hub.extraConfig`` is Python, which the hub runs, and so does this.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from traitlets.config import Config

from mcks.core.conversion.chart_defaults import DOMAIN, SAME_VALUES, VERSION, defaults
from mcks.errors import ConfigError

_MODULE = "z2jh"
"""What ``extraConfig`` may import: the chart's own helpers."""


class Values:
    """A chart's values, its defaults included. *said* are the administrator's own."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = said
        self.all = _merged(defaults(), said)

    def get(self, path: str, default: Any = None) -> Any:
        """Return what stands at *path*, such as ``singleuser.image.tag``."""
        return _at(self.all, path, default)

    def is_said(self, path: str) -> bool:
        """Tell whether the administrator says *path*, and not the chart."""
        return _at(self.said, path, None) is not None


def of_chart(document: Any, where: str) -> Values:
    """Return the values in *document*, also if the chart is a part of another one.

    Raises ConfigError if these are no values of the chart.
    """
    if isinstance(document, Mapping) and isinstance(document.get("jupyterhub"), Mapping):
        document = document["jupyterhub"]
    if not isinstance(document, Mapping) or not {"singleuser", "hub"} & document.keys():
        raise ConfigError(
            f"{where} has neither 'singleuser' nor 'hub': give values of Zero to JupyterHub, such "
            "as `helm get values RELEASE --all` prints"
        )
    for name in ("singleuser", "hub", "scheduling"):
        if not isinstance(document.get(name) or {}, Mapping):
            raise ConfigError(f"{where}: {name!r} must be a mapping: write its keys below it")
    return Values(document)


def configuration(values: Values) -> tuple[Config, list[str], list[str]]:
    """Return the hub's configuration, what could not be read, and what to look at.

    What the release decides (its name, its namespace) is not among the values.
    """
    c = Config()
    try:
        _say_same(c, values)
        _say_image(c, values)
        _say_scheduling(c, values)
        _say_storage(c, values)
        _say_metadata_block(c, values)
        for section, said in (values.get("hub.config") or {}).items():
            c[section].update(said or {})
    except (AttributeError, KeyError, TypeError) as exc:
        raise ConfigError(f"the values are not as the chart wants them: {exc!r}") from exc
    return c, list(_run_extra_config(c, values)), list(_guessed(values))


def _guessed(values: Values) -> Iterator[str]:
    for path in ("singleuser.image", "singleuser.networkTools.image"):
        if not values.is_said(f"{path}.tag"):
            yield (
                f"{path}.tag is not said: it is that of chart {VERSION} here. "
                "`helm get values RELEASE --all` says yours"
            )


def _say_same(c: Config, values: Values) -> None:
    """Say what has the same meaning in both."""
    for trait, path in SAME_VALUES.items():
        value = values.get(f"singleuser.{path}")
        if value is not None:
            c.KubeSpawner[trait] = value
    c.KubeSpawner.allow_privilege_escalation = values.get("singleuser.allowPrivilegeEscalation")
    c.KubeSpawner.common_labels = {"app": "jupyterhub", "app.kubernetes.io/name": "jupyterhub"}
    c.Spawner.cmd = values.get("singleuser.cmd")
    if url := values.get("singleuser.defaultUrl"):
        c.Spawner.default_url = url
    if values.get("debug.enabled"):
        c.Spawner.debug = True
    if (limit := values.get("hub.consecutiveFailureLimit")) is not None:
        c.Spawner.consecutive_failure_limit = limit


def _say_image(c: Config, values: Values) -> None:
    if name := values.get("singleuser.image.name"):
        tag = values.get("singleuser.image.tag")
        c.KubeSpawner.image = f"{name}:{tag}" if tag else name
    own = values.get("imagePullSecret") or {}
    made = own.get("create") and own.get("automaticReferenceInjection", True)
    secrets = ["image-pull-secret"] if made else []
    for path in ("imagePullSecrets", "singleuser.image.pullSecrets"):
        secrets += values.get(path) or []
    if secrets:
        c.KubeSpawner.image_pull_secrets = secrets


def _say_scheduling(c: Config, values: Values) -> None:
    if values.get("scheduling.userScheduler.enabled"):
        c.KubeSpawner.scheduler_name = "user-scheduler"
    if values.get("scheduling.podPriority.enabled"):
        c.KubeSpawner.priority_class_name = "priority"
    purpose = {"key": f"{DOMAIN}/node-purpose", "operator": "In", "values": ["user"]}
    term = {"matchExpressions": [purpose]}
    match values.get("scheduling.userPods.nodeAffinity.matchNodePurpose"):
        case "prefer":
            wish = {"weight": 100, "preference": term}
            _append(c, "node_affinity_preferred", wish)
        case "require":
            _append(c, "node_affinity_required", term)
    tolerations = values.get("scheduling.userPods.tolerations") or []
    c.KubeSpawner.tolerations = [*tolerations, *(values.get("singleuser.extraTolerations") or [])]


def _append(c: Config, trait: str, item: Any) -> None:
    c.KubeSpawner[trait] = [*(c.KubeSpawner.get(trait) or []), item]


def _say_storage(c: Config, values: Values) -> None:
    storage = values.get("singleuser.storage")
    volumes: dict[str, Any] = {}
    mounts: dict[str, Any] = {}
    home = {"mountPath": storage["homeMountPath"]}
    if storage["type"] == "dynamic":
        dynamic = storage["dynamic"]
        c.KubeSpawner.storage_pvc_ensure = True
        for trait, value in (
            ("pvc_name_template", dynamic["pvcNameTemplate"]),
            ("storage_class", dynamic["storageClass"]),
            ("storage_access_modes", dynamic["storageAccessModes"]),
            ("storage_capacity", storage["capacity"]),
        ):
            if value is not None:
                c.KubeSpawner[trait] = value
        name, claim, path = dynamic["volumeNameTemplate"], "{pvc_name}", dynamic["subPath"]
        _mount(volumes, mounts, name, claim, {**home, "name": name, "subPath": path})
    elif storage["type"] == "static":
        claim, path = storage["static"]["pvcName"], storage["static"]["subPath"]
        _mount(volumes, mounts, "home", claim, {**home, "name": "home", "subPath": path})
    _add_files(volumes, mounts, values.get("singleuser.extraFiles") or {})
    volumes |= _keyed(storage["extraVolumes"], numbered=False)
    mounts |= _keyed(storage["extraVolumeMounts"], numbered=True)
    c.KubeSpawner.volumes, c.KubeSpawner.volume_mounts = volumes, mounts


def _mount(
    volumes: dict[str, Any], mounts: dict[str, Any], name: str, claim: str, mount: dict[str, Any]
) -> None:
    volumes[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    mounts[name] = {field: value for field, value in mount.items() if value is not None}


def _add_files(volumes: dict[str, Any], mounts: dict[str, Any], files: Mapping[str, Any]) -> None:
    """Add the chart's Secret of files, which is in the release's own namespace only."""
    if not files:
        return
    items = [
        {"key": key, "path": key, **({"mode": said["mode"]} if "mode" in said else {})}
        for key, said in files.items()
    ]
    volumes["files"] = {"name": "files", "secret": {"secretName": "singleuser", "items": items}}
    for number, (key, said) in enumerate(files.items()):
        mount = {"mountPath": said["mountPath"], "subPath": key, "name": "files"}
        mounts[f"{number}-files"] = mount


def _keyed(said: Any, *, numbered: bool) -> dict[str, Any]:
    if isinstance(said, Mapping):
        return dict(said)
    return {
        f"{number}-{item['name']}" if numbered else item["name"]: item
        for number, item in enumerate(said or ())
    }


def _say_metadata_block(c: Config, values: Values) -> None:
    """Add the container that blocks the clouds' metadata address."""
    said = values.get("singleuser.cloudMetadata")
    if said.get("blockWithIptables") is not True:
        return
    image = values.get("singleuser.networkTools.image")
    block = f"iptables --append OUTPUT --protocol tcp --destination {said['ip']}"
    container = {
        "name": "block-cloud-metadata",
        "image": f"{image['name']}:{image['tag']}",
        "command": [*block.split(), "--destination-port", "80", "--jump", "DROP"],
        "securityContext": {
            "privileged": True,
            "runAsUser": 0,
            "capabilities": {"add": ["NET_ADMIN"]},
        },
    }
    if resources := values.get("singleuser.networkTools.resources"):
        container["resources"] = resources
    said = c.KubeSpawner.get("init_containers") or []
    joined = [*(said[key] for key in sorted(said))] if isinstance(said, Mapping) else [*said]
    c.KubeSpawner.init_containers = [*joined, container]


# -- hub.extraConfig -------------------------------------------------------------------------


def _run_extra_config(c: Config, values: Values) -> Iterator[str]:
    """Run each piece, as the hub does; yield a sentence for each that cannot run here."""
    pieces = values.get("hub.extraConfig") or {}
    if not isinstance(pieces, Mapping):
        raise ConfigError("hub.extraConfig must be a mapping of names to Python code")
    with _helpers(values) as helpers:
        namespace: dict[str, Any] = {"c": c, "os": os, "re": re, "sys": sys, **helpers}
        for key, code in sorted(pieces.items()):
            try:
                exec(compile(str(code), f"hub.extraConfig[{key!r}]", "exec"), namespace)  # noqa: S102
            except Exception as exc:
                yield (
                    f"hub.extraConfig[{key!r}] cannot run here ({type(exc).__name__}: {exc}), so "
                    "what it says is not converted: run this where the hub runs"
                )


@contextmanager
def _helpers(values: Values) -> Iterator[dict[str, Any]]:
    """Let the chart's helper module be imported meanwhile, and give what is in it."""

    def set_config_if_not_none(parent: Config, name: str, path: str) -> None:
        if (said := values.get(path)) is not None:
            parent[name] = said

    helpers = {
        "get_config": values.get,
        "get_name": str,
        "set_config_if_not_none": set_config_if_not_none,
    }
    module = ModuleType(_MODULE)
    vars(module).update(helpers)
    before = sys.modules.get(_MODULE)
    sys.modules[_MODULE] = module
    try:
        yield helpers
    finally:
        if before is None:
            del sys.modules[_MODULE]
        else:
            sys.modules[_MODULE] = before


def _at(values: Any, path: str, default: Any) -> Any:
    for name in re.split(r"\.", path):
        if not isinstance(values, Mapping) or name not in values:
            return default
        values = values[name]
    return values


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as helm does."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged
