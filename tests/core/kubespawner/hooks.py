"""Hooks in the style of those that hubs have as ``modify_pod_hook``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubernetes_asyncio.client.models import (
    V1Capabilities,
    V1Container,
    V1EmptyDirVolumeSource,
    V1PersistentVolumeClaimVolumeSource,
    V1SecurityContext,
    V1Toleration,
    V1Volume,
    V1VolumeMount,
)
from tornado import gen

Hook = Callable[[Any, Any], Any]


def shared_data_as_dicts(_: Any, pod: Any) -> Any:
    claim = {"claimName": "shared-data"}
    pod.spec.volumes.append({"name": "shared", "persistentVolumeClaim": claim})
    pod.spec.containers[0].volume_mounts.append(
        {"name": "shared", "mountPath": "/home/jovyan/shared", "readOnly": True}
    )
    return pod


def course_of_the_user_as_models(spawner: Any, pod: Any) -> Any:
    source = V1PersistentVolumeClaimVolumeSource(claim_name="courses")
    pod.spec.volumes.append(V1Volume(name="courses", persistent_volume_claim=source))
    pod.spec.containers[0].volume_mounts += [
        V1VolumeMount(
            name="courses",
            mount_path="/courses",
            sub_path=spawner._expand_user_properties("of-{username}"),
        )
    ]
    return pod


def billing_labels(spawner: Any, pod: Any) -> Any:
    pod.metadata.annotations["example.org/who"] = spawner.user.name
    pod.metadata.labels.update({"cost-centre": "physics"})
    return pod


def sidecar_with_the_same_mounts(_: Any, pod: Any) -> Any:
    notebook = pod.spec.containers[0]
    pod.spec.containers.append(
        V1Container(
            name="sync",
            image="busybox:1.36",
            volume_mounts=notebook.volume_mounts,
            lifecycle=notebook.lifecycle,
        )
    )
    notebook.lifecycle = None
    return pod


def root_for_a_file_system(_: Any, pod: Any) -> Any:
    pod.spec.containers[0].security_context = V1SecurityContext(
        privileged=True, run_as_user=0, capabilities=V1Capabilities(add=["SYS_ADMIN"])
    )
    return pod


def hardened_as_a_dict(_: Any, pod: Any) -> Any:
    for container in pod.spec.containers:
        if isinstance(container.security_context, dict):
            container.security_context["capabilities"] = {"drop": ["ALL"]}
    return pod


async def where_the_gpus_are(spawner: Any, pod: Any) -> Any:
    pod.spec.tolerations = (pod.spec.tolerations or []) + [
        V1Toleration(key="gpu", operator="Exists", effect="NoSchedule")
    ]
    pod.spec.node_selector = {"gpu": "a100"}
    pod.spec.containers[0].resources.limits["nvidia.com/gpu"] = "1"
    return pod


@gen.coroutine
def prepared_home(_: Any, pod: Any) -> Any:
    yield gen.moment
    container = V1Container(name="home", image="busybox:1.36", command=["chown", "1000", "/h"])
    container.volume_mounts = [V1VolumeMount(name="home", mount_path="/h")]
    pod.spec.init_containers = [container, *(pod.spec.init_containers or [])]
    return pod


def another_claim_for_the_home(spawner: Any, pod: Any) -> Any:
    for volume in pod.spec.volumes:
        if volume.name == "home":
            volume.persistent_volume_claim["claimName"] += "-2"
    return pod


def as_the_profile_says(spawner: Any, pod: Any) -> Any:
    pod.spec.containers[0].image = f"example.org/{spawner.user_options.get('profile', 'none')}:1"
    pod.spec.priority_class_name = "low"
    pod.spec.active_deadline_seconds = 3600
    return pod


def memory_as_a_disk(_: Any, pod: Any) -> Any:
    memory = V1EmptyDirVolumeSource(medium="Memory", size_limit="1Gi")
    pod.spec.volumes = [*pod.spec.volumes, V1Volume(name="shm", empty_dir=memory)]
    pod.spec.containers[0].volume_mounts.insert(0, V1VolumeMount(name="shm", mount_path="/dev/shm"))
    return pod


def without_a_first_container(_: Any, pod: Any) -> Any:
    pod.spec.init_containers = None
    pod.spec.image_pull_secrets.append({"name": "registry"})
    return pod


HOOKS: list[Hook] = [
    shared_data_as_dicts,
    course_of_the_user_as_models,
    billing_labels,
    sidecar_with_the_same_mounts,
    root_for_a_file_system,
    hardened_as_a_dict,
    where_the_gpus_are,
    prepared_home,
    another_claim_for_the_home,
    as_the_profile_says,
    memory_as_a_disk,
    without_a_first_container,
]
WHERE: dict[str, Any] = {
    "storage_pvc_ensure": True,
    "storage_capacity": "1Gi",
    "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}],
    "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan"}],
    "lifecycle_hooks": {"postStart": {"exec": {"command": ["true"]}}},
    "init_containers": [{"name": "first", "image": "busybox:1.36"}],
    "mem_limit": "1G",
    "uid": 1000,
}
"""A configuration in which each of them finds something to change."""
