"""The PersistentVolumeClaim and the Namespace that KubeSpawner's words describe. Pure."""

from __future__ import annotations

from typing import Any

from mcks.core.kubespawner.fields import Fields, expand_word
from mcks.core.kubespawner.models import expandable
from mcks.core.kubespawner.pod import Words
from mcks.core.labels import LIFETIME
from mcks.core.objects import Manifest

_CLASS = "volume.beta.kubernetes.io/storage-class"
"""Written beside the field of that name, as KubeSpawner does: old provisioners read it."""


def claim(words: Words, where: Fields) -> Manifest:
    """Return the claim that a server's home is. It goes with its user, or never (``delete_pvc``).

    *where* has the field ``pvc_name``.
    """
    labels = expand_word("storage_extra_labels", words.get("storage_extra_labels") or {}, where)
    labels |= words.get("common_labels") or {}
    labels["component"] = "singleuser-storage"
    if component := words.get("component_label"):
        labels["app.kubernetes.io/component"] = component
    annotations = expand_word(
        "storage_extra_annotations", words.get("storage_extra_annotations") or {}, where
    )
    annotations[LIFETIME] = "user" if words.get("delete_pvc", True) else "keep"
    spec: dict[str, Any] = {
        "accessModes": list(words.get("storage_access_modes") or ["ReadWriteOnce"]),
        "resources": {"requests": {"storage": words.get("storage_capacity")}},
    }
    if (storage_class := words.get("storage_class")) is not None:
        annotations[_CLASS] = storage_class
        spec["storageClassName"] = storage_class
    if selector := words.get("storage_selector"):
        spec["selector"] = expand_word("storage_selector", expandable(selector), where)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": where["pvc_name"], "labels": labels, "annotations": annotations},
        "spec": spec,
    }


def namespace_of_user(words: Words, where: Fields) -> Manifest:
    """Return the Namespace of one user, named by ``user_namespace_template``."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": expand_word("user_namespace_template", words["user_namespace_template"], where),
            "labels": expand_word(
                "user_namespace_labels", words.get("user_namespace_labels") or {}, where
            ),
            "annotations": expand_word(
                "user_namespace_annotations", words.get("user_namespace_annotations") or {}, where
            ),
        },
    }
