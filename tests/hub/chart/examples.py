"""Values of Zero to JupyterHub's users, from small ones to whole hubs. Only data.

What mcks needs beside them is ``SWITCH`` and the clusters.
"""

from __future__ import annotations

from typing import Any

Values = dict[str, Any]

TYPICAL: Values = {
    "hub": {
        "config": {
            "Authenticator": {"admin_users": ["admin"]},
            "DummyAuthenticator": {"password": "a-shared-one"},
            "JupyterHub": {"authenticator_class": "dummy"},
        }
    },
    "singleuser": {
        "image": {"name": "quay.io/jupyter/datascience-notebook", "tag": "2026-01-05"},
        "memory": {"limit": "1G", "guarantee": "512M"},
        "cpu": {"limit": 1, "guarantee": 0.5},
        "storage": {"type": "dynamic", "capacity": "2Gi"},
        "defaultUrl": "/lab",
        "extraEnv": {"EDITOR": "vim"},
        "profileList": [
            {"display_name": "Minimal", "description": "Python only", "default": True},
            {
                "display_name": "Much memory",
                "kubespawner_override": {"mem_limit": "2G", "cpu_limit": 2},
            },
            {
                "display_name": "A GPU",
                "kubespawner_override": {
                    "image": "quay.io/jupyter/pytorch-notebook:2026-01-05",
                    "extra_resource_limits": {"nvidia.com/gpu": "1"},
                    "tolerations": [{"key": "gpu", "operator": "Exists"}],
                },
            },
        ],
    },
}
"""What the chart's own guide shows: image, limits, a home that is made, profiles."""

SWITCH: Values = {
    "hub": {
        "config": {
            "JupyterHub": {"spawner_class": "mcks"},
            "MultiClusterKubeSpawner": {"read_kubespawner": True},
        }
    }
}


def clusters(**entries: dict[str, Any] | None) -> Values:
    """Name the clusters; None takes one away, as in Helm."""
    return {"hub": {"config": {"MultiClusterKubeSpawner": {"clusters": entries}}}}


WEST = clusters(
    west={
        "context": "west",
        "ingress_public_url": "https://west.example.org",
        "hub_connect_url": "https://hub.example.org",
        "isolate": True,
    }
)

HUBS: dict[str, Values] = {
    "defaults": {},
    "typical": TYPICAL,
    "shared disk": {
        "singleuser": {
            "storage": {
                "type": "static",
                "static": {"pvcName": "nfs-homes", "subPath": "homes/{username}"},
                "extraVolumes": [{"name": "data", "nfs": {"server": "10.0.0.2", "path": "/data"}}],
                "extraVolumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
            },
            "initContainers": [
                {"name": "owner", "image": "busybox", "command": ["chown", "1000", "/h"]}
            ],
        }
    },
    "no storage, the image's own command": {
        "singleuser": {
            "storage": {"type": "none"},
            "cmd": None,
            "extraPodConfig": {"hostname": "x"},
        }
    },
    "node pools": {
        "singleuser": {
            "nodeSelector": {"pool": "users"},
            "extraTolerations": [{"key": "spot", "operator": "Exists"}],
            "extraNodeAffinity": {
                "required": [
                    {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
                ]
            },
            "extraPodAntiAffinity": {
                "preferred": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "zone",
                            "labelSelector": {"matchLabels": {"a": "b"}},
                        },
                    }
                ]
            },
        },
        "scheduling": {
            "podPriority": {"enabled": True},
            "userPods": {"nodeAffinity": {"matchNodePurpose": "require"}},
        },
    },
    "files and secrets": {
        "imagePullSecrets": [{"name": "registry"}],
        "singleuser": {
            "extraFiles": {
                "settings": {"mountPath": "/etc/jupyter/x.json", "mode": 420, "data": {"a": 1}}
            },
            "extraLabels": {"team": "{username}"},
            "extraAnnotations": {"of": "{unescaped_username}"},
            "lifecycleHooks": {"postStart": {"exec": {"command": ["sh", "-c", "true"]}}},
            "storage": {
                "dynamic": {"pvcNameTemplate": "home-{user_server}", "storageClass": "fast"}
            },
        },
    },
    "sections of traits": {
        "hub": {
            "config": {
                "KubeSpawner": {"extra_labels": {"a": "b"}, "gid": 7},
                "Spawner": {"mem_limit": "3G"},
            },
            "extraConfig": {
                "10-late": "c.KubeSpawner.extra_annotations['late'] = get_config('custom.word')"
            },
        },
        "custom": {"word": "last"},
    },
}
