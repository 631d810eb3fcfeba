"""Cluster: what an administrator says about one cluster. Connecting to it does not belong here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traitlets import Callable, Dict, List, Unicode
from traitlets.config import LoggingConfigurable

from mcks.core import names
from mcks.core.administrator.access import Access
from mcks.core.clusters.routes import KINDS, check_public_url
from mcks.errors import ConfigError, unknown

if TYPE_CHECKING:
    from mcks.backends.base import Backend

_OF_USER = re.compile(r"\b(unescaped_|safe_)?username\b|\buserid\b|\bsafe_user_server\b")
CONTEXT_PREFIX = "context:"
"""Names of implicit clusters: a kubeconfig context without an entry in ``clusters``."""


class Cluster(LoggingConfigurable):
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

        Without it a profile must say its own. A path is refused: JupyterHub would drop it.
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
        "ingress",
        config=True,
        help="""
        How requests get from the gateway to the pods: ``ingress``, ``httproute`` or ``none``.

        ``none`` creates no route; the template ``04-ingress`` in ``objects`` may say another.
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
    hub_connect_url = Unicode(
        "",
        config=True,
        help="""
        URL at which pods of this cluster reach the hub, such as ``https://hub.example.org``.

        If unset, ``c.Spawner.hub_connect_url``, else the hub's own address.
        """,
    )
    labels = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        config=True,
        help="""
        Labels for every object in this cluster, for example to share out its costs.
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

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name

    @property
    def is_namespace_of_user(self) -> bool:
        """Whether each user has a namespace: ``namespace`` is a template then."""
        return "{{" in self.namespace

    @property
    def gateway_ref(self) -> dict[str, str]:
        """The parentRef of an HTTPRoute."""
        namespace, _, name = self.route_gateway.rpartition("/")
        return {"name": name, **({"namespace": namespace} if namespace else {})}

    @property
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
        if self.route not in KINDS:
            yield f"{where}.route: {unknown('kind of route', self.route, KINDS)}"
        if self.route == "httproute" and not self.route_gateway:
            yield (
                f'{where}.route_gateway is missing: write "namespace/name" of the Gateway '
                'that serves route = "httproute"'
            )
        if self.is_namespace_of_user:
            if not _OF_USER.search(self.namespace):
                yield (
                    f"{where}.namespace {self.namespace!r} would be the same for all users: "
                    "write {{username}} or {{userid}} into it"
                )
        elif self.namespace and not names.is_dns_label(self.namespace):
            yield f"{where}.namespace {self.namespace!r} is not a DNS label"
        if self.ingress_public_url:
            try:
                check_public_url(self.ingress_public_url)
            except ConfigError as exc:
                yield f"{where}: {exc}"


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
        raise ConfigError(
            "no cluster is chosen: write 'cluster' (or 'kubernetes_context') into each "
            f"profile. Known clusters: {', '.join(sorted(clusters)) or '(none)'}",
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

    @property
    def namespace(self) -> str | None:
        """Where the servers live: the cluster's setting, else what its kubeconfig says.

        None if each user has a namespace.
        """
        if self.cluster.is_namespace_of_user:
            return None
        if self.cluster.namespace:
            return self.cluster.namespace
        if self.enable_user_namespaces:
            return None
        return self.backend.namespace_hint() or self.last_resort or "default"
