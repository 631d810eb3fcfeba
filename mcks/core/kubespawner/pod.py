"""What KubeSpawner's words make of a server's Pod. Pure.

Each function reads the words of one kind and changes a Pod that belongs to it; a word that is not
there changes nothing. Which words there are (`words`), and the claim (`claim`), do not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mcks.core.kubespawner.fields import Fields, expand_word
from mcks.core.kubespawner.models import (
    changed,
    expandable,
    fields,
    kubernetes_name,
    listed,
    objects,
    plain,
)
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest
from mcks.errors import ConfigError

Words = Mapping[str, Any]
"""Name of a trait of KubeSpawner -> its value; only what was said."""


def shaped(pod: Manifest, words: Words, where: Fields) -> Manifest:
    """Return *pod* as *words* say; *where* are the fields of this server.

    Raises ConfigError for an unknown field and for a value of the wrong form.
    """
    pod = copy.deepcopy(pod)
    spec = pod.get("spec") or {}
    containers = spec.get("containers") or ()
    container = next((c for c in containers if c.get("name") == CONTAINER), None)
    if container is None:
        return pod  # which is refused for that, whatever the words are
    _shape_metadata(pod["metadata"], words, where)
    _shape_process(container, words, where)
    _shape_resources(container, words)
    _shape_security(spec, container, words)
    _shape_account(spec, words, where)
    _shape_volumes(spec, container, words, where)
    _shape_placement(spec, words)
    _shape_affinity(spec, words)
    if extra := words.get("extra_container_config"):
        _change(container, extra)
    _add(
        spec,
        "containers",
        expand_word("extra_containers", expandable(listed(words.get("extra_containers"))), where),
    )
    _add(
        spec,
        "initContainers",
        expand_word("init_containers", expandable(listed(words.get("init_containers"))), where),
    )
    if extra := words.get("extra_pod_config"):
        _change(spec, expand_word("extra_pod_config", expandable(extra), where))
    return pod


def _change(place: dict[str, Any], extra: Any) -> None:
    """Let *extra* win over what *place* says."""
    said = changed(place, extra)
    place.clear()
    place.update(said)


def _shape_metadata(metadata: dict[str, Any], words: Words, where: Fields) -> None:
    labels, annotations = metadata.setdefault("labels", {}), metadata.setdefault("annotations", {})
    labels |= expand_word("extra_labels", words.get("extra_labels") or {}, where)
    labels |= words.get("common_labels") or {}
    if component := words.get("component_label"):
        labels |= {"app.kubernetes.io/component": component, "component": component}
    annotations |= expand_word("extra_annotations", words.get("extra_annotations") or {}, where)


def _shape_process(container: dict[str, Any], words: Words, where: Fields) -> None:
    if policy := words.get("image_pull_policy"):
        container["imagePullPolicy"] = policy
    if directory := words.get("working_dir"):
        container["workingDir"] = expand_word("working_dir", directory, where)
    if hooks := words.get("lifecycle_hooks"):
        container["lifecycle"] = fields(hooks)


def _shape_resources(container: dict[str, Any], words: Words) -> None:
    resources = container.setdefault("resources", {})
    for kind, name in (("requests", "guarantees"), ("limits", "limits")):
        if extra := words.get(f"extra_resource_{name}"):
            resources[kind] = {**(resources.get(kind) or {}), **extra}


def _shape_security(spec: dict[str, Any], container: dict[str, Any], words: Words) -> None:
    of_pod: dict[str, Any] = {}
    if (group := words.get("fs_gid")) is not None:
        of_pod["fsGroup"] = int(group)
    if groups := words.get("supplemental_gids"):
        of_pod["supplementalGroups"] = [int(group) for group in groups]
    of_container: dict[str, Any] = {}
    for word, field in (("uid", "runAsUser"), ("gid", "runAsGroup")):
        if (number := words.get(word)) is not None:
            of_container[field] = int(number)
    if words.get("privileged"):
        of_container["privileged"] = True
    if (escalation := words.get("allow_privilege_escalation")) is not None:
        of_container["allowPrivilegeEscalation"] = escalation
    of_pod |= _in_kubernetes_words("pod_security_context", words)
    of_container |= _in_kubernetes_words("container_security_context", words)
    for place, context in ((spec, of_pod), (container, of_container)):
        if context:
            place["securityContext"] = {**(place.get("securityContext") or {}), **context}


def _in_kubernetes_words(word: str, words: Words) -> dict[str, Any]:
    context = plain(words.get(word) or {})
    for key in context:
        if "_" in key:
            raise ConfigError(
                f"{word}: {key!r} must be written as Kubernetes does: {kubernetes_name(key)!r}"
            )
    return dict(context)


def _shape_account(spec: dict[str, Any], words: Words, where: Fields) -> None:
    """Without an account of its own a Pod gets no token, unless that is asked for."""
    account, token = words.get("service_account"), words.get("automount_service_account_token")
    if account is not None:
        spec["serviceAccountName"] = expand_word("service_account", account, where)
    if token is not None:
        spec["automountServiceAccountToken"] = token
    elif account is None and "automount_service_account_token" in words:
        spec["automountServiceAccountToken"] = False
    named = words.get("image_pull_secrets")
    if secrets := [named] if named and isinstance(named, str) else listed(named):
        spec["imagePullSecrets"] = [
            {"name": secret} if isinstance(secret, str) else fields(secret) for secret in secrets
        ]


def _shape_volumes(
    spec: dict[str, Any], container: dict[str, Any], words: Words, where: Fields
) -> None:
    _add(spec, "volumes", expand_word("volumes", expandable(listed(words.get("volumes"))), where))
    _add(
        container,
        "volumeMounts",
        expand_word("volume_mounts", expandable(listed(words.get("volume_mounts"))), where),
    )


def _shape_placement(spec: dict[str, Any], words: Words) -> None:
    if selector := words.get("node_selector"):
        spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **selector}
    _add(spec, "tolerations", words.get("tolerations"))
    if scheduler := words.get("scheduler_name"):
        spec["schedulerName"] = scheduler
    if priority := words.get("priority_class_name"):
        spec["priorityClassName"] = priority


def _shape_affinity(spec: dict[str, Any], words: Words) -> None:
    affinity: dict[str, Any] = {}
    for kind in ("node_affinity", "pod_affinity", "pod_anti_affinity"):
        rules: dict[str, Any] = {}
        if preferred := objects(words.get(f"{kind}_preferred")):
            rules["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
        if required := objects(words.get(f"{kind}_required")):
            terms = {"nodeSelectorTerms": required} if kind == "node_affinity" else required
            rules["requiredDuringSchedulingIgnoredDuringExecution"] = terms
        if rules:
            affinity[kubernetes_name(kind)] = rules
    if affinity:
        spec["affinity"] = {**(spec.get("affinity") or {}), **affinity}


def _add(place: dict[str, Any], name: str, more: Any) -> None:
    """Put *more* objects behind those that a template has in the list *name* already."""
    if added := objects(more):
        place[name] = [*(place.get(name) or ()), *added]
