"""Values of Zero to JupyterHub as the hub's configuration that its chart makes of them.

What sets a spawner is here, and what Python in values may look at of the hub's own settings. That
Python (`code`), and what the chart says by itself (`defaults`), do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traitlets.config import Config

from mcks.core.conversion.chart import code
from mcks.core.conversion.chart.defaults import DOMAIN, HUB_VALUES, SAME_VALUES, VERSION
from mcks.core.conversion.chart.values import Values
from mcks.errors import ConfigError

_SEEDED = {"proxy_auth_token", "cookie_secret", "services"}
"""What the chart takes out of ``hub.config.JupyterHub``."""


def configuration(values: Values) -> tuple[Config, list[str], list[str]]:
    """Return the hub's configuration, what could not be read, and what to look at.

    What the release decides (its name, its namespace) is not among the values.
    """
    c = Config()
    try:
        _say_hub(c, values)
        _say_same(c, values)
        _say_image(c, values)
        _say_scheduling(c, values)
        _say_storage(c, values)
        _say_metadata_block(c, values)
        for section, said in (values.get("hub.config") or {}).items():
            out = _SEEDED if section == "JupyterHub" else ()
            c[section].update({k: v for k, v in (said or {}).items() if k not in out})
    except (AttributeError, KeyError, TypeError) as exc:
        raise ConfigError(f"the values are not as the chart wants them: {exc!r}") from exc
    left = [*_left_out(values), *code.run(c, values)]
    return c, left, [*_guessed(values), *_not_here(values)]


def _guessed(values: Values) -> Iterator[str]:
    for path in ("singleuser.image", "singleuser.networkTools.image"):
        if not values.is_said(f"{path}.tag"):
            yield (
                f"{path}.tag is not said: it is that of chart {VERSION} here. "
                "`helm get values RELEASE --all` says yours"
            )


def _not_here(values: Values) -> Iterator[str]:
    """Tell what the values do not say, and what of them is not taken over for a good reason."""
    if secret := values.get("hub.existingSecret"):
        yield f"hub.existingSecret: what the Secret {secret!r} says of values is not known here"
    if values.get("singleuser.extraFiles"):
        yield (
            f"singleuser.extraFiles: the Secret {values.name('singleuser')!r} is in the hub's own "
            "namespace: copy it into each namespace with servers"
        )
    if values.get("scheduling.userScheduler.enabled") and not values.get("fullnameOverride"):
        yield (
            "scheduling.userScheduler is on: servers do not ask for the chart's scheduler any "
            "more. It is in the hub's own cluster only, and is called RELEASE-user-scheduler: to "
            "go on with it, patch `schedulerName` of the Pod"
        )


def _left_out(values: Values) -> Iterator[str]:
    if values.get("scheduling.podPriority.enabled") and not values.get("fullnameOverride"):
        yield (
            "scheduling.podPriority: the priority class is called RELEASE-default-priority, and "
            "the release's name is not among the values: patch `priorityClassName` of the Pod. "
            "The class must be in each cluster"
        )


def _say_hub(c: Config, values: Values) -> None:
    """Say what Python in values may look at, and add to, of the hub's own settings."""
    for trait, path in HUB_VALUES.items():
        if (value := values.get(f"hub.{path}")) is not None:
            c.JupyterHub[trait] = value
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    c.JupyterHub.services = _named(values.get("hub.services"))
    c.JupyterHub.load_roles = _named(values.get("hub.loadRoles"))


def _named(said: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """List objects that the chart has by their names; a service's token is in a Secret."""
    return [
        {"name": name, **{key: value for key, value in item.items() if key != "apiToken"}}
        for name, item in (said or {}).items()
    ]


def _say_same(c: Config, values: Values) -> None:
    """Say what has the same meaning in both."""
    for trait, path in SAME_VALUES.items():
        value = values.get(f"singleuser.{path}")
        if value is not None:
            c.KubeSpawner[trait] = value
    c.KubeSpawner.allow_privilege_escalation = values.get("singleuser.allowPrivilegeEscalation")
    c.KubeSpawner.common_labels = {"app": values.chart, "app.kubernetes.io/name": values.chart}
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
    secrets = [values.name("image-pull-secret")] if made else []
    for path in ("imagePullSecrets", "singleuser.image.pullSecrets"):
        secrets += values.get(path) or []
    if secrets:
        c.KubeSpawner.image_pull_secrets = secrets


def _say_scheduling(c: Config, values: Values) -> None:
    if fullname := values.get("fullnameOverride"):  # else they have the release's name
        if values.get("scheduling.userScheduler.enabled"):
            c.KubeSpawner.scheduler_name = values.name("user-scheduler")
        if values.get("scheduling.podPriority.enabled"):
            c.KubeSpawner.priority_class_name = fullname
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
    _add_files(volumes, mounts, values)
    volumes |= _keyed(storage["extraVolumes"], numbered=False)
    mounts |= _keyed(storage["extraVolumeMounts"], numbered=True)
    c.KubeSpawner.volumes, c.KubeSpawner.volume_mounts = volumes, mounts


def _mount(
    volumes: dict[str, Any], mounts: dict[str, Any], name: str, claim: str, mount: dict[str, Any]
) -> None:
    volumes[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    mounts[name] = {field: value for field, value in mount.items() if value is not None}


def _add_files(volumes: dict[str, Any], mounts: dict[str, Any], values: Values) -> None:
    """Add the chart's Secret of files, which is in the release's own namespace only."""
    files = values.get("singleuser.extraFiles")
    if not files:
        return
    items = [
        {"key": key, "path": key, **({"mode": said["mode"]} if "mode" in said else {})}
        for key, said in files.items()
    ]
    secret = {"secretName": values.name("singleuser"), "items": items}
    volumes["files"] = {"name": "files", "secret": secret}
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
