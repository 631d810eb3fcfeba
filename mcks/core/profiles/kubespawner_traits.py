"""KubeSpawner's own traits that mcks does not have, and what to write instead. A table.

The page docs/reference/kubespawner.md is this table with words around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mcks.core.kubespawner.as_patch import as_patch
from mcks.core.kubespawner.words import WORDS


class Instead(NamedTuple):
    """What stands in a trait's place: a *patch* (YAML), or *advice*, or both."""

    advice: str = ""
    patch: str = ""


def _pod(spec: str) -> Instead:
    return Instead(patch=f"kind: Pod\nmetadata: {{name: {{{{key}}}}}}\nspec:\n  {spec}\n")


def _container(field: str) -> Instead:
    return _pod(f"containers:\n  - name: notebook\n    {field}")


def _metadata(kind: str, field: str) -> Instead:
    return Instead(patch=f"kind: {kind}\nmetadata:\n  name: {{{{key}}}}\n  {field}\n")


def _affinity(kind: str, rule: str) -> Instead:
    return _pod(f"affinity:\n    {kind}:\n      {rule}")


_VOLUME = Instead("an object and a patch: see how to give users a persistent home")
_CLUSTER = Instead("a setting of the cluster's entry in `clusters`, read from its kubeconfig")
_NOTHING = "nothing: "
_NONE = Instead(f"{_NOTHING}mcks does without it")
_POD_TERM = (
    "requiredDuringSchedulingIgnoredDuringExecution:\n"
    "      - topologyKey: kubernetes.io/hostname\n"
    "        labelSelector: {matchLabels: {team: x}}"
)
_POD_WISH = (
    "preferredDuringSchedulingIgnoredDuringExecution:\n"
    "      - weight: 50\n"
    "        podAffinityTerm:\n"
    "          topologyKey: kubernetes.io/hostname\n"
    "          labelSelector: {matchLabels: {team: x}}"
)
_NODE_TERM = "matchExpressions: [{key: disk, operator: In, values: [ssd]}]"

TRAITS: dict[str, Instead] = {
    "after_pod_created_hook": Instead("objects of their own in `resources`; they need no hook"),
    "allow_privilege_escalation": _container("securityContext: {allowPrivilegeEscalation: false}"),
    "automount_service_account_token": _pod("automountServiceAccountToken: false"),
    "common_labels": Instead("`labels` of the cluster: they are put on every object"),
    "component_label": _metadata("Pod", "labels: {component: my-server}"),
    "container_security_context": _container("securityContext: {runAsNonRoot: true}"),
    "delete_grace_period": _pod("terminationGracePeriodSeconds: 10"),
    "delete_pvc": Instead(
        "the annotation `mcks.hub.jupyter.org/lifetime` of the PersistentVolumeClaim: "
        "`user` or `keep`"
    ),
    "delete_stopped_pods": _NONE,
    "dns_name_template": _NONE,
    "enable_user_namespaces": Instead("`namespace` of the cluster; it must exist"),
    "events_enabled": _NONE,
    "extra_annotations": _metadata("Pod", "annotations: {example.org/team: x}"),
    "extra_container_config": _container("stdin: true"),
    "extra_containers": _pod("containers:\n  - {name: sidecar, image: busybox:1.36}"),
    "extra_labels": _metadata("Pod", "labels: {example.org/team: x}"),
    "extra_pod_config": _pod("dnsPolicy: ClusterFirst"),
    "extra_resource_guarantees": _container("resources: {requests: {nvidia.com/gpu: 1}}"),
    "extra_resource_limits": _container("resources: {limits: {nvidia.com/gpu: 1}}"),
    "fs_gid": _pod("securityContext: {fsGroup: 100}"),
    "get_pod_url": Instead("`route` of the cluster, or the `ingress_public_url` of its gateway"),
    "gid": _pod("securityContext: {runAsGroup: 100}"),
    "handle_legacy_names": Instead(
        '`slug_scheme = "escape"`, if claims have names of KubeSpawner 6'
    ),
    "hub_connect_ip": Instead("`hub_connect_url` of the cluster"),
    "hub_connect_port": Instead("`hub_connect_url` of the cluster"),
    "image_pull_policy": _container("imagePullPolicy: Always"),
    "image_pull_secrets": _pod("imagePullSecrets: [{name: registry}]"),
    "init_containers": _pod("initContainers:\n  - {name: first, image: busybox:1.36}"),
    "k8s_api_host": _CLUSTER,
    "k8s_api_request_retry_timeout": _NONE,
    "k8s_api_request_timeout": _NONE,
    "k8s_api_ssl_ca_cert": _CLUSTER,
    "k8s_api_threadpool_workers": _NONE,
    "k8s_api_verify_ssl": Instead("the cluster's own certificate authority, in its kubeconfig"),
    "lifecycle_hooks": _container("lifecycle: {postStart: {exec: {command: [sh, -c, 'true']}}}"),
    "modify_pod_hook": Instead("`patches`: they see the user and the options by template"),
    "namespace": Instead("`namespace` of the cluster"),
    "node_affinity_preferred": _affinity(
        "nodeAffinity",
        "preferredDuringSchedulingIgnoredDuringExecution:\n"
        f"      - weight: 50\n        preference:\n          {_NODE_TERM}",
    ),
    "node_affinity_required": _affinity(
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution:\n"
        f"        nodeSelectorTerms:\n        - {_NODE_TERM}",
    ),
    "node_selector": _pod("nodeSelector: {disk: ssd}"),
    "pod_affinity_preferred": _affinity("podAffinity", _POD_WISH),
    "pod_affinity_required": _affinity("podAffinity", _POD_TERM),
    "pod_anti_affinity_preferred": _affinity("podAntiAffinity", _POD_WISH),
    "pod_anti_affinity_required": _affinity("podAntiAffinity", _POD_TERM),
    "pod_connect_ip": Instead("`route` of the cluster, or the `ingress_public_url` of its gateway"),
    "pod_name_template": Instead("`key_template`"),
    "pod_security_context": _pod("securityContext: {runAsUser: 1000}"),
    "priority_class_name": _pod("priorityClassName: low"),
    "privileged": _container("securityContext: {privileged: true}"),
    "pvc_name_template": Instead("the name in your PersistentVolumeClaim's template"),
    "remember_pvc_name": _NONE,
    "scheduler_name": _pod("schedulerName: my-scheduler"),
    "secret_mount_path": Instead("nothing: internal_ssl cannot work through gateways"),
    "secret_name_template": Instead("`key_template`: the Secret has the same name"),
    "service_account": _pod("serviceAccountName: analyst"),
    "services_enabled": Instead('`route = "service"` of the cluster; each server has a Service'),
    "slow_spawn_message": Instead("nothing: the progress page tells what the Pod waits for"),
    "slow_spawn_message_frequency": _NONE,
    "slow_spawn_message_threshold": _NONE,
    "slug_scheme": Instead("`key_template`, which names the objects"),
    "storage_access_modes": _VOLUME,
    "storage_capacity": _VOLUME,
    "storage_class": _VOLUME,
    "storage_extra_annotations": _VOLUME,
    "storage_extra_labels": _VOLUME,
    "storage_pvc_ensure": _VOLUME,
    "storage_selector": _VOLUME,
    "supplemental_gids": _pod("securityContext: {supplementalGroups: [100]}"),
    "tolerations": _pod("tolerations: [{key: gpu, operator: Exists, effect: NoSchedule}]"),
    "uid": _pod("securityContext: {runAsUser: 1000}"),
    "user_namespace_annotations": Instead("annotations of the namespace, made beforehand"),
    "user_namespace_labels": Instead("labels of the namespace, made beforehand"),
    "user_namespace_template": Instead("`namespace` of the cluster; it must exist"),
    "volume_mounts": _container("volumeMounts: [{name: scratch, mountPath: /scratch}]"),
    "volumes": _pod("volumes: [{name: scratch, emptyDir: {}}]"),
    "working_dir": _container("workingDir: /home/jovyan"),
}
"""KubeSpawner's trait -> what to write instead, with sample values."""


_UNSAID = object()


def without_effect(said: str, trait: str) -> str:
    """Say in a sentence that KubeSpawner's *trait* has no meaning here; *said* is where it stands.

    >>> without_effect("c.KubeSpawner.events_enabled", "events_enabled")
    'c.KubeSpawner.events_enabled has no effect: mcks does without it'
    """
    advice = TRAITS[trait].advice
    if advice.startswith(_NOTHING):
        return f"{said} has no effect: {advice.removeprefix(_NOTHING)}"
    return f"{said} has no effect. Here it is {advice}"


def instead_of(trait: str, value: Any = _UNSAID) -> str:
    """Say what to write instead of KubeSpawner's *trait*; empty if it is none that mcks lacks.

    A patch has the administrator's own *value* in it, as far as that can be.
    """
    found = TRAITS.get(trait)
    if found is None:
        return ""
    here = found.advice
    if found.patch:
        own = as_patch(trait, value) if value is not _UNSAID else ""
        here = f"an entry of 'patches', {'namely' if own else 'such as'}\n{own or found.patch}"
    if trait in WORDS:
        here = f"a key of 'kubespawner_override', or of c.KubeSpawner if that is read, or {here}"
    return f"{trait!r} is KubeSpawner's. Here it is {here}"
