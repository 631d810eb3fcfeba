"""Writes what a hub has saved of servers that run, for scale_hub.

``python -m tests.bench.scale_database KIND DIRECTORY SERVERS``; KIND is that of scale_hub. It is a
process of its own, because memory that was taken once is used again: a hub that wrote all of it
would seem to need less for what comes then.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jupyterhub import orm
from sqlalchemy.orm import Session

from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State
from tests.bench import scale_kubespawner
from tests.bench.scale_api import NAMESPACE, key


@contextmanager
def database(directory: Path) -> Iterator[Session]:
    """The hub's database, a file in *directory*."""
    factory = orm.new_session_factory(f"sqlite:///{directory / 'hub.sqlite'}")
    session = factory()
    yield session
    session.close()
    session.get_bind().dispose()


def row(number: int, gateways: Sequence[str]) -> orm.Spawner:
    """One server, in the clusters in turn."""
    name, cluster = f"user-{number}", number % len(gateways)
    created = Created(key(name), NAMESPACE, "h", {"Pod": f"pod-{key(name)}"})
    running = State(created, f"c{cluster}", gateways[cluster], profile=f"profile-{cluster}")
    port = int(gateways[cluster].rpartition(":")[2])
    server = orm.Server(
        proto="https", ip="127.0.0.1", port=port, base_url=f"/user/{name}/", cookie_name=name
    )
    return orm.Spawner(
        user=orm.User(name=name),
        name="",
        state=state.save(running),
        user_options={"profile": running.profile},
        server=server,
    )


def main(kind: str, directory: Path, servers: int) -> None:
    """Write all of it."""
    gateways = list(json.loads((directory / "world.json").read_text()).values())
    theirs = kind == "kubespawner"
    with database(directory) as session:
        session.add_all(
            scale_kubespawner.row(n) if theirs else row(n, gateways) for n in range(servers)
        )
        session.commit()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # how a database is made
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
