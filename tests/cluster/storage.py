"""Persistent volumes: a plain PersistentVolumeClaim of any size binds to one of a pool.

Kubernetes' own host path provisioner makes directories that only root may write, so the volumes
are made beforehand, writable by everyone, in the cluster's directory.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import locks
from tests.cluster.api import KubernetesAPI, Object
from tests.cluster.names import ClusterName

CLASS = "local"
POOL = 48
"""How many claims can be bound at the same time, in each cluster."""


def storage_class() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
        "reclaimPolicy": "Retain",
    }


def volume(name: str, path: Path) -> Object:
    """A volume larger than any claim, for every access mode."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": {"pool": CLASS}},
        "spec": {
            "capacity": {"storage": "1Pi"},
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS,
            "hostPath": {"path": str(path), "type": "Directory"},
        },
    }


def fill(api: KubernetesAPI, name: ClusterName, directory: Path) -> None:
    """Make the pool whole: volumes whose claim was deleted are emptied and made anew."""
    with locks.changing(f"{name.tag}-storage"):
        _fill(api, name, directory)


def _fill(api: KubernetesAPI, name: ClusterName, directory: Path) -> None:
    volumes = {item["metadata"]["name"]: item for item in api.list("v1", "PersistentVolume")}
    for number in range(POOL):
        volume_name = f"{name.tag}-{number:02}"
        path = directory / "volumes" / volume_name
        found = volumes.get(volume_name)
        if found is not None and found["status"].get("phase") != "Released":
            continue
        if found is not None:
            api.delete("v1", "PersistentVolume", volume_name)
            api.wait_gone("v1", "PersistentVolume", volume_name)
            shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)
        api.create(volume(volume_name, path))
