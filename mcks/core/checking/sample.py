"""A hub that does not run, and sample spawners of it, of a configuration.

Reading the file, and what is looked at, does not belong here.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import sys
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlparse

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Server
from jupyterhub.spawner import Spawner
from jupyterhub.traitlets import EntryPointType
from jupyterhub.user import User
from jupyterhub.utils import url_escape_path, url_path_join, utcnow
from traitlets import HasTraits, TraitError
from traitlets.config import Config, Configurable

from mcks.core.administrator.functions import ask_now, failure
from mcks.core.hub import pod_hooks
from mcks.core.kubespawner.words import KubeSpawnerWords
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, FunctionFailed, MCKSError

_Answer = TypeVar("_Answer")
_ADDRESSES = (
    *("ip", "port", "base_url", "bind_url", "public_url", "ssl_key", "ssl_cert"),
    *("subdomain_host", "subdomain_hook", "domain", "internal_ssl"),
    *("hub_ip", "hub_port", "hub_bind_url", "hub_routespec"),
    *("hub_connect_ip", "hub_connect_port", "hub_connect_url", "cookie_host_prefix_enabled"),
)
"""What says where the hub is. The rest (authenticator, proxy, ...) may not even be installed."""


class _SpawnerType(EntryPointType):  # type: ignore[misc]
    """As JupyterHub's own, but what all packages say is read once, not for each value."""

    _path: tuple[str, ...] = ()
    _installed: Mapping[str, Any] = {}

    def load_entry_points(self) -> Mapping[str, Any]:
        path = tuple(sys.path)
        if self._path != path:
            self._path, self._installed = path, super().load_entry_points()
        return self._installed


class _Hub(HasTraits):
    """Reads what says which spawner there is as the hub does."""

    spawner_class = _SpawnerType(
        MultiClusterKubeSpawner, klass=Spawner, entry_point_group="jupyterhub.spawners"
    )


def spawner_class(config: Config) -> type[MultiClusterKubeSpawner]:
    """Return ``c.JupyterHub.spawner_class`` if it is one of ours, else MultiClusterKubeSpawner.

    Raises ConfigError if it cannot be imported.
    """
    chosen = configured_spawner(config)
    return chosen if issubclass(chosen, MultiClusterKubeSpawner) else MultiClusterKubeSpawner


def is_ours(config: Config) -> bool:
    """Tell whether the hub of *config* runs a spawner of ours; another may not even be here."""
    try:
        return issubclass(configured_spawner(config), MultiClusterKubeSpawner)
    except ConfigError:
        return False


def configured_spawner(config: Config) -> type[Spawner]:
    """Return the spawner that the hub would use. Raises ConfigError if it cannot be imported."""
    said = config.JupyterHub.get("spawner_class", Spawner)
    try:
        chosen: type[Spawner] = _Hub(spawner_class=said).spawner_class
    except (TraitError, ImportError) as exc:
        raise ConfigError(f"c.JupyterHub.spawner_class: {exc}") from exc
    return chosen


def sections(cls: type[MultiClusterKubeSpawner]) -> list[str]:
    """Return the names under which an administrator may configure *cls*, but for ``Spawner``."""
    common = set(Spawner.mro())
    return [c.__name__ for c in cls.mro() if issubclass(c, Configurable) and c not in common]


class Sample:
    """A hub of *config* that does not run, with a user who need not exist.

    The user is JupyterHub's own kind, without a database: a member of *groups*, no administrator,
    without auth_state. Another one has another *userid*.
    """

    def __init__(
        self,
        config: Config,
        username: str = "ada",
        groups: Iterable[str] = (),
        *,
        cls: type[MultiClusterKubeSpawner] | None = None,
        userid: int = 1,
    ) -> None:
        self.config = config
        self.spawner_class = cls or spawner_class(config)
        self._username, self._userid = username, userid
        self._groups = tuple(groups)
        self._settings = _settings(config)

    def beside(
        self, config: Config, username: str, groups: Iterable[str] = (), *, userid: int = 1
    ) -> Sample:
        """Make a sample of the same hub, of which *config* must say the same."""
        other = copy.copy(self)
        other.config = config
        other._username, other._userid = username, userid
        other._groups = tuple(groups)
        other._settings = {**self._settings, "config": config}
        return other

    def spawner(self, profile: str = "", servername: str = "") -> MultiClusterKubeSpawner:
        """Make the user's spawner, to look at what it would do. Raises TraitError."""
        user = self._user(servername)
        spawner: MultiClusterKubeSpawner = user._new_spawner(servername, self.spawner_class)
        spawner.api_token = "a-dummy-token"  # noqa: S105 (shown instead of a real one)
        base_url = url_path_join(user.base_url, url_escape_path(servername), "/")
        row = orm.Server(proto="http", ip="", port=0, base_url=base_url, cookie_name="")
        spawner.server = Server(orm_server=row)
        spawner.user_options = {"profile": profile} if profile else {}
        return spawner

    @staticmethod
    def hub_traits() -> set[str]:
        """Name what ``c.JupyterHub`` may say."""
        return set(JupyterHub.class_trait_names(config=True))

    def hub_listens_at(self) -> str:
        """Return the URL of the hub's API that servers are told if nobody says another."""
        return str(self._settings["hub"].api_url)

    def _user(self, servername: str) -> Any:
        groups = [orm.Group(name=name, properties={}) for name in self._groups]
        row = orm.User(
            name=self._username, admin=False, created=utcnow(with_tz=False), groups=groups
        )
        row.id = self._userid
        for name in {"", servername}:
            row._orm_spawners.append(orm.Spawner(name=name, state={}, user_options={}))
        return User(row, self._settings)


def _settings(config: Config) -> dict[str, Any]:
    """What JupyterHub tells its users and spawners of itself."""
    said = {name: config.JupyterHub[name] for name in _ADDRESSES if name in config.JupyterHub}
    quiet = logging.getLogger("mcks.sample")  # the hub itself tells what is deprecated
    quiet.propagate, quiet.disabled = False, True
    classes = [JupyterHub]  # by itself it would look for all authenticators, proxies and spawners
    hub = JupyterHub(config=Config({"JupyterHub": said}), log=quiet, classes=classes)
    hub.init_hub()
    return {
        "config": config,
        "hub": hub.hub,
        "base_url": hub.base_url,
        "public_url": urlparse(hub.public_url) if hub.public_url else "",
        "subdomain_host": hub.subdomain_host,
        "subdomain_hook": hub.subdomain_hook,
        "domain": hub.domain,
        "internal_ssl": hub.internal_ssl,
        "internal_trust_bundles": {},
        "internal_certs_location": hub.internal_certs_location,
        "cookie_host_prefix_enabled": hub.cookie_host_prefix_enabled,
    }


def sample_spawner(
    config: Config,
    username: str,
    profile: str = "",
    servername: str = "",
    groups: Iterable[str] = (),
) -> MultiClusterKubeSpawner:
    """Make one spawner of a `Sample`."""
    return Sample(config, username, groups).spawner(profile, servername)


def without_failing(spawner: MultiClusterKubeSpawner) -> list[str]:
    """Put the answers of functions into ``environment``, leave out those that fail, tell which.

    For a function may want what only a real user has, such as what a log-in brought. Raises
    ConfigError for what cannot work for anybody.
    """
    failures: list[str] = []
    answers: dict[str, Any] = {}
    for name, value in spawner.environment.items():
        where = f"environment[{name!r}]"
        try:
            answers[name] = ask_now(value, spawner, where) if callable(value) else value
        except ConfigError:
            raise
        except FunctionFailed as exc:
            failures.append(str(exc))
        except Exception as exc:  # a refusal with the function's own words
            failures.append(f"{where}: {failure(value, exc)}")
    spawner.environment = answers
    return failures + _words_without_failing(spawner)


def hooked(spawner: MultiClusterKubeSpawner, planned: Plan) -> tuple[Plan, str]:
    """Return *planned* as ``modify_pod_hook`` leaves it, or unchanged and why the hook fails.

    Raises ConfigError for a Pod that cannot be a server's.
    """
    hook = spawner.pod_hook(pod_hooks.MODIFY)
    if hook is None:
        return planned, ""
    try:
        return _run(pod_hooks.modified(spawner, planned)), ""
    except FunctionFailed as exc:
        return planned, str(exc)
    except MCKSError:
        raise
    except Exception as exc:  # a refusal with the hook's own words
        return planned, f"{pod_hooks.MODIFY}: {failure(hook, exc)}"


def _run(asking: Coroutine[Any, Any, _Answer]) -> _Answer:
    with ThreadPoolExecutor(1) as thread:  # where no event loop runs yet
        return thread.submit(asyncio.run, asking).result()


def _words_without_failing(spawner: MultiClusterKubeSpawner) -> list[str]:
    """Do the same with KubeSpawner's words that are functions; they may be async."""
    failures: list[str] = []
    for name, function in spawner.functions().items():
        calling = spawner.choosing.overrides.call({name: function})
        try:
            _run(calling)
        except FunctionFailed as exc:
            failures.append(str(exc))
        except Exception as exc:  # a refusal with the function's own words
            failures.append(f"{name}: {failure(function, exc)}")
        if callable(getattr(spawner, name)):
            setattr(spawner, name, KubeSpawnerWords.class_traits()[name].default(spawner))
    return failures
