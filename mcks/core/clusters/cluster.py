"""Cluster: what an administrator says about one cluster. Connecting to it does not belong here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Callable, Dict, Enum, List, Unicode, Union
from traitlets.config import LoggingConfigurable

from mcks.core import names
from mcks.core.administrator.access import Access
from mcks.core.clusters import hub_pod
from mcks.core.clusters.limit_settings import LimitSettings
from mcks.core.clusters.server_settings import ServerSettings
from mcks.core.gateways.gateway_peers import known, peers
from mcks.core.gateways.routes import DIRECT, KINDS, SERVICE, check_public_url, is_domain
from mcks.errors import ConfigError, unknown

if TYPE_CHECKING:
    from mcks.backends.base import Backend

_OF_USER = r"\b(unescaped_|safe_)?username\b|\buserid\b|\bsafe_user_server\b"
_YES_OR_NO = frozenset({"0", "1", "false", "no", "off", "on", "true", "yes"})
CONTEXT_PREFIX = "context:"
"""Names of implicit clusters: a kubeconfig context without an entry in ``clusters``."""
RESOURCE_QUOTA = "resource-quota"
"""What may stand in the place of the function `capacity`: the one that comes with mcks."""


class Cluster(ServerSettings, LimitSettings, LoggingConfigurable):
    """The settings of one cluster that do not depend on its backend.

    ``c.Cluster.NAME`` sets a default for every cluster; an entry of ``clusters`` wins.
    """

    backend = Unicode(
        "generic-kubeconfig",
        config=True,
        help="""
        How to log in to this cluster: the name of an entry point in the group ``mcks.backends``.

        ``mcks backends`` lists what is installed.
        """,
    )
    ingress_public_url = Unicode(
        "",
        config=True,
        help="""
        URL of the cluster's gateway as the hub's proxy reaches it: scheme, host, optional port.

        Without it a profile must say its own, unless ``route`` is one without a gateway. A path is
        refused: JupyterHub would drop it.
        """,
    )
    namespace = Unicode(
        "",
        config=True,
        help="""
        Namespace for the servers. It must exist.

        If unset, the backend's own (a kubeconfig context can name one), else ``default``.

        A template such as ``jupyter-{{username}}`` gives each user a namespace. It is made if it
        is absent, and deleted with its user; the hub then needs a ClusterRole (``mcks rbac``).
        """,
    )
    route = Unicode(
        "",
        config=True,
        help="""
        How requests get to the pods: ``ingress`` or ``httproute``, an object that tells the
        gateway; ``none``, a gateway that needs no object, or another one, from the template
        ``04-ingress`` in ``objects``; ``service`` or ``pod``, no gateway at all: hub and proxy ask
        the server by its Service's name in the cluster's DNS, or at its Pod's address, which they
        must reach.

        If unset, ``service`` in the cluster in which the hub itself runs, as long as no
        ``ingress_public_url`` is said for it; else ``ingress``.
        """,
    )
    cluster_domain = Unicode(
        "",
        config=True,
        help="""
        What stands behind ``NAME.NAMESPACE.svc`` in the cluster's DNS, such as ``cluster.local``.

        Empty leaves it to the search list of hub and proxy, which Pods of the cluster have.
        """,
    )
    route_class = Unicode(
        "contour",
        config=True,
        help="""
        ``ingressClassName`` of the Ingress. Empty leaves it out: the cluster's default class.
        """,
    )
    route_gateway = Unicode(
        "",
        config=True,
        help="""
        The Gateway for ``route = "httproute"``, as ``namespace/name`` or ``name``.
        """,
    )
    isolate = Bool(
        False,
        config=True,
        help="""
        Whether servers are kept apart: requests come from the gateway only, the clouds' metadata
        addresses cannot be reached, no process gains privileges, and there is no token for the
        Kubernetes API.

        Patches and objects that say otherwise win. The cluster's network must enforce
        NetworkPolicies.
        """,
    )
    accept_from = List(
        Union([Unicode(), Dict()]),
        config=True,
        help="""
        Where requests to isolated servers come from: the namespace of the gateway's pods, addresses
        such as ``10.0.0.0/16``, or a NetworkPolicyPeer as a dict; one or more.

        If unset, the namespace ``projectcontour`` for ``route_class = "contour"``, and that of the
        Gateway for ``route_gateway = "namespace/name"``; without a gateway, in the hub's own
        cluster, Pods of the hub's namespace with the label
        ``hub.jupyter.org/network-access-singleuser: "true"``, as Zero to JupyterHub labels hub and
        proxy. Otherwise it must be said.
        """,
    )
    hub_connect_url = Unicode(
        "",
        config=True,
        help="""
        URL at which pods of this cluster reach the hub, such as ``https://hub.example.org``.

        If unset, ``c.Spawner.hub_connect_url``, else the hub's own address. In the cluster in which
        the hub runs the name of its Service gets the namespace where it needs one, and its Pod's
        name becomes its Pod's address.
        """,
    )
    allowed_groups = List(
        Unicode(),
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The hub's groups whose members may start servers in this cluster.

        If unset, everybody may; an empty list is nobody. A profile's own rule holds as well.
        """,
    )
    allow = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function (async, too) of the spawner that tells whether its user may use this cluster.

        It is asked for the form and again at the start. If it fails, the answer is no.
        """,
    )
    drain = Union(
        [Bool(), Unicode(), Callable()],
        default_value=False,
        config=True,
        help="""
        Whether the cluster takes no new servers; those that run stay. A text says why, for users.

        A function of the cluster's name, not async, says one of these. It is asked again and
        again, once a second at most, so a cluster can be drained without a restart of the hub:
        by ``lambda name: Path("/srv/drained", name).exists()``. If it fails, what it said before
        holds. ``mcks drain`` does the same by a command.
        """,
    )
    capacity = Union(
        [Callable(), Enum(["", RESOURCE_QUOTA])],
        default_value="",
        config=True,
        help="""
        What the form says of the cluster's free capacity: a function (async, too) of this Cluster
        that returns a text for all users, such as ``"3 GPUs free"``, or None. Or
        ``"resource-quota"``: what the ResourceQuotas of ``namespace`` leave, for which the hub
        needs one right more (``mcks rbac``).

        It is called while a form is shown, and not again for 30 seconds. A form waits 2 seconds at
        the most.
        """,
    )

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name

    @property
    def is_namespace_of_user(self) -> bool:
        """Whether each user has a namespace: ``namespace`` is a template then."""
        return is_template(self.namespace)

    @cached_property
    def gateway_ref(self) -> dict[str, str]:
        """The parentRef of an HTTPRoute."""
        namespace, _, name = self.route_gateway.rpartition("/")
        return {"name": name, **({"namespace": namespace} if namespace else {})}

    @cached_property
    def access(self) -> Access:
        """Who may use the cluster."""
        groups = self.allowed_groups
        return Access(None if groups is None else frozenset(groups), self.allow)

    def check(self) -> None:
        """Raise ConfigError if the settings contradict each other or cannot work."""
        if found := [*self.mistakes()]:
            raise ConfigError("; ".join(found))

    def mistakes(self) -> Iterator[str]:
        """Yield a sentence for each setting that contradicts another or cannot work."""
        where = f"clusters[{self.name!r}]"
        if self.route not in ("", *KINDS):
            yield f"{where}.route: {unknown('kind of route', self.route, KINDS)}"
        if self.route == "httproute" and not self.route_gateway:
            yield (
                f'{where}.route_gateway is missing: write "namespace/name" of the Gateway '
                'that serves route = "httproute"'
            )
        yield from self._mistakes_of_namespace(where)
        if self.capacity == RESOURCE_QUOTA and self.is_namespace_of_user:
            yield (
                f"{where}.capacity: each user has a namespace, so no ResourceQuota counts for all: "
                "write a function, or nothing"
            )
        if self.ingress_public_url:
            try:
                check_public_url(self.ingress_public_url)
            except ConfigError as exc:
                yield f"{where}: {exc}"
            if self.route in DIRECT:
                yield f"{where}: {contradiction(self.route)}"
        yield from self._mistakes_of_drain(where)
        if self.cluster_domain and not is_domain(self.cluster_domain):
            yield (
                f"{where}.cluster_domain {self.cluster_domain!r} is not a domain: write it without "
                'a dot at its ends, such as "cluster.local"'
            )
        try:
            peers(self.accept_from)
        except ConfigError as exc:
            yield f"{where}.accept_from: {exc}"

    def _mistakes_of_drain(self, where: str) -> Iterator[str]:
        if inspect.iscoroutinefunction(self.drain):
            yield f"{where}.drain is async, and nobody can await it where it is asked"
        if isinstance(self.drain, str) and self.drain.strip().lower() in _YES_OR_NO:
            yield (
                f"{where}.drain {self.drain!r} is a text, which users would read as a reason: "
                "write True or False"
            )

    def _mistakes_of_namespace(self, where: str) -> Iterator[str]:
        if self.is_namespace_of_user:
            if not re.search(_OF_USER, self.namespace):
                yield (
                    f"{where}.namespace {self.namespace!r} would be the same for all users: "
                    "write {{username}} or {{userid}} into it"
                )
        elif self.namespace and not names.is_dns_label(self.namespace):
            yield f"{where}.namespace {self.namespace!r} is not a DNS label"


def is_template(namespace: str) -> bool:
    """Whether *namespace* is another one for each user."""
    return "{{" in namespace


def contradiction(route: str) -> str:
    """Say that a *route* without a gateway and a gateway's URL exclude each other."""
    return (
        f"route = {route!r} has no gateway, but there is an ingress_public_url: take one of the "
        "two out"
    )


def chosen_name(cluster: str, context: str, clusters: Collection[str]) -> str:
    """Return the name of the cluster that the traits *cluster* or *context* choose, else the only
    one of *clusters*. Raises ConfigError."""
    if cluster and context:
        raise ConfigError(
            "both cluster and kubernetes_context are set: keep one of them", code="MCKS126"
        )
    only = next(iter(clusters)) if len(clusters) == 1 else ""
    name = cluster or (context and CONTEXT_PREFIX + context) or only
    if not name:
        known = ", ".join(sorted(clusters)) or "(none)"
        raise ConfigError(
            "no cluster is chosen: write 'cluster' (or 'kubernetes_context') into each profile, or "
            "c.MultiClusterKubeSpawner.cluster for those that name none. "
            f"Known clusters: {known}",
            code="MCKS126",
        )
    return name


@dataclass
class ConfiguredCluster:
    """One cluster as the administrator describes it, checked but not connected."""

    cluster: Cluster
    backend: Backend
    enable_user_namespaces: bool = False
    """Whether each user has a namespace in clusters that name none: KubeSpawner's word."""
    last_resort: str = ""
    """Where servers live if neither the cluster nor its kubeconfig says: KubeSpawner's word."""

    def route(self, public_url: str) -> str:
        """Say how requests get to servers whose gateway is at *public_url*, "" if none is said."""
        if self.cluster.route:
            return self.cluster.route
        return SERVICE if not public_url and self.hub_pod else "ingress"

    @cached_property
    def hub_pod(self) -> hub_pod.HubPod | None:
        """The hub's own Pod if it runs in this cluster, and logs in as such."""
        if not self.backend.is_hubs_own():
            return None
        return hub_pod.find(self.backend.namespace_hint() or "default")

    @property
    def namespace(self) -> str | None:
        """Where the servers live: the cluster's setting, else what its kubeconfig says.

        None if each user has a namespace.
        """
        said = self.cluster.namespace
        if said:
            return None if is_template(said) else said
        if self.enable_user_namespaces:
            return None
        return self.backend.namespace_hint() or self.last_resort or "default"

    def gateway_peers(self, route: str) -> list[dict[str, Any]]:
        """Whose requests servers accept that are isolated and reached by *route*; else none.

        Raises ConfigError if nobody says where the gateway is, or if it would be the servers too.
        """
        cluster, where = self.cluster, f"clusters[{self.cluster.name!r}].accept_from"
        if not cluster.isolate:
            return []
        hub = self.hub_pod.namespace if self.hub_pod else ""
        found = peers(cluster.accept_from) or known(
            route, cluster.route_class, cluster.gateway_ref, hub
        )
        if not found:
            raise ConfigError(
                f"{where} is missing: isolated servers take requests from the gateway only, and "
                f"where its pods are is not known for route = {route!r} with route_class = "
                f"{cluster.route_class!r} and route_gateway = {cluster.route_gateway!r}. Write "
                'their namespace, such as ["ingress-nginx"], or the addresses they ask from'
            )
        if self.namespace and peers([self.namespace])[0] in found:
            raise ConfigError(
                f"{where}: namespace {self.namespace!r} holds the servers themselves, which could "
                "reach each other: name the gateway's pods, such as "
                '{"podSelector": {"matchLabels": {"app": "envoy"}}}'
            )
        return found
