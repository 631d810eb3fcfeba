"""The hub's configuration as a command reads it, and a sample spawner of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

from jupyterhub import orm
from jupyterhub.objects import Hub, Server
from jupyterhub.utils import url_escape_path, url_path_join
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError


def load(arguments: argparse.Namespace) -> Config:
    """Read the file that ``--config`` names. Raises MCKSError if there is none."""
    path = Path(arguments.config)
    if not path.is_file():
        raise MCKSError(f"there is no configuration {path}: name it with -f FILE")
    config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    return config


def sample_spawner(
    config: Config, username: str, profile: str = "", servername: str = ""
) -> MultiClusterKubeSpawner:
    """Make a spawner for a user who need not exist, to look at what it would do."""
    escaped = url_escape_path(username)
    base_url = _base_url(config)
    url = f"{base_url}user/{escaped}/"
    prefix = url + (f"{url_escape_path(servername)}/" if servername else "")
    user: Any = SimpleNamespace(
        name=username, id=1, url=url, escaped_name=escaped, state={}, groups=[]
    )
    user.db = user.orm_user = None
    hub = Hub(ip="127.0.0.1", port=8081, base_url=f"{base_url}hub/", public_host="")
    spawner = MultiClusterKubeSpawner(
        user=user,
        hub=hub,
        config=config,
        proxy_spec=prefix,
        oauth_client_id=f"jupyterhub-user-{quote(username)}",
        _deprecated_db_session=None,
    )
    spawner.api_token = "a-dummy-token"  # noqa: S105 (shown instead of a real one)
    row = orm.Server(proto="http", ip="", port=0, base_url=prefix, cookie_name="")
    if servername:
        spawner.orm_spawner = SimpleNamespace(name=servername, server=row, state={})
    spawner._server = Server(orm_server=row)
    spawner.user_options = {"profile": profile} if profile else {}
    return spawner


def _base_url(config: Config) -> str:
    """Where the hub is below its host: ``base_url``, else the path of ``bind_url``, else ``/``."""
    hub = config.JupyterHub
    path = hub.get("base_url") or urlsplit(hub.get("bind_url", "")).path
    return str(url_path_join("/", path, "/"))
