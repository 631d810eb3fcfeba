"""From a configured spawner to everything that its start needs, before anything is sent.

Nothing here talks to a cluster, so that ``mcks render`` can show the same objects offline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from mcks.core.administrator import functions
from mcks.core.administrator.lending import read
from mcks.core.clusters import addresses, hub_pod
from mcks.core.clusters.cluster import Cluster, ConfiguredCluster, contradiction
from mcks.core.gateways.routes import (
    DIRECT,
    SERVICE,
    Target,
    check_public_url,
    split_proxy_spec,
    template,
)
from mcks.core.kubespawner.translation import Translation
from mcks.core.labels import HUB_LABEL, KEY_LABEL, MANAGED_BY, SERVERNAME, USERNAME, lifetime
from mcks.core.manifests import isolation, variables
from mcks.core.manifests.defaults import ACCOUNT_KEY, DEFAULT_OBJECTS, ROUTE_KEY, default_template
from mcks.core.manifests.levels import merge_levels
from mcks.core.manifests.render import render_objects, render_text
from mcks.core.names import dns_label
from mcks.core.objects import Manifest, Ref, ref
from mcks.core.servers.environment import attach, find, notebook_container
from mcks.core.servers.server import Created, Plan
from mcks.core.servers.starting import StartingSpawner, User
from mcks.errors import ConfigError, Tell, at_once


class _Server(NamedTuple):
    """What a plan asks for again and again: reading a trait is slow."""

    user: User
    name: str
    hub_id: str
    public_url: str
    route: str
    names: dict[str, Any]
    """The variables that are names."""


def make(
    spawner: StartingSpawner,
    configured: ConfiguredCluster,
    kept_key: str = "",
    kept_namespace: str = "",
    *,
    translated: bool = True,
    tell: Tell = at_once,
) -> Plan:
    """Plan the start of *spawner*, whose profile is applied.

    *kept_key* names its objects if data hangs on that name, *kept_namespace* is the user's own if
    they have one already. *translated*: as KubeSpawner's words say. Raises ConfigError; *tell* may
    take those mistakes beyond which a plan makes sense, to see what else there is.
    """
    if spawner.internal_ssl:
        text = (
            "JupyterHub.internal_ssl cannot work: gateways end TLS, so the hub's certificates "
            "do not reach the server. Switch it off and use https in ingress_public_url"
        )
        tell(ConfigError(text, code="MCKS022"))
    settle(spawner, configured.cluster)
    translation = spawner.translation()
    server = _server(spawner, configured, translation)
    key = kept_key or _key(spawner, translation, server.names)
    shared = configured.namespace
    namespace = (
        kept_namespace or _namespace_of(server, configured, translation)
        if shared is None
        else _shared_namespace(configured, translation, shared)
    )
    created = Created(key, namespace, server.hub_id)
    spawner.named = {"pod_name": key, "namespace": namespace}
    notes = _let_pods_find_the_hub(spawner, configured, namespace, server.route)
    rendered = partial(
        _objects,
        spawner,
        configured,
        translation if translated else translation.without_words(),
        of_user=shared is None,
    )
    objects = rendered(server, created, tell=tell)
    target = _target(spawner, configured, server, objects, created, tell=tell)
    of_user = [ref(manifest) for manifest in objects if lifetime(manifest) == "user"]
    of_server = _of_this_server_alone(of_user, server, created, translation, rendered)
    with functions.naming("get_env", spawner.get_env):  # a subclass may have its own
        env = spawner.get_env()
    return Plan(attach(objects, key, env, tell), target, created, of_user, of_server, notes)


def settle(spawner: StartingSpawner, cluster: Cluster) -> None:
    """Let *spawner* start as *cluster* says. Done again, it changes nothing.

    Raises ConfigError for what a trait refuses.
    """
    said = {name: getattr(cluster, name) for name in ("patches", "objects", "environment")}
    spawner.choosing.overrides.settle(said, f"cluster {cluster.name!r}")


def _server(
    spawner: StartingSpawner, configured: ConfiguredCluster, translation: Translation
) -> _Server:
    user = spawner.user
    name = spawner.name
    public_url = spawner.ingress_public_url or configured.cluster.ingress_public_url
    route = configured.route(public_url)
    names = _names(user, name, spawner.proxy_spec, translation)
    return _Server(user, name, spawner.hub_id, public_url, route, names)


def _of_this_server_alone(
    of_user: Sequence[Ref],
    server: _Server,
    created: Created,
    translation: Translation,
    rendered: Callable[[_Server, Created], Sequence[Manifest]],
) -> frozenset[tuple[str, str]]:
    """Kind and name of the user's objects that another server would not have: they go with it."""
    data = {(where.kind, where.name) for where in of_user}
    if not (server.name and data):
        return frozenset()
    name = f"{server.name}-other"
    names = _names(server.user, name, server.names["proxy_spec"], translation)
    other = replace(created, key=f"{created.key}-other")
    try:
        theirs = rendered(server._replace(name=name, names=names), other)
    except ConfigError:  # a template may know only the servers that there are
        return frozenset()
    return frozenset(data - {(m["kind"], m["metadata"]["name"]) for m in theirs})


def key_of(spawner: StartingSpawner, translation: Translation) -> str:
    """Name the server's objects by ``key_template``, or as KubeSpawner does if it is to be read."""
    names = _names(spawner.user, spawner.name, spawner.proxy_spec, translation)
    return _key(spawner, translation, names)


def _key(spawner: StartingSpawner, translation: Translation, names: Mapping[str, Any]) -> str:
    if translation.complete or "pod_name_template" in translation.words:
        wanted = translation.pod_name
    else:
        wanted = render_text("key_template", spawner.key_template, names)
    hub_id = spawner.hub_id
    if hub_id:
        wanted = f"{hub_id}-{wanted}"
    return dns_label(wanted, (hub_id, translation.username, translation.servername))


def _shared_namespace(configured: ConfiguredCluster, translation: Translation, shared: str) -> str:
    """Say where the server lives. A profile's or hook's word counts if the cluster has none."""
    said = translation.words.get("namespace", "")
    if configured.cluster.namespace or said in ("", configured.last_resort):
        return shared
    return str(said)


def _namespace_of(server: _Server, configured: ConfiguredCluster, translation: Translation) -> str:
    cluster = configured.cluster
    if cluster.is_namespace_of_user:
        wanted = render_text("namespace", cluster.namespace, server.names)
    else:
        wanted = translation.user_namespace
    return dns_label(wanted, (server.hub_id, server.user.name))


def _let_pods_find_the_hub(
    spawner: StartingSpawner, configured: ConfiguredCluster, namespace: str, route: str
) -> tuple[str, ...]:
    """Set hub_connect_url where the hub's own would not do; return what there is to note."""
    cluster, place = configured.cluster, f"cluster {configured.cluster.name!r}"
    notes: tuple[str, ...] = ()
    url = cluster.hub_connect_url
    if not url and not spawner.hub_connect_url and (hub := configured.hub_pod):
        try:
            found = hub_pod.url_for_pods(
                spawner.hub.url,
                hub,
                namespace,
                cluster.cluster_domain,
                named=bool(spawner.hub.connect_url or spawner.hub.connect_ip),
            )
        except ConfigError as exc:
            if route in DIRECT:
                raise ConfigError(f"{place}: {exc}") from None
        else:
            url = found.url
            notes = (f"{place}: {hub_pod.passing(url)}",) if found.passing else ()
    if url:
        spawner.choosing.overrides.set("hub_connect_url", url, place)
    return notes


def _target(
    spawner: StartingSpawner,
    configured: ConfiguredCluster,
    server: _Server,
    objects: Sequence[Manifest],
    created: Created,
    *,
    tell: Tell,
) -> Target:
    """Say where the server must answer. The address of a Pod is known only when it has one."""
    cluster, route, url = configured.cluster, server.route, server.public_url
    prefix = server.names["proxy_spec"]
    if route not in DIRECT:
        url = _gateway(url, cluster.name, tell)
        return Target(url, prefix, read(spawner, "ready_check"), route)
    if url:
        raise ConfigError(f"cluster {cluster.name!r}: {contradiction(route)}")
    container = notebook_container(find(objects, "Pod", created.key))
    if route == SERVICE:
        service = find(objects, "Service", created.key)
        url = addresses.of_service(service, container, created.namespace, cluster.cluster_domain)
    else:
        addresses.port_of(container)
    return Target(url, prefix, read(spawner, "ready_check"), route)


def _gateway(url: str, cluster: str, tell: Tell) -> str:
    if not url:
        text = (
            f"cluster {cluster!r} has no ingress_public_url: write the URL of its gateway into "
            "`clusters` or into the profile's spawner_override; or, if hub and proxy reach its "
            'Services or its Pods without one, route = "service" or "pod"'
        )
        tell(ConfigError(text, code="MCKS105"))
        return url
    try:
        return check_public_url(url)
    except ConfigError as exc:
        tell(ConfigError(str(exc), code="MCKS105"))
        return url


def _objects(
    spawner: StartingSpawner,
    configured: ConfiguredCluster,
    translation: Translation,
    server: _Server,
    created: Created,
    *,
    of_user: bool,
    tell: Tell = at_once,
) -> list[Manifest]:
    """Render the objects of *server*. *of_user*: the namespace is the user's own, and one of
    them."""
    isolate = configured.cluster.isolate
    shipped = _shipped(of_user=of_user, isolate=isolate)
    objects = render_objects(
        _templates(spawner, shipped, server.route, translation),
        merge_levels(read(spawner, "patches")),
        _variables(spawner, configured, server, created),
        labels={
            **configured.cluster.labels,
            MANAGED_BY: "mcks",
            KEY_LABEL: created.key,
            **({HUB_LABEL: created.hub_id} if created.hub_id else {}),
        },
        annotations={
            USERNAME: server.user.name,
            SERVERNAME: translation.servername,
        },
        translate=partial(
            translation.apply,
            key=created.key,
            namespace=created.namespace,
            servername=server.name,
            hub_id=created.hub_id,
        ),
        tell=tell,
    )
    if not isolate:
        return objects
    return isolation.hardened(objects, created.key, translation.may_escalate)


def _shipped(*, of_user: bool, isolate: bool) -> dict[str, str]:
    """Return the templates that come with the cluster's settings."""
    of_cluster = {"00-namespace": "namespace"} if of_user else {}
    if isolate:
        of_cluster[isolation.POLICY_KEY] = "networkpolicy"
    return {key: default_template(name) for key, name in of_cluster.items()}


def _templates(
    spawner: StartingSpawner, shipped: dict[str, str], route: str, translation: Translation
) -> dict[str, str]:
    """Return the administrator's templates above those that are *shipped*."""
    templates = merge_levels(shipped, read(spawner, "objects"), read(spawner, "resources"))
    if templates.get(ROUTE_KEY) == DEFAULT_OBJECTS[ROUTE_KEY]:
        templates = merge_levels(templates, {ROUTE_KEY: template(route)})
    if translation.complete and templates.get(ACCOUNT_KEY) == DEFAULT_OBJECTS[ACCOUNT_KEY]:
        templates = {k: text for k, text in templates.items() if k != ACCOUNT_KEY}
    return templates


def _variables(
    spawner: StartingSpawner, configured: ConfiguredCluster, server: _Server, created: Created
) -> dict[str, Any]:
    host, path = split_proxy_spec(server.names["proxy_spec"])
    cluster = configured.cluster
    return {
        **server.names,
        "key": created.key,
        "namespace": created.namespace,
        "cluster": cluster.name,
        "profile": spawner.choosing.profile,
        "options": dict(spawner.choosing.options),
        "unchecked_options": dict(spawner.user_options),
        "hub": {"id": created.hub_id, "base_url": spawner.hub.base_url},
        "port": spawner.port,
        **_process(spawner),
        "resources": variables.of_resources(
            mem_limit=spawner.mem_limit,
            mem_guarantee=spawner.mem_guarantee,
            cpu_limit=spawner.cpu_limit,
            cpu_guarantee=spawner.cpu_guarantee,
        ),
        "route_host": host,
        "route_path": path,
        "route_class": cluster.route_class,
        "route_gateway": cluster.gateway_ref,
        "accept_from": configured.gateway_peers(server.route),
        "metadata_addresses": isolation.METADATA_ADDRESSES,
        "spawner": variables.View(spawner, {"name": server.name, "key": created.key}),
    }


def _process(spawner: StartingSpawner) -> dict[str, list[str]]:
    """What the container runs; KubeSpawner's ``cmd`` is arguments of the image's ENTRYPOINT."""
    cmd = list(spawner.cmd or ())
    if not spawner.cmd_as_args:
        return {"command": cmd, "args": spawner.get_args()}
    return {"command": [], "args": [*cmd, *spawner.get_args()] if cmd else []}


def _names(
    user: User, servername: str, proxy_spec: str, translation: Translation
) -> dict[str, Any]:
    names = variables.of_names(user.id, user.name, servername, proxy_spec)
    return names | translation.variables(servername)
