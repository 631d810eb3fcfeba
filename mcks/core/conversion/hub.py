"""What ``c.KubeSpawner`` says for all servers, as patches and an object. Pure.

What profiles say on top (`override`) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mcks.core.conversion.symbolic import OF_CLAIM, Objects, Words, objects, untranslated
from mcks.core.kubespawner.words import HOOKS, UNSAID
from mcks.core.objects import Manifest
from mcks.core.patching.patch import OPTIONAL
from mcks.core.writing.difference import made_of, patches
from mcks.core.writing.marks import Marks
from mcks.core.writing.yaml_text import Commented, commented, written

_MANAGED = "app.kubernetes.io/managed-by"
_NAMES = {"slug_scheme", "pod_name_template", "pvc_name_template", "remember_pvc_name"}
_ALWAYS = {*_NAMES, "delete_grace_period"}
CLAIM_KEY = "00-hub-claim"
"""The key of the claim in ``resources``."""


class Concern(NamedTuple):
    """What one patch is about, and the words that it says; in the order of the translation."""

    name: str
    words: tuple[str, ...]


_AFFINITIES = tuple(
    f"{kind}_affinity_{rule}"
    for kind in ("node", "pod", "pod_anti")
    for rule in ("preferred", "required")
)
CONCERNS = (
    Concern("pod", ("delete_grace_period",)),
    Concern("labels", ("extra_labels", "common_labels", "component_label", "extra_annotations")),
    Concern("process", ("image_pull_policy", "working_dir", "lifecycle_hooks")),
    Concern("resources", ("extra_resource_guarantees", "extra_resource_limits")),
    Concern(
        "security",
        (
            *("fs_gid", "supplemental_gids", "uid", "gid", "privileged"),
            *("allow_privilege_escalation", "pod_security_context", "container_security_context"),
        ),
    ),
    Concern(
        "account", ("service_account", "automount_service_account_token", "image_pull_secrets")
    ),
    Concern("volumes", ("volumes", "volume_mounts")),
    Concern("nodes", ("node_selector", "tolerations", "scheduler_name", "priority_class_name")),
    Concern("affinity", _AFFINITIES),
    Concern("container", ("extra_container_config",)),
    Concern("sidecars", ("extra_containers",)),
    Concern("init", ("init_containers",)),
    Concern("spec", ("extra_pod_config",)),
    Concern(
        "namespace",
        (
            *("enable_user_namespaces", "user_namespace_template"),
            *("user_namespace_labels", "user_namespace_annotations"),
        ),
    ),
)
_MATTERS_AS_FALSE = {"allow_privilege_escalation", "automount_service_account_token"}


def translatable(words: Words) -> dict[str, Any]:
    """Return *words* without what cannot be known, functions, and what mcks itself says."""
    found = {
        name: UNSAID[name] if callable(value) else value
        for name, value in words.items()
        if name not in HOOKS
    }
    if labels := found.get("common_labels"):
        found["common_labels"] = {k: v for k, v in labels.items() if k != _MANAGED}
    return found


def hub_patches(words: Words, marks: Marks) -> dict[str, Commented]:
    """Return the patches that say *words*, all of KubeSpawner's, by the concerns' names in order.

    Raises ConfigError for what KubeSpawner would not take either.
    """
    found: dict[str, Commented] = {}
    before = untranslated(marks)
    taken = set(_ALWAYS)
    for number, concern in enumerate(CONCERNS, 1):
        taken |= set(concern.words)
        after = objects(
            {name: words[name] for name in taken if name in words}, marks, complete=True
        )
        if documents := list(changes(before, after)):
            said = (name for name in concern.words if _matters(name, words.get(name)))
            found[f"{number:02}-{concern.name}"] = template(documents, marks, said)
        before = after
    return found


def _matters(name: str, value: Any) -> bool:
    if value is False:
        return name in _MATTERS_AS_FALSE
    return bool(value) or value == 0


def patched(objects: Objects, documents: Iterable[Manifest]) -> Objects:
    """Return *objects* with the patches *documents* applied."""
    for document in documents:
        kind = document["kind"].replace("PersistentVolumeClaim", "claim").lower()
        objects = objects._replace(**{kind: made_of(getattr(objects, kind), [document])})
    return objects


def changes(before: Objects, after: Objects) -> Iterator[Manifest]:
    """Yield the patches from *before* to *after*, but for a claim that is only in one of them."""
    for kind in ("pod", "service", "namespace", "claim"):
        old, new = getattr(before, kind), getattr(after, kind)
        if old is not None and new is not None and _name(old) == _name(new):
            yield from patches(old, new)


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def template(documents: Iterable[Manifest], marks: Marks, words: Iterable[str]) -> Commented:
    """Write the patches *documents* as one template that says *words*."""
    return commented(written(map(_optional, documents), marks), tuple(words))


def _optional(patch: Manifest) -> Manifest:
    """A namespace may be all users, and a claim another one: then there is nothing to patch."""
    if patch["kind"] not in ("Namespace", "PersistentVolumeClaim"):
        return patch
    meta = patch["metadata"]
    return {
        **patch,
        "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), OPTIONAL: "true"}},
    }


def claim(words: Words, marks: Marks, *, complete: bool) -> Commented | None:
    """Return the template of the claim that *words* describe, None if there is none."""
    made = objects(words, marks, complete=complete).claim
    if made is None:
        return None
    said = sorted(name for name in (*OF_CLAIM, "pvc_name_template") if words.get(name))
    return commented(written([made], marks), tuple(said))
