"""The installed KubeSpawner's Pods and claims beside those of the translation, in one form."""

from __future__ import annotations

import copy
import logging
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner

USER = "Ada.Lovelace@example.org"


def theirs(
    values: dict[str, Any], username: str = USER, servername: str = "", user_id: int = 7
) -> Any:
    """KubeSpawner for a user, with *values* as its configuration says."""
    return theirs_by(Config(KubeSpawner=values), username, servername, user_id)


def theirs_by(config: Config, username: str = USER, servername: str = "", user_id: int = 7) -> Any:
    """KubeSpawner for a user, by a hub's whole configuration."""
    user = SimpleNamespace(name=username, id=user_id, url="/user/x/", escaped_name="x")
    hub = SimpleNamespace(
        public_host="", url="http://hub", base_url="/hub/", api_url="http://hub/api"
    )
    row = SimpleNamespace(name=servername, server=None, state=None)
    with (
        mock.patch("kubespawner.spawner.load_config"),
        mock.patch("kubespawner.spawner.shared_client"),
    ):
        return KubeSpawner(_mock=True, user=user, hub=hub, config=config, orm_spawner=row)


def configuration(values: dict[str, Any]) -> Config:
    """A hub's configuration that says *values* in KubeSpawner's section, and the switch."""
    config = Config(KubeSpawner=copy.deepcopy(values))
    config.MultiClusterKubeSpawner.read_kubespawner = True
    config.MultiClusterKubeSpawner.clusters = {
        "c": {
            "context": "x",
            "ingress_public_url": "http://192.0.2.1",
            "hub_connect_url": "http://192.0.2.2",
        }
    }
    return config


async def planned(
    config: Config, username: str = USER, servername: str = "", **options: str
) -> list[Manifest]:
    """What mcks would send for a user."""
    spawner = sample_spawner(config, username, servername=servername)
    return await planned_by(spawner, **options)


async def planned_by(spawner: MultiClusterKubeSpawner, **options: str) -> list[Manifest]:
    """What the start of *spawner* would send, but for what a hook makes of it."""
    return list((await plan_of(spawner, **options)).objects)


async def plan_of(spawner: MultiClusterKubeSpawner, **options: str) -> Plan:
    """The plan of the start of *spawner*."""
    spawner.user_options = dict(options)
    await spawner.apply_profile(spawner.user_options)
    await spawner.choosing.overrides.call(spawner.functions())
    configured = spawner.configured(Pool(spawner.config, logging.getLogger("test")))
    return plan.make(spawner, configured)


def the(kind: str, objects: list[Manifest]) -> Manifest:
    """The only object of *kind*."""
    (found,) = [manifest for manifest in objects if manifest["kind"] == kind]
    return found


def as_sent(model: Any) -> Manifest:
    """The object as KubeSpawner sends it."""
    sent: Manifest = ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), model)
    return sent


HUB = {"spawner_class": "mcks", "hub_connect_url": "https://hub.example.org"}
"""What every hub says; a check warns without it."""
UNSWITCHED = {"c": {"context": "x", "ingress_public_url": "http://192.0.2.1"}}


def without_switch(**values: Any) -> Config:
    """A configuration in which nobody reads ``c.KubeSpawner``."""
    config = Config()
    config.MultiClusterKubeSpawner.clusters = UNSWITCHED
    config.MultiClusterKubeSpawner.update(values)
    return config
