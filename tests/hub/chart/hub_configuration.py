"""What Zero to JupyterHub's values become in a hub's configuration, as in the chart's own file.

A stand-in: the chart is in no package registry. It sets the same traits in the same sections and
order. What a test's machine needs (addresses, ports) does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes_asyncio.client import V1Capabilities, V1Container, V1SecurityContext
from traitlets.config import Config

Values = Mapping[str, Any]

_HUB = (
    *("concurrent_spawn_limit", "active_server_limit", "base_url", "allow_named_servers"),
    *("named_server_limit_per_user", "authenticate_prometheus", "redirect_to_server"),
    *("shutdown_on_logout", "template_paths", "template_vars"),
)
"""Traits of the hub, each from the value ``hub.`` of its name in camel case."""
_SAME_NAME = (
    *("pod_name_template", "start_timeout", "extra_labels", "extra_annotations", "uid", "fs_gid"),
    *("node_selector", "lifecycle_hooks", "init_containers", "extra_containers", "profile_list"),
    "extra_pod_config",
)
_SINGLEUSER = {
    "image_pull_policy": "image.pullPolicy",
    "events_enabled": "events",
    "service_account": "serviceAccountName",
    "storage_extra_labels": "storage.extraLabels",
    "node_affinity_required": "extraNodeAffinity.required",
    "node_affinity_preferred": "extraNodeAffinity.preferred",
    "pod_affinity_required": "extraPodAffinity.required",
    "pod_affinity_preferred": "extraPodAffinity.preferred",
    "pod_anti_affinity_required": "extraPodAntiAffinity.required",
    "pod_anti_affinity_preferred": "extraPodAntiAffinity.preferred",
    "mem_limit": "memory.limit",
    "mem_guarantee": "memory.guarantee",
    "cpu_limit": "cpu.limit",
    "cpu_guarantee": "cpu.guarantee",
    "extra_resource_limits": "extraResource.limits",
    "extra_resource_guarantees": "extraResource.guarantees",
    "environment": "extraEnv",
}
"""Traits of KubeSpawner, each from a value below ``singleuser``; those of _SAME_NAME as above."""
_CULLER_SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")
_CULLER_OPTIONS = {
    "timeout": "timeout",
    "every": "cull-every",
    "concurrency": "concurrency",
    "maxAge": "max-age",
}
_SEEDED = {
    "JupyterHub": ("proxy_auth_token", "cookie_secret", "services"),
    "ConfigurableHTTPProxy": ("auth_token",),
    "CryptKeeper": ("keys",),
}
"""What ``hub.config`` may not say: the chart reads it from its Secret."""


def configure(c: Config, values: Values, namespace: str, hub_url: str) -> None:
    """Set in *c* what *values* say, for a hub in *namespace* that its pods reach at *hub_url*."""
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    _hub(c, values, hub_url)
    c.KubeSpawner.namespace = namespace
    _pods(c, values)
    _scheduling(c, values)
    _storage(c, values)
    _services(c, values)
    _command(c, values)
    _metadata_block(c, values)
    if value(values, "debug.enabled"):
        c.JupyterHub.log_level = "DEBUG"
        c.Spawner.debug = True
    _passed_through(c, values)
    for _, code in sorted(value(values, "hub.extraConfig").items()):
        exec(code, {"c": c, "get_config": lambda key, *rest: value(values, key, *rest)})


def value(values: Values, key: str, default: Any = None) -> Any:
    """Return what *values* say at the dotted *key*.

    >>> value({"hub": {"db": {"type": "x"}}}, "hub.db.type")
    'x'
    """
    found: Any = values
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return default
        found = found[part]
    return found


def _set(section: Config, trait: str, said: Any) -> None:
    if said is not None:
        section[trait] = said


def _camel_case(name: str) -> str:
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def _hub(c: Config, values: Values, hub_url: str) -> None:
    c.ConfigurableHTTPProxy.should_start = False
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.last_activity_interval = 60
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    c.JupyterHub.db_url = {
        "sqlite-pvc": "sqlite:///jupyterhub.sqlite",
        "sqlite-memory": "sqlite://",
    }.get(value(values, "hub.db.type"), value(values, "hub.db.url"))
    for trait in _HUB:
        _set(c.JupyterHub, trait, value(values, f"hub.{_camel_case(trait)}"))
    c.JupyterHub.hub_bind_url = "http://:8081"
    c.JupyterHub.hub_connect_url = hub_url
    _set(c.Spawner, "consecutive_failure_limit", value(values, "hub.consecutiveFailureLimit"))


def _pods(c: Config, values: Values) -> None:
    places = {**{trait: _camel_case(trait) for trait in _SAME_NAME}, **_SINGLEUSER}
    for trait, place in places.items():
        _set(c.KubeSpawner, trait, value(values, f"singleuser.{place}"))
    c.KubeSpawner.common_labels = dict(_common_labels(values))
    image = value(values, "singleuser.image")
    if image["name"]:
        c.KubeSpawner.image = ":".join(part for part in (image["name"], image.get("tag")) if part)
    c.KubeSpawner.allow_privilege_escalation = value(values, "singleuser.allowPrivilegeEscalation")
    if secrets := list(_pull_secrets(values)):
        c.KubeSpawner.image_pull_secrets = secrets


def _common_labels(values: Values) -> Iterator[tuple[str, str]]:
    """Each label in its old and its new name."""
    chart, release = value(values, "Chart"), value(values, "Release.Name")
    name = value(values, "nameOverride") or chart["Name"]
    version = f"{chart['Name']}-{chart['Version']}".replace("+", "_")
    for old, new, said in (
        ("app", "app.kubernetes.io/name", name),
        ("release", "app.kubernetes.io/instance", release),
        ("chart", "helm.sh/chart", version),
    ):
        yield new, said
        yield old, said
    yield "app.kubernetes.io/managed-by", "kubespawner"


def _pull_secrets(values: Values) -> Iterator[Any]:
    made = value(values, "imagePullSecret")
    if made["automaticReferenceInjection"] and made["create"]:
        yield "image-pull-secret"
    yield from value(values, "imagePullSecrets") or ()
    yield from value(values, "singleuser.image.pullSecrets") or ()


def _scheduling(c: Config, values: Values) -> None:
    release = value(values, "Release.Name")
    if value(values, "scheduling.userScheduler.enabled"):
        c.KubeSpawner.scheduler_name = f"{release}-user-scheduler"
    if value(values, "scheduling.podPriority.enabled"):
        c.KubeSpawner.priority_class_name = f"{release}-default-priority"
    purpose = value(values, "scheduling.userPods.nodeAffinity.matchNodePurpose")
    of_users = {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}
    term = {"matchExpressions": [of_users]}
    if purpose == "prefer":
        c.KubeSpawner.node_affinity_preferred.append({"weight": 100, "preference": term})
    elif purpose == "require":
        c.KubeSpawner.node_affinity_required.append(term)
    tolerations = value(values, "scheduling.userPods.tolerations", [])
    if said := tolerations + value(values, "singleuser.extraTolerations", []):
        c.KubeSpawner.tolerations = said


def _storage(c: Config, values: Values) -> None:
    storage = value(values, "singleuser.storage")
    volumes, mounts = {}, {}
    if storage["type"] in ("dynamic", "static"):
        name, claim, below = _home(c, storage)
        volumes[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
        mounts[name] = {"mountPath": storage["homeMountPath"], "name": name, "subPath": below}
    if files := value(values, "singleuser.extraFiles"):
        items = [
            {"key": key, "path": key, **({"mode": said["mode"]} if "mode" in said else {})}
            for key, said in files.items()
        ]
        secret = {"secretName": "singleuser", "items": items}
        volumes["files"] = {"name": "files", "secret": secret}
        for number, (key, said) in enumerate(files.items()):
            mounts[f"{number}-files"] = {
                "mountPath": said["mountPath"],
                "subPath": key,
                "name": "files",
            }
    volumes |= _keyed(storage.get("extraVolumes"), "{name}")
    mounts |= _keyed(storage.get("extraVolumeMounts"), "{number}-{name}")
    c.KubeSpawner.volumes, c.KubeSpawner.volume_mounts = volumes, mounts


def _home(c: Config, storage: Values) -> tuple[str, str, str | None]:
    """Say what claim there is; return the volume's name, the claim's, and the path in it."""
    if storage["type"] == "static":
        return "home", storage["static"].get("pvcName"), storage["static"].get("subPath")
    dynamic = storage["dynamic"]
    if dynamic.get("pvcNameTemplate"):
        c.KubeSpawner.pvc_name_template = dynamic["pvcNameTemplate"]
    c.KubeSpawner.storage_pvc_ensure = True
    _set(c.KubeSpawner, "storage_class", dynamic.get("storageClass"))
    _set(c.KubeSpawner, "storage_access_modes", dynamic.get("storageAccessModes"))
    _set(c.KubeSpawner, "storage_capacity", storage.get("capacity"))
    return dynamic["volumeNameTemplate"], "{pvc_name}", dynamic.get("subPath")


def _keyed(said: Any, key: str) -> dict[str, Any]:
    """A dict as it is, and the items of a list by *key*."""
    if isinstance(said, Mapping):
        return dict(said)
    return {key.format(number=n, name=i["name"]): i for n, i in enumerate(said or ())}


def _services(c: Config, values: Values) -> None:
    services: list[dict[str, Any]] = []
    roles: list[dict[str, Any]] = []
    cull = value(values, "cull")
    if cull["enabled"]:
        services.append({"name": "jupyterhub-idle-culler", "command": list(_culler(c, cull))})
        scopes = [*_CULLER_SCOPES, *(["admin:users"] if cull["users"] else [])]
        roles.append(
            {"name": services[0]["name"], "scopes": scopes, "services": [services[0]["name"]]}
        )
    for key, service in value(values, "hub.services").items():
        told = {"name": key, **service}
        services.append({**told, "api_token": told.pop("apiToken", "made-by-the-chart")})
    roles += [{"name": key, **role} for key, role in value(values, "hub.loadRoles").items()]
    c.JupyterHub.services, c.JupyterHub.load_roles = services, roles


def _culler(c: Config, cull: Values) -> Iterator[str]:
    base_url = c.JupyterHub.get("base_url", "/").rstrip("/")
    yield from ("python3", "-m", "jupyterhub_idle_culler")
    yield f"--url=http://localhost:8081{base_url}/hub/api"
    yield from (f"--{option}={cull[key]}" for key, option in _CULLER_OPTIONS.items() if cull[key])
    if cull["users"]:
        yield "--cull-users"
    if not cull["adminUsers"]:
        yield "--cull-admin-users=false"
    if cull["removeNamedServers"]:
        yield "--remove-named-servers"


def _command(c: Config, values: Values) -> None:
    unsaid = object()
    command = value(values, "singleuser.cmd", unsaid)
    if command is not unsaid:
        c.Spawner.cmd = command
    _set(c.Spawner, "default_url", value(values, "singleuser.defaultUrl"))


def _metadata_block(c: Config, values: Values) -> None:
    metadata, tools = (
        value(values, "singleuser.cloudMetadata"),
        value(values, "singleuser.networkTools"),
    )
    if not metadata["blockWithIptables"]:
        return
    rule = f"--append OUTPUT --protocol tcp --destination {metadata['ip']}"
    block = V1Container(
        name="block-cloud-metadata",
        image=f"{tools['image']['name']}:{tools['image']['tag']}",
        command=["iptables", *rule.split(), "--destination-port", "80", "--jump", "DROP"],
        security_context=V1SecurityContext(
            privileged=True, run_as_user=0, capabilities=V1Capabilities(add=["NET_ADMIN"])
        ),
        resources=tools["resources"],
    )
    c.KubeSpawner.init_containers.append(block)


def _passed_through(c: Config, values: Values) -> None:
    """What ``hub.config`` says stands above all values."""
    for section, said in value(values, "hub.config").items():
        if not section[:1].isupper():
            raise SystemExit(f"hub.config.{section} is no section: those are classes")
        seeded = _SEEDED.get(section, ())
        c[section].update({k: v for k, v in said.items() if k not in seeded})
