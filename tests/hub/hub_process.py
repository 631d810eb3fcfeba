"""JupyterHub's bookkeeping of users and servers in a database, without web server and proxy.

It can be killed and begun anew within a test. What clusters hold (servers.py), and a whole hub
with a proxy (hubs.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Hub
from jupyterhub.user import User, UserDict
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from traitlets.config import Config

from mcks.core.clusters.pool import Pool
from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import fleet_of
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.hub.hubs import HUB_6

_LOG = logging.getLogger("jupyterhub")


class HubProcess:
    """The part of a hub that calls spawners and saves what they say: JupyterHub's own code.

    Only what its web handlers do around that (``begin``, ``stop``, ``delete_*``) is told again
    here. Use ``running``.
    """

    def __init__(self, config: Config, database: Path) -> None:
        self.config = config
        self._engine = create_engine(f"sqlite:///{database}")
        orm.Base.metadata.create_all(self._engine)
        self.session = Session(self._engine)
        self._prepare()
        hub = Hub(ip="127.0.0.1", port=8081, base_url="/hub/", public_host="")
        settings = {
            "spawner_class": MultiClusterKubeSpawner,
            "config": config,
            "hub": hub,
            "allow_named_servers": True,
            "statsd": Mock(),  # JupyterHub 5 counts failures there
        }
        self.users = UserDict(lambda: self.session, settings)
        self.adoption = asyncio.create_task(self._adopt())
        """Ends when it is known of each server whether it runs still."""

    def _prepare(self) -> None:
        """What a hub writes into a new database."""
        if orm.Role.find(self.session, "server") is None:
            for role in roles.get_default_roles():
                roles.create_role(self.session, role)
            self.session.add(orm.OAuthClient(identifier="jupyterhub"))
            self.session.add(orm.User(name="operator"))
            self.session.commit()

    async def _adopt(self) -> None:
        async def nothing(*_: Any) -> None:
            """There is no proxy."""

        app: Any = SimpleNamespace(
            log=_LOG,
            log_level=logging.INFO,
            db=self.session,
            users=self.users,
            authenticator=SimpleNamespace(blocked_users=set()),
            proxy=SimpleNamespace(delete_user=nothing),
        )
        await JupyterHub.init_spawners(app)

    def user(self, name: str) -> User:
        """Return the user of that name, added if need be."""
        row = self.session.query(orm.User).filter_by(name=name).one_or_none()
        if row is None:
            row = orm.User(name=name)
            self.session.add(row)
            self.session.commit()
            roles.assign_default_roles(self.session, row)
        return self.users[row]

    def spawner(self, user: str, server: str = "") -> MultiClusterKubeSpawner:
        """Return the spawner that the hub would ask now; one that failed is replaced."""
        owner = self.user(user)
        if HUB_6:
            owner.get_or_create_spawner(server, server, replace_failed=True)
        else:
            owner.get_spawner(server, replace_failed=True)
        spawner: MultiClusterKubeSpawner = owner.spawners[server]
        spawner.poll_interval = 0
        return spawner

    def begin(
        self, user: str, server: str = "", options: Mapping[str, Any] | None = None
    ) -> asyncio.Task[Any]:
        """Begin to start a server that is not active, with what its user has chosen."""
        spawner = self.spawner(user, server)
        assert not spawner.active
        task = asyncio.create_task(self.user(user).spawn(server, options=options))
        spawner._spawn_pending, spawner._spawn_future = True, task

        def done(spawn: asyncio.Task[Any]) -> None:
            if spawn.cancelled() or spawn.exception() is None:
                spawner._spawn_future = None
            spawner._spawn_pending = False

        task.add_done_callback(done)
        return task

    async def stop(self, user: str, server: str = "") -> bool:
        """Stop a server, or its start; return whether the hub would have listened."""
        spawner = self.spawner(user, server)
        if spawner.pending == "spawn":
            spawn = spawner._spawn_future
            spawn.cancel()
            await asyncio.wait({spawn})
            await asyncio.sleep(0)  # for who waits for the same
        if spawner.pending or not spawner.ready:
            return False
        await self.user(user).stop(server)
        return True

    async def delete_server(self, user: str, server: str) -> None:
        """Delete a stopped named server."""
        owner = self.user(user)
        spawner = self.spawner(user, server)
        await owner._delete_spawner(spawner)
        self.session.delete(spawner.orm_spawner)
        owner.spawners.pop(server, None)
        self.session.commit()

    async def delete_user(self, name: str) -> None:
        """Delete a user whose servers are stopped."""
        owner = self.user(name)
        await owner.delete_spawners()
        self.users.delete(owner)

    @property
    def fleet(self) -> Fleet:
        """What this hub's spawners share."""
        return fleet_of(self.user("operator").spawners[""])

    @property
    def pool(self) -> Pool:
        """This hub's clusters."""
        return self.fleet.pool

    async def kill(self) -> None:
        """End at once, as far as the cluster and the database can tell: nothing is cleaned up."""
        tasks = {self.adoption}
        for user in list(self.users.values()):
            for spawner in list(user.spawners.values()):
                spawner.removal.complete = _nothing
                tasks |= {t for t in (spawner._spawn_future, spawner.removal.task) if t is not None}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.fleet.close()
        self.session.close()
        self._engine.dispose()


async def _nothing(within: float | None = None) -> None:
    """What a killed process does."""


@contextlib.asynccontextmanager
async def running(config: Config, database: Path) -> AsyncIterator[list[HubProcess]]:
    """One hub process; who kills it puts the next one in its place in the list."""
    hubs = [HubProcess(config, database)]
    try:
        yield hubs
    finally:
        await hubs[0].kill()
