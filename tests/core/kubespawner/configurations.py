"""Configurations of KubeSpawner: each trait alone, and whole ones in the style of real hubs."""

from __future__ import annotations

from typing import Any

from kubernetes_asyncio.client.models import V1Container, V1SecurityContext, V1VolumeMount

Values = dict[str, Any]

_TERM = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
_POD_TERM = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {"matchLabels": {"team": "x"}},
}
_HOME = {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
_BLOCK_METADATA = V1Container(
    name="block-cloud-metadata",
    image="quay.io/jupyterhub/k8s-network-tools:4.4.0",
    command=["iptables", "-A", "OUTPUT", "-d", "169.254.169.254", "-j", "DROP"],
    security_context=V1SecurityContext(
        privileged=True, run_as_user=0, capabilities={"add": ["NET_ADMIN"]}
    ),
)

ALONE: dict[str, Values] = {
    "nothing": {},
    "cmd": {"cmd": ["jupyterhub-singleuser", "--debug"]},
    "args": {"cmd": ["start.sh"], "args": ["--ServerApp.x=1"]},
    "image": {"image": "example.org/x:1", "image_pull_policy": "Always"},
    "image_pull_secrets list": {"image_pull_secrets": ["a", {"name": "b"}]},
    "working_dir": {"working_dir": "/home/{username}"},
    "node_selector": {"node_selector": {"disk": "ssd"}},
    "tolerations list": {"tolerations": [{"key": "gpu", "operator": "Exists"}]},
    "tolerations dict": {"tolerations": {"b": {"key": "b"}, "a": {"key": "a"}}},
    "tolerations snake": {"tolerations": [{"key": "x", "toleration_seconds": 60}]},
    "uid": {"uid": 1000},
    "gid": {"gid": 0},
    "uid called": {"uid": lambda spawner: spawner.user.id + 1000},
    "fs_gid": {"fs_gid": 100},
    "supplemental_gids": {"supplemental_gids": [1, 2]},
    "privileged": {"privileged": True},
    "allow_privilege_escalation": {"allow_privilege_escalation": True},
    "allow_privilege_escalation none": {"allow_privilege_escalation": None},
    "container_security_context": {
        "uid": 1,
        "container_security_context": {"runAsUser": 2, "capabilities": {"drop": ["ALL"]}},
    },
    "pod_security_context": {"fs_gid": 1, "pod_security_context": {"runAsNonRoot": True}},
    "service_account": {"service_account": "u-{username}"},
    "automount": {"automount_service_account_token": True},
    "automount off": {"service_account": "x", "automount_service_account_token": False},
    "volumes": {
        "volumes": [_HOME, {"name": "s", "empty_dir": {"sizeLimit": "1Gi"}}],
        "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"}],
    },
    "volumes dict": {
        "volumes": {"1": {"name": "b", "emptyDir": {}}, "0": _HOME},
        "volume_mounts": {"0": {"name": "home", "mount_path": "/h", "sub_path": "{user_server}"}},
    },
    "volume_mounts model": {
        "volumes": [_HOME],
        "volume_mounts": [V1VolumeMount(name="home", mount_path="/h")],
    },
    "init_containers": {
        "init_containers": [{"name": "i", "image": "busybox", "args": ["{unescaped_username}"]}]
    },
    "init_containers model": {"init_containers": [_BLOCK_METADATA]},
    "init_containers dict": {
        "init_containers": {
            "z": {"name": "z", "image": "b"},
            "a": {"name": "a", "image": "b", "volume_mounts": [{"name": "v", "mountPath": "/v"}]},
        }
    },
    "extra_containers": {"extra_containers": [{"name": "s", "image": "b", "env": []}]},
    "lifecycle_hooks": {"lifecycle_hooks": {"postStart": {"exec": {"command": ["sh", "{x}"]}}}},
    "lifecycle_hooks snake": {"lifecycle_hooks": {"pre_stop": {"exec": {"command": ["true"]}}}},
    "extra_container_config": {"extra_container_config": {"envFrom": [], "stdin": True}},
    "extra_container_config snake": {
        "extra_container_config": {"termination_message_path": "/dev/termination-log"}
    },
    "extra_pod_config": {"extra_pod_config": {"hostNetwork": True, "hostname": "x-{username}"}},
    "extra_pod_config replaces": {
        "fs_gid": 5,
        "extra_pod_config": {"security_context": {"runAsUser": 1}},
    },
    "mem": {"mem_limit": "2G", "mem_guarantee": "1G"},
    "cpu": {"cpu_limit": 2.5, "cpu_guarantee": 0.5},
    "extra_resource_limits": {"extra_resource_limits": {"nvidia.com/gpu": "1"}},
    "extra_resource_guarantees": {
        "mem_guarantee": "1G",
        "extra_resource_guarantees": {"ephemeral-storage": "1Gi"},
    },
    "node_affinity_required": {"node_affinity_required": [_TERM]},
    "node_affinity_required snake": {
        "node_affinity_required": [{"match_expressions": _TERM["matchExpressions"]}]
    },
    "node_affinity_preferred": {"node_affinity_preferred": [{"weight": 1, "preference": _TERM}]},
    "pod_affinity": {
        "pod_affinity_required": [_POD_TERM],
        "pod_affinity_preferred": [{"weight": 9, "podAffinityTerm": _POD_TERM}],
    },
    "pod_anti_affinity": {
        "pod_anti_affinity_required": {"a": _POD_TERM},
        "pod_anti_affinity_preferred": [{"weight": 9, "pod_affinity_term": _POD_TERM}],
    },
    "priority_class_name": {"priority_class_name": "low"},
    "scheduler_name": {"scheduler_name": "user-scheduler"},
    "extra_labels": {"extra_labels": {"team": "t-{username}"}},
    "extra_annotations": {"extra_annotations": {"x/y": "{{literal}} {servername}"}},
    "common_labels": {"common_labels": {"app": "jupyterhub", "release": "r"}},
    "component_label": {"component_label": "my-server"},
    "escape": {"slug_scheme": "escape", "working_dir": "/home/{username}-{user_server}"},
    "safe fields": {
        "extra_labels": {"a": "{safe_username}", "b": "{escaped_username}", "c": "{userid}"}
    },
}
