"""KubeSpawner for scale_hub: configured as mcks is there, for the same servers in one cluster.

What is done with it, and measured, does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyterhub import orm
from traitlets.config import Config

from tests.bench.scale_api import ADDRESS, NAMESPACE, key

_OURS = "spawner_override"
_THEIRS = "kubespawner_override"


def configuration(profiles: Iterable[Mapping[str, Any]]) -> Config:
    """One namespace, and the same *profiles* as KubeSpawner writes them."""
    config = Config()
    section = config.KubeSpawner
    section.namespace = NAMESPACE
    section.pod_name_template = key("{username}")
    section.image = "quay.io/example/notebook:2026.1"
    section.profile_list = [_profile(each) for each in profiles]
    return config


def _profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _renamed(profile).items() if name != "cluster"}


def _renamed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_THEIRS if k == _OURS else k: _renamed(v) for k, v in value.items()}
    return value


def row(number: int) -> orm.Spawner:
    """What a hub has saved of a server that runs."""
    name, pod = f"user-{number}", key(f"user-{number}")
    server = orm.Server(
        proto="http", ip=ADDRESS, port=8888, base_url=f"/user/{name}/", cookie_name=name
    )
    state = {"pod_name": pod, "namespace": NAMESPACE, "dns_name": f"{pod}.{NAMESPACE}"}
    return orm.Spawner(user=orm.User(name=name), name="", state=state, server=server)
