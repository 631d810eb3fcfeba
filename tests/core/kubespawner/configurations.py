"""Configurations of KubeSpawner: each trait alone, and whole ones in the style of real hubs."""

from __future__ import annotations

from typing import Any

from kubernetes_asyncio.client.models import (
    V1Capabilities,
    V1Container,
    V1HostPathVolumeSource,
    V1PodDNSConfig,
    V1SecurityContext,
    V1Volume,
    V1VolumeMount,
)

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
        privileged=True, run_as_user=0, capabilities=V1Capabilities(add=["NET_ADMIN"])
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
    "models, in which nothing is a field": {
        "volumes": [_HOME, V1Volume(name="s", host_path=V1HostPathVolumeSource(path="/{x}-"))],
        "volume_mounts": [V1VolumeMount(name="home", mount_path="/h", sub_path="{username}")],
        "init_containers": [
            V1Container(name="i", image="b", command=["sh", "-c", "echo ${HOME} {{x}} {"]),
        ],
        "extra_containers": [
            {
                "name": "{username}",
                "image": "b",
                "volumeMounts": [V1VolumeMount(name="s", mount_path="/{username}")],
            },
        ],
        "extra_pod_config": {
            "dns_config": V1PodDNSConfig(searches=["{x}"]),
            "hostname": "{userid}",
        },
    },
    "volume_mounts none": {
        "volumes": [{**_HOME, "nfs": None}],
        "volume_mounts": [{"name": "home", "mountPath": "/h", "subPath": None}],
    },
    "init_containers": {
        "init_containers": [{"name": "i", "image": "busybox", "args": ["{unescaped_username}"]}]
    },
    "init_containers model": {"init_containers": [_BLOCK_METADATA]},
    "init_containers dict": {
        "volumes": [{"name": "v", "emptyDir": {}}],
        "init_containers": {
            "z": {"name": "z", "image": "b"},
            "a": {"name": "a", "image": "b", "volume_mounts": [{"name": "v", "mountPath": "/v"}]},
        },
    },
    "extra_containers": {"extra_containers": [{"name": "s", "image": "b", "env": []}]},
    "lifecycle_hooks": {"lifecycle_hooks": {"postStart": {"exec": {"command": ["sh", "{x}"]}}}},
    "lifecycle_hooks snake": {"lifecycle_hooks": {"pre_stop": {"exec": {"command": ["true"]}}}},
    "extra_container_config": {"extra_container_config": {"envFrom": [], "stdin": True}},
    "extra_container_config snake": {
        "extra_container_config": {"termination_message_path": "/dev/termination-log"}
    },
    "extra_container_config none": {
        "working_dir": "/x",
        "extra_container_config": {"workingDir": None, "ports": None},
    },
    "extra_pod_config none": {"fs_gid": 5, "extra_pod_config": {"security_context": None}},
    "lifecycle_hooks none": {
        "lifecycle_hooks": {"preStop": None, "postStart": {"exec": {"command": ["true"]}}}
    },
    "tolerations none": {"tolerations": [{"key": "x", "effect": None}]},
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
    "scheduler_name": {"scheduler_name": "packing-scheduler"},
    "extra_labels": {"extra_labels": {"team": "t-{username}"}},
    "extra_annotations": {"extra_annotations": {"x/y": "{{literal}} {servername}"}},
    "common_labels": {"common_labels": {"app": "jupyterhub", "release": "r"}},
    "component_label": {"component_label": "my-server"},
    "escape": {"slug_scheme": "escape", "working_dir": "/home/{username}-{user_server}"},
    "safe fields": {
        "extra_labels": {"a": "{safe_username}", "b": "{escaped_username}", "c": "{userid}"}
    },
}


async def _uid_of(spawner: Any) -> int:
    return 5000 + int(spawner.user.id)


def _context_of(spawner: Any) -> Values:
    return {"runAsNonRoot": True, "runAsUser": 1000 + spawner.user.id}


_NFS: Values = {
    "volumes": [{"name": "home", "nfs": {"server": "nfs.example.org", "path": "/exports"}}],
    "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"}],
}
_CLAIM: Values = {
    "storage_pvc_ensure": True,
    "storage_capacity": "10Gi",
    "volumes": [
        {"name": "volume-{username}", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
    ],
    "volume_mounts": [{"name": "volume-{username}", "mountPath": "/home/jovyan"}],
}
_CHART: Values = {
    "cmd": None,
    "image": "quay.io/jupyterhub/k8s-singleuser-sample:4.2.0",
    "common_labels": {
        "app": "jupyterhub",
        "app.kubernetes.io/name": "jupyterhub",
        "app.kubernetes.io/instance": "hub",
        "chart": "jupyterhub-4.2.0",
        "release": "hub",
    },
    "scheduler_name": "hub-packing-scheduler",
    "priority_class_name": "hub-users",
    "uid": 1000,
    "fs_gid": 100,
    "mem_guarantee": "1G",
    "extra_labels": {"hub.jupyter.org/network-access-hub": "true"},
    "automount_service_account_token": False,
    "tolerations": [
        {
            "effect": "NoSchedule",
            "key": "hub.jupyter.org/dedicated",
            "operator": "Equal",
            "value": "user",
        }
    ],
    "node_affinity_preferred": [
        {
            "weight": 100,
            "preference": {
                "matchExpressions": [
                    {
                        "key": "hub.jupyter.org/node-purpose",
                        "operator": "In",
                        "values": ["user"],
                    }
                ]
            },
        }
    ],
    "init_containers": [_BLOCK_METADATA],
}

WHOLE: dict[str, Values] = {
    "nfs homes": _NFS,
    "nfs homes of old names": {**_NFS, "slug_scheme": "escape"},
    "nfs homes and shared data": {
        "volumes": [
            *_NFS["volumes"],
            {
                "name": "shared",
                "nfs": {"server": "nfs.example.org", "path": "/s", "readOnly": True},
            },
        ],
        "volume_mounts": [
            *_NFS["volume_mounts"],
            {
                "name": "home",
                "mountPath": "/home/jovyan/shared",
                "subPath": "_shared",
                "readOnly": True,
            },
            {"name": "shared", "mount_path": "/shared", "read_only": True},
        ],
        "init_containers": [
            {
                "name": "chown",
                "image": "busybox:1.36",
                "command": ["sh", "-c", "chown 1000:1000 /home/jovyan"],
                "securityContext": {"runAsUser": 0},
                "volumeMounts": _NFS["volume_mounts"],
            }
        ],
    },
    "claims": _CLAIM,
    "claims kept": {**_CLAIM, "delete_pvc": False, "storage_class": "standard"},
    "claims per user": {**_CLAIM, "pvc_name_template": "home-{username}"},
    "claims of old names": {
        **_CLAIM,
        "slug_scheme": "escape",
        "pvc_name_template": "claim-{username}{servername}",
    },
    "claims of many": {
        **_CLAIM,
        "storage_access_modes": ["ReadWriteMany"],
        "storage_extra_labels": {"department": "{username}"},
        "storage_extra_annotations": {"backup.example.org/policy": "daily"},
        "storage_selector": {"matchLabels": {"tier": "{username}"}},
    },
    "chart": _CHART,
    "chart with claims": {**_CHART, **_CLAIM, "storage_class": None},
    "chart with homes in dicts": {
        **_CHART,
        **_CLAIM,
        "volumes": {
            "00-home": _CLAIM["volumes"][0],
            "10-shm": {"name": "shm", "emptyDir": {"medium": "Memory"}},
        },
        "volume_mounts": {
            "00-home": _CLAIM["volume_mounts"][0],
            "10-shm": {"name": "shm", "mountPath": "/dev/shm"},
        },
    },
    "gpu": {
        "image": "example.org/cuda:12",
        "extra_resource_limits": {"nvidia.com/gpu": "1"},
        "extra_resource_guarantees": {"nvidia.com/gpu": "1"},
        "node_selector": {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "mem_limit": "16G",
        "mem_guarantee": "8G",
        "cpu_limit": 8,
        "cpu_guarantee": 3.5,
        "environment": {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"},
    },
    "node pools": {
        "node_affinity_required": [
            {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["user", "big"]}]}
        ],
        "node_affinity_preferred": [{"weight": 10, "preference": _TERM}],
        "pod_affinity_preferred": [{"weight": 5, "podAffinityTerm": _POD_TERM}],
        "scheduler_name": "packing-scheduler",
        "priority_class_name": "user",
    },
    "sidecar": {
        **_NFS,
        "extra_containers": [
            {
                "name": "sync",
                "image": "example.org/sync:1",
                "env": [{"name": "WHO", "value": "{unescaped_username}"}],
                "volumeMounts": _NFS["volume_mounts"],
                "resources": {"limits": {"memory": "64Mi"}},
            }
        ],
        "lifecycle_hooks": {
            "postStart": {"exec": {"command": ["sh", "-c", "cp -n /etc/skel/. ."]}}
        },
    },
    "restricted": {
        "uid": 1000,
        "gid": 100,
        "fs_gid": 100,
        "supplemental_gids": [2000],
        "container_security_context": {
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "pod_security_context": {"fsGroupChangePolicy": "OnRootMismatch"},
        "extra_pod_config": {"automountServiceAccountToken": False, "hostname": "{username}"},
    },
    "cloud identities": {
        "service_account": "user-{username}",
        "extra_annotations": {"iam.example.org/role": "r-{username}"},
        "extra_labels": {"azure.workload.identity/use": "true", "server": "{user_server}"},
    },
    "functions": {
        "uid": _uid_of,
        "gid": lambda _: 0,
        "fs_gid": lambda spawner: 100,
        "supplemental_gids": lambda spawner: [spawner.user.id, 9],
        "container_security_context": _context_of,
        "pod_security_context": lambda spawner: {"runAsNonRoot": True},
    },
    "class with a command": {
        "cmd": ["jupyterhub-singleuser"],
        "args": ["--collaborative"],
        "default_url": "/lab",
        "notebook_dir": "/home/jovyan/work",
        "environment": {"GRANT_SUDO": "yes", "NB_USER": "{username}", "JSON": '{{"a": 1}}'},
        "privileged": True,
        "allow_privilege_escalation": True,
    },
    "user namespaces": {
        **_CLAIM,
        "enable_user_namespaces": True,
        "user_namespace_template": "jhub-{username}",
        "user_namespace_labels": {"owner": "{username}"},
        "user_namespace_annotations": {"example.org/who": "{unescaped_username}"},
    },
    "user namespaces by default": {"enable_user_namespaces": True},
    "registry": {
        "image": "registry.example.org/lab:2026",
        "image_pull_policy": "Always",
        "image_pull_secrets": [{"name": "registry"}, "other"],
        "working_dir": "/home/{username}",
        "pod_name_template": "nb-{username}--{servername}",
        "extra_container_config": {"stdin": True, "tty": True},
    },
    "component": {"component_label": "hub2-server", "pod_name_template": "hub2-{user_server}"},
}
