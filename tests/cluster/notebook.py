"""Notebook pods without a registry: a tiny image that borrows this machine's programs.

The patch mounts /usr, the Python and a virtual environment with JupyterLab, read-only and at the
same paths as here. Nothing of it is needed on clusters that can pull images.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cluster import images
from tests.cluster.python_venv import python_prefix, virtual_environment

IMAGE = images.NOTEBOOK
_ALTERNATIVES = Path("/etc/alternatives")  # where many of Debian's links in /usr/bin lead


def environment() -> Path:
    """The virtual environment with JupyterHub, JupyterLab and ipykernel, built if need be."""
    return virtual_environment("notebook")


def command() -> list[str]:
    """What a notebook pod runs: the spawner's ``cmd``."""
    return [str(environment() / "bin" / "jupyterhub-singleuser")]


def mounts() -> dict[str, Path]:
    """The volumes' names and the directories of this machine that pods see, read-only."""
    found = {"usr": Path("/usr"), "notebook": environment()}
    if _ALTERNATIVES.exists():
        found["alternatives"] = _ALTERNATIVES
    if not python_prefix().is_relative_to("/usr"):
        found["python"] = python_prefix()
    return found


def patch() -> str:
    """A strategic merge patch, as YAML with ``{{key}}``, for the spawner's pod.

    The volume ``home`` is an emptyDir: another patch may make it a PersistentVolumeClaim, which
    must then say ``emptyDir: null``.
    """
    volumes: list[dict[str, object]] = [{"name": "home", "emptyDir": {}}]
    volume_mounts: list[dict[str, object]] = [{"name": "home", "mountPath": images.HOME}]
    for name, path in mounts().items():
        volumes.append({"name": name, "hostPath": {"path": str(path), "type": "Directory"}})
        volume_mounts.append({"name": name, "mountPath": str(path), "readOnly": True})
    container = {
        "name": "notebook",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "workingDir": images.HOME,
        "env": [
            {"name": "HOME", "value": images.HOME},
            {"name": "SHELL", "value": "/bin/bash"},
            {"name": "PATH", "value": f"{environment()}/bin:/usr/local/bin:/usr/bin:/bin"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}},
        "volumeMounts": volume_mounts,
    }
    user = images.USER_ID
    return yaml.safe_dump(
        {
            "kind": "Pod",
            "metadata": {"name": "{{key}}"},
            "spec": {
                "dnsPolicy": "Default",
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 5,
                "securityContext": {"runAsUser": user, "runAsGroup": user, "fsGroup": user},
                "containers": [container],
                "volumes": volumes,
            },
        },
        sort_keys=False,
    )
