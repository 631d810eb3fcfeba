"""What the hub's database remembers of a server: names only, never a manifest or a token. Pure."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from mcks.core.clusters.cluster import CONTEXT_PREFIX
from mcks.core.gateways.routes import DIRECT
from mcks.core.labels import DELETE_ON_STOP
from mcks.core.objects import Manifest, Ref, metadata, ref
from mcks.core.servers.server import Created

_OBJECTS_OF_ORIGINAL = (
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "ServiceAccount"),
)


class UserObject(NamedTuple):
    """An object that outlives servers, in the cluster of that name.

    ``of_server``: it is one named server's alone and goes with it; else it goes with the user.
    """

    cluster: str
    where: Ref
    of_server: bool = False


class Left(NamedTuple):
    """The names of a try in a cluster that may not have been cleared up."""

    cluster: str
    namespace: str
    key: str


class State(NamedTuple):
    """What there is to remember. ``created`` is None if no server is known to run.

    ``kept_key`` names a stopped server's objects as long as ``data`` (or what is kept for good)
    hangs on that name; what was used last is the last of it. ``ended`` says why the last server
    ended, if its user should know. ``route`` is how requests get to the server, whatever its
    cluster's setting says meanwhile. ``left`` are tries in several clusters, of which only the last
    one's server is to be there. ``max_age``: the seconds that it may live, as its user was told.
    """

    created: Created | None = None
    cluster: str = ""
    url: str = ""
    kept_key: str = ""
    data: tuple[UserObject, ...] = ()
    ended: str = ""
    route: str = "ingress"
    left: tuple[Left, ...] = ()
    profile: str = ""
    max_age: int | None = None

    def with_data(self, new: Iterable[UserObject]) -> State:
        """Remember *new* as well; what is said of an object last counts."""
        found = {(datum.cluster, datum.where): datum for datum in (*self.data, *new)}
        return self._replace(data=tuple(found.values()))

    def without_data(self, deleted: Collection[UserObject]) -> State:
        """Forget what is *deleted*."""
        return self._replace(data=tuple(datum for datum in self.data if datum not in deleted))

    def with_left(self, cluster: str, created: Created) -> State:
        """Remember that a try there is about to begin."""
        one = Left(cluster, created.namespace, created.key)
        return self if one in self.left else self._replace(left=(*self.left, one))

    def without_left(self, cluster: str, created: Created) -> State:
        """Forget a try: nothing of it is there, or its server is the one that runs."""
        if not self.left:
            return self
        gone = Left(cluster, created.namespace, created.key)
        return self._replace(left=tuple(one for one in self.left if one != gone))

    @property
    def shared(self) -> list[UserObject]:
        """The data that other servers of the user may use, that of a start under way included."""
        making = self.created.data if self.created else ()
        under_way = (UserObject(self.cluster, where) for where in making)
        return [*(o for o in self.data if not o.of_server), *under_way]

    def started(self, url: str) -> State:
        """Remember that the server answers at *url*: the data in its cluster is now the last."""
        data = tuple(sorted(self.data, key=lambda datum: datum.cluster == self.cluster))
        return self._replace(ended="", url=url, data=data)

    def without_server(self) -> State:
        """Forget the server, but not its key if data hangs on that name."""
        kept_key = self.kept_key
        if self.created is not None and self.created.keeps_data:
            kept_key = self.created.key
        return self._replace(
            created=None, url="", route="ingress", kept_key=kept_key, profile="", max_age=None
        )

    def where(self) -> str:
        """Say where the server is, so that an administrator finds it without the hub."""
        if self.created is None:
            return "nothing"
        key, namespace = self.created.key, self.created.namespace
        return f"{key} in namespace {namespace} of cluster {self.cluster!r}"


def namespace_in(data: Iterable[UserObject], cluster: str) -> str:
    """Return the user's own namespace in *cluster*, "" if they have none yet.

    It may be called after a name that the user no longer has.
    """
    own = (datum.where for datum in data if datum.cluster == cluster)
    return next((where.name for where in own if where.kind == "Namespace"), "")


def save(known: State) -> dict[str, Any]:
    """Return JSON for a running server, or for the data that a stopped one left."""
    created = known.created
    kept_key = known.kept_key
    saved: dict[str, Any] = {}
    if created is not None:
        saved = {
            "cluster": known.cluster,
            "namespace": created.namespace,
            "key": created.key,
            "url": known.url,
        }
        kept_key = created.key if created.keeps_data or kept_key else ""
        if known.route in DIRECT:
            saved["route"] = known.route
        if known.profile:
            saved["profile"] = known.profile
        if known.max_age is not None:
            saved["max_age"] = known.max_age
        if uid := created.uids.get("Pod"):
            saved["uid"] = uid
        if created.hub_id:
            saved["hub"] = created.hub_id
        if created.unowned:
            saved["unowned"] = [_listed(where) for where in created.unowned]
    optional = {
        "kept_key": kept_key,
        "data": [[o.cluster, *_listed(o.where), o.of_server] for o in known.data],
        "ended": known.ended,
        "left": [[*one] for one in known.left],
    }
    return saved | {key: value for key, value in optional.items() if value}


def load(saved: Mapping[str, Any], hub_id: str) -> State:
    """Understand a saved state, the original spawner's (0.1 and 0.2) included.

    Of the original's only names are read; its manifests, and the token in them, are dropped with
    the next save.
    """
    if "key" in saved and "cluster" not in saved:
        return _load_original(saved)
    data = tuple(
        UserObject(cluster, Ref(*where), of_server)
        for cluster, *where, of_server in saved.get("data", ())
    )
    kept_key, ended = saved.get("kept_key", ""), saved.get("ended", "")
    left = tuple(Left(*one) for one in saved.get("left", ()))
    if "key" not in saved:
        return State(kept_key=kept_key, data=data, ended=ended, left=left)
    # a database may be a copy of another hub's: then the Pod is looked at before it is touched
    own = saved.get("hub", "") == hub_id
    uid = saved.get("uid") if own else None
    created = Created(saved["key"], _word(saved["namespace"]), hub_id, {"Pod": uid})
    created.unowned = tuple(Ref(*where) for where in saved.get("unowned", ()))
    created.keeps_data = bool(kept_key)
    url, route = _word(saved.get("url", "")), _word(saved.get("route", "ingress"))
    running = State(created, _word(saved["cluster"]), url, kept_key, data, ended, route, left)
    return running._replace(profile=_word(saved.get("profile", "")), max_age=saved.get("max_age"))


def _word(said: Any) -> Any:
    """Many servers have the same cluster, profile and gateway: one text is enough for all."""
    return sys.intern(said) if type(said) is str else said


def _listed(where: Ref) -> list[str | None]:
    return [where.api_version, where.kind, where.name, where.namespace]


def _load_original(saved: Mapping[str, Any]) -> State:
    cluster = CONTEXT_PREFIX + saved.get("kubernetes_context", "")
    url = saved.get("ingress_public_url ", saved.get("ingress_public_url", ""))
    resources = saved.get("created_resources") or ()
    kept = [m for m in resources if _is_kept_by_original(m)]
    created = Created(saved["key"], _namespace_of_original(resources), "", {"Pod": None})
    created.unowned = _unowned_of_original([m for m in resources if m not in kept], created)
    created.keeps_data = bool(kept)
    data = tuple(UserObject(cluster, ref(m)) for m in kept)
    kept_key, profile = created.key if kept else "", saved.get("profile", "")
    return State(created, cluster, url.rstrip("/"), kept_key, data, profile=profile)


def _is_kept_by_original(manifest: Manifest) -> bool:
    labels = metadata(manifest).get("labels") or {}
    return manifest["kind"] != "Namespace" and labels.get(DELETE_ON_STOP) == "false"


def _namespace_of_original(resources: Iterable[Manifest]) -> str:
    for manifest in resources:
        if namespace := metadata(manifest).get("namespace"):
            return str(namespace)
    return "default"


def _unowned_of_original(resources: Iterable[Manifest], created: Created) -> tuple[Ref, ...]:
    """The original gave its objects no owner; its first version did not even list them."""
    found = tuple(ref(m) for m in resources if m["kind"] not in ("Pod", "Namespace"))
    return found or tuple(
        Ref(api_version, kind, created.key, created.namespace)
        for api_version, kind in _OBJECTS_OF_ORIGINAL
    )
