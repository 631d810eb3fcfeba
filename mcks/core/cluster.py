"""Cluster: what an administrator says about one cluster. Connecting to it does not belong here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from traitlets import Callable, Dict, List, TraitError, Unicode
from traitlets.config import LoggingConfigurable

from mcks.core import names
from mcks.core.access import Access
from mcks.core.routes import KINDS, check_public_url
from mcks.errors import ConfigError, unknown

_OF_USER = re.compile(r"\b(unescaped_)?username\b|\buserid\b")
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
        where = f"clusters[{self.name!r}]"
        if self.route not in KINDS:
            raise ConfigError(f"{where}.route: {unknown('kind of route', self.route, KINDS)}")
        if self.route == "httproute" and not self.route_gateway:
            raise ConfigError(
                f'{where}.route_gateway is missing: write "namespace/name" of the Gateway '
                'that serves route = "httproute"'
            )
        if self.is_namespace_of_user:
            if not _OF_USER.search(self.namespace):
                raise ConfigError(
                    f"{where}.namespace {self.namespace!r} would be the same for all users: "
                    "write {{username}} or {{userid}} into it"
                )
        elif self.namespace and not names.is_dns_label(self.namespace):
            raise ConfigError(f"{where}.namespace {self.namespace!r} is not a DNS label")
        if self.ingress_public_url:
            try:
                check_public_url(self.ingress_public_url)
            except ConfigError as exc:
                raise ConfigError(f"{where}: {exc}") from exc


def chosen_name(cluster: str, context: str, clusters: Collection[str]) -> str:
    """Return the name of the cluster that the traits *cluster* or *context* choose, else the only
    one of *clusters*. Raises ConfigError."""
    if cluster and context:
        raise ConfigError("both cluster and kubernetes_context are set: keep one of them")
    only = next(iter(clusters)) if len(clusters) == 1 else ""
    name = cluster or (context and CONTEXT_PREFIX + context) or only
    if not name:
        raise ConfigError(
            "no cluster is chosen: write 'cluster' (or 'kubernetes_context') into each "
            f"profile. Known clusters: {', '.join(sorted(clusters)) or '(none)'}"
        )
    return name


def trait_names(cls: type[LoggingConfigurable]) -> set[str]:
    """Names of the configurable traits of *cls* that it does not share with every class."""
    common = set(LoggingConfigurable.class_trait_names())
    return set(cls.class_trait_names(config=True)) - common


def split_settings(
    name: str, settings: Mapping[str, Any], backend_class: type[LoggingConfigurable]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split an entry of ``clusters`` into what Cluster takes and what its backend takes.

    Raises ConfigError for a key that neither knows, and for a backend that shadows Cluster.
    """
    ours, theirs = trait_names(Cluster), trait_names(backend_class)
    if shadowed := ours & theirs:
        raise ConfigError(
            f"backend class {backend_class.__name__} defines {', '.join(sorted(shadowed))}, "
            "which mcks.core.cluster.Cluster has already: it must use another name"
        )
    for key in settings:
        if key not in ours | theirs:
            raise ConfigError(f"clusters[{name!r}]: {unknown('key', str(key), ours | theirs)}")
    cluster = {k: v for k, v in settings.items() if k in ours}
    return cluster, {k: v for k, v in settings.items() if k in theirs}


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Turn the error of a wrong value or backend into a ConfigError that names the cluster."""
    try:
        yield
    except (ConfigError, TraitError) as exc:
        raise ConfigError(f"clusters[{name!r}]: {exc}") from exc


def settings_of(name: str, clusters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the cluster *name*, an implicit one (``context:NAME``) included.

    Raises ConfigError if an entry is not a dict.
    """
    if name.startswith(CONTEXT_PREFIX) and name not in clusters:
        return {"context": name.removeprefix(CONTEXT_PREFIX)}
    entry = clusters[name]
    if not isinstance(entry, Mapping):
        raise ConfigError(f"clusters[{name!r}] must be a dict, not {type(entry).__name__}")
    return dict(entry)
