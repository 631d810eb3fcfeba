"""One fresh process of bench_before: imports the spawner of the tree in its working directory.

It prints a line of JSON. It knows as little as it can of what is inside mcks, because the other
tree may be an older one.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import statistics
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupyterhub.app
import jupyterhub.spawner
from jupyterhub import orm
from jupyterhub.objects import Hub
from traitlets.config import Config

STARTS = 300
_WARM = 20


def imported() -> tuple[Any, float]:
    """The module of the spawner, and the CPU milliseconds that its import took in a hub."""
    gc.collect()
    began = time.process_time()
    module = importlib.import_module("mcks.core.spawner")
    took = (time.process_time() - began) * 1e3
    assert Path(str(module.__file__)).is_relative_to(Path.cwd()), module.__file__
    return module, took


def planning(module: Any) -> float:
    """CPU milliseconds of the planning of one start, warm: the median of many users."""
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "a": {
            "context": "a",
            "namespace": "servers",
            "ingress_public_url": "https://gateway.example.org",
        }
    }
    nested = (Path(str(module.__file__)).parent / "servers").exists()
    plan = importlib.import_module(f"mcks.core.{'servers.' if nested else ''}plan")
    pool = importlib.import_module(f"mcks.core.{'clusters.' if nested else ''}pool")
    users = [_spawner(module.MultiClusterKubeSpawner, config, f"user{n}") for n in range(STARTS)]
    configured = users[0].configured(pool.Pool(config, logging.getLogger("bench")))
    times = []
    for spawner in users:
        began = time.process_time_ns()
        plan.make(spawner, configured)
        times.append(time.process_time_ns() - began)
    return statistics.median(times[_WARM:]) / 1e6


def _spawner(cls: Any, config: Config, name: str) -> Any:
    prefix = f"/user/{name}/"
    user = SimpleNamespace(
        name=name, id=1, url=prefix, escaped_name=name, state={}, groups=[], db=None, orm_user=None
    )
    row = orm.Server(proto="http", ip="192.0.2.1", port=8888, base_url=prefix, cookie_name="")
    return cls(
        user=user,
        orm_spawner=SimpleNamespace(name="", server=row, state={}, user_options={}, user=user),
        hub=Hub(ip="127.0.0.1", port=8081, base_url="/hub/", public_host=""),
        config=config,
        proxy_spec=prefix,
        oauth_client_id=f"jupyterhub-user-{name}",
        _deprecated_db_session=None,
    )


if __name__ == "__main__":
    assert jupyterhub.app
    spawner_module, import_ms = imported()
    figures = {
        "import of the spawner in a hub, CPU, ms": import_ms,
        "planning of a start, CPU, ms": planning(spawner_module),
    }
    print(json.dumps(figures))
