"""What mcks writes on objects: labels, annotations, and how long an object lives. Pure."""

from __future__ import annotations

from mcks.core.objects import Manifest, metadata
from mcks.errors import ConfigError

LIFETIME = "mcks.hub.jupyter.org/lifetime"
"""Annotation: ``server`` (default), ``user`` (the user's data) or ``keep`` (anybody's).

mcks makes objects of the latter two if they are absent and never changes them. Those of ``user`` go
with the user, or with the named server whose name is part of theirs; ``keep`` stays for good.
"""
DELETE_ON_STOP = "mcks.hub.jupyter.org/delete-on-stop"
"""The original's label for the same; "false" means ``user``."""
MANAGED_BY = "app.kubernetes.io/managed-by"
KEY_LABEL = "mcks.hub.jupyter.org/key"
HUB_LABEL = "mcks.hub.jupyter.org/hub"
UNOWNED = "mcks.hub.jupyter.org/unowned"
"""Annotation of the Secret: the server's objects that nothing owns, as JSON, in case a hub crashes.

Each is a list of apiVersion, kind, name and namespace (null if cluster-scoped).
"""
USERNAME = "hub.jupyter.org/username"
SERVERNAME = "hub.jupyter.org/servername"


def hub_of(manifest: Manifest) -> str:
    """Return the ``hub_id`` of the hub whose object *manifest* is."""
    return str((metadata(manifest).get("labels") or {}).get(HUB_LABEL, ""))


def username(manifest: Manifest) -> str:
    """Return the name of the user whose object *manifest* is, "" if it does not say."""
    return str((metadata(manifest).get("annotations") or {}).get(USERNAME, ""))


def lifetime(manifest: Manifest) -> str:
    """Return how long *manifest* lives: ``server``, ``user`` or ``keep``. Raises ConfigError."""
    meta = metadata(manifest)
    annotations, labels = meta.get("annotations"), meta.get("labels")
    said = annotations.get(LIFETIME) if annotations else None
    if said is None:
        return "user" if labels and labels.get(DELETE_ON_STOP) == "false" else "server"
    if said not in ("server", "user", "keep"):
        raise ConfigError(
            f"{manifest['kind']} {meta.get('name')}: the annotation {LIFETIME} is {said!r}; "
            "it must be server, user or keep"
        )
    return str(said)
