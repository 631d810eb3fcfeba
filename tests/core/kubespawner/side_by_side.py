"""The installed KubeSpawner's Pods and claims beside those of the translation, in one form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.objects import Manifest

USER = "Ada.Lovelace@example.org"


def theirs(values: dict[str, Any], username: str = USER, servername: str = "") -> Any:
    """KubeSpawner for a user, with *values* as its configuration says."""
    user = SimpleNamespace(name=username, id=7, url="/user/x/", escaped_name="x")
    hub = SimpleNamespace(
        public_host="", url="http://hub", base_url="/hub/", api_url="http://hub/api"
    )
    row = SimpleNamespace(name=servername, server=None, state=None)
    config = Config(KubeSpawner=values)
    with (
        mock.patch("kubespawner.spawner.load_config"),
        mock.patch("kubespawner.spawner.shared_client"),
    ):
        return KubeSpawner(_mock=True, user=user, hub=hub, config=config, orm_spawner=row)


def as_sent(model: Any) -> Manifest:
    """The object as KubeSpawner sends it."""
    sent: Manifest = ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), model)
    return sent
