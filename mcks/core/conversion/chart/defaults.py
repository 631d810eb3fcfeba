"""What Zero to JupyterHub's chart says of servers by itself, and which value is which trait.

Tables; what is made of them (`configuration`) does not belong here.
"""

from __future__ import annotations

import copy
from typing import Any

VERSION = "4.4.0"
"""The chart that these defaults are of."""
NAME = "jupyterhub"
"""What the chart is called, and what its values are called in a chart around it."""
DOMAIN = "hub.jupyter.org"
"""What the chart's own labels and taints begin with."""

SAME_VALUES = {
    "pod_name_template": "podNameTemplate",
    "start_timeout": "startTimeout",
    "image_pull_policy": "image.pullPolicy",
    "extra_labels": "extraLabels",
    "extra_annotations": "extraAnnotations",
    "uid": "uid",
    "fs_gid": "fsGid",
    "service_account": "serviceAccountName",
    "storage_extra_labels": "storage.extraLabels",
    "node_selector": "nodeSelector",
    "node_affinity_required": "extraNodeAffinity.required",
    "node_affinity_preferred": "extraNodeAffinity.preferred",
    "pod_affinity_required": "extraPodAffinity.required",
    "pod_affinity_preferred": "extraPodAffinity.preferred",
    "pod_anti_affinity_required": "extraPodAntiAffinity.required",
    "pod_anti_affinity_preferred": "extraPodAntiAffinity.preferred",
    "lifecycle_hooks": "lifecycleHooks",
    "init_containers": "initContainers",
    "extra_containers": "extraContainers",
    "mem_limit": "memory.limit",
    "mem_guarantee": "memory.guarantee",
    "cpu_limit": "cpu.limit",
    "cpu_guarantee": "cpu.guarantee",
    "extra_resource_limits": "extraResource.limits",
    "extra_resource_guarantees": "extraResource.guarantees",
    "environment": "extraEnv",
    "profile_list": "profileList",
    "extra_pod_config": "extraPodConfig",
}
"""KubeSpawner's trait -> the value below ``singleuser`` that means the same."""

HUB_VALUES = {
    "concurrent_spawn_limit": "concurrentSpawnLimit",
    "active_server_limit": "activeServerLimit",
    "base_url": "baseUrl",
    "allow_named_servers": "allowNamedServers",
    "named_server_limit_per_user": "namedServerLimitPerUser",
    "authenticate_prometheus": "authenticatePrometheus",
    "redirect_to_server": "redirectToServer",
    "shutdown_on_logout": "shutdownOnLogout",
    "template_paths": "templatePaths",
    "template_vars": "templateVars",
}
"""JupyterHub's trait -> the value below ``hub`` that means the same."""

_DEFAULTS: dict[str, Any] = {
    "hub": {
        "baseUrl": "/",
        "consecutiveFailureLimit": 5,
        "templatePaths": [],
        "templateVars": {},
    },
    "scheduling": {
        "userScheduler": {"enabled": True},
        "podPriority": {"enabled": False},
        "userPods": {
            "nodeAffinity": {"matchNodePurpose": "prefer"},
            "tolerations": [
                {
                    "key": f"{DOMAIN}{separator}dedicated",
                    "operator": "Equal",
                    "value": "user",
                    "effect": "NoSchedule",
                }
                for separator in "/_"
            ],
        },
    },
    "singleuser": {
        "networkTools": {
            "image": {"name": "quay.io/jupyterhub/k8s-network-tools", "tag": VERSION},
        },
        "cloudMetadata": {"blockWithIptables": True, "ip": "169.254.169.254"},
        "extraLabels": {f"{DOMAIN}/network-access-hub": "true"},
        "extraAnnotations": {},
        "nodeSelector": {},
        "extraNodeAffinity": {"required": [], "preferred": []},
        "extraPodAffinity": {"required": [], "preferred": []},
        "extraPodAntiAffinity": {"required": [], "preferred": []},
        "extraTolerations": [],
        "extraFiles": {},
        "extraEnv": {},
        "lifecycleHooks": {},
        "initContainers": [],
        "extraContainers": [],
        "extraResource": {"limits": {}, "guarantees": {}},
        "extraPodConfig": {},
        "profileList": [],
        "allowPrivilegeEscalation": False,
        "uid": 1000,
        "fsGid": 100,
        "storage": {
            "type": "dynamic",
            "extraLabels": {},
            "extraVolumes": [],
            "extraVolumeMounts": [],
            "static": {"pvcName": None, "subPath": "{username}"},
            "capacity": "10Gi",
            "homeMountPath": "/home/jovyan",
            "dynamic": {
                "storageClass": None,
                "pvcNameTemplate": None,
                "volumeNameTemplate": "volume-{user_server}",
                "storageAccessModes": ["ReadWriteOnce"],
                "subPath": None,
            },
        },
        "image": {"name": "quay.io/jupyterhub/k8s-singleuser-sample", "tag": VERSION},
        "startTimeout": 300,
        "memory": {"guarantee": "1G"},
        "cmd": "jupyterhub-singleuser",
    },
}


def defaults() -> dict[str, Any]:
    """Return the chart's own values, as far as they set a spawner."""
    return copy.deepcopy(_DEFAULTS)
