"""Whether a kubeconfig's entry was edited, or only its credential rotated.

What follows from that does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcks.auth.service_account import InCluster
from mcks.backends.kubeconfig import Context, Entry

_ROTATED = ("token", "client-certificate-data", "client-key-data")
_CACHED_BY_PROVIDERS = ("access-token", "expiry", "id-token", "refresh-token")
"""What the log-in providers of old write into the file at each log-in."""

Chosen = Context | InCluster


def is_edited(before: Chosen, now: Chosen) -> bool:
    """Say whether *now* is another way into a cluster, or as somebody else, than *before*.

    New values of a token or a client certificate are not, nor is what stands in the files that an
    entry names.
    """
    if isinstance(before, InCluster) or isinstance(now, InCluster):
        return before != now
    return (
        _place(before.cluster) != _place(now.cluster)
        or dict(before.cluster.fields) != dict(now.cluster.fields)
        or _login(before.user) != _login(now.user)
    )


def _place(entry: Entry) -> object:
    """Give the folder to which the paths in *entry* are relative."""
    return entry.file.parent


def _login(user: Entry | None) -> object:
    if user is None:
        return None
    fields = {key: value for key, value in user.fields.items() if value not in (None, "")}
    for key in fields.keys() & set(_ROTATED):
        fields[key] = "any"
    if isinstance(provider := fields.get("auth-provider"), Mapping):
        fields["auth-provider"] = _without_cache(provider)
    return _place(user), fields


def _without_cache(provider: Mapping[str, Any]) -> dict[str, Any]:
    config = provider.get("config")
    kept = dict(config) if isinstance(config, Mapping) else {}
    for key in _CACHED_BY_PROVIDERS:
        kept.pop(key, None)
    return {**provider, "config": kept}
