"""Find all mistakes of a configuration at once, without any network.

How they are shown (exit codes, pages) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

from jupyterhub import orm
from jupyterhub.objects import Hub, Server
from jupyterhub.utils import url_escape_path, url_path_join
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from mcks.core import plan, pool, profiles, selection
from mcks.core.overrides import Overrides, check_names
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, MCKSError, unknown

SECTIONS = [
    cls.__name__
    for cls in MultiClusterKubeSpawner.mro()
    if cls.__module__ in ("mcks.core.spawner", "mcks.core.settings")
]
"""Names under which an administrator may configure the spawner."""


def problems(config: Config) -> list[str]:
    """Return a sentence for each mistake in *config*: where, what, and what to write instead.

    A profile list that is a function is not called: it would need a real user.
    """
    log = logging.getLogger("mcks.check")
    found: list[str] = list(_unknown_traits(config))
    try:
        spawner = sample_spawner(config, "ada")
    except (TraitError, TypeError) as exc:
        return [*found, str(exc)]
    for name in spawner.clusters:
        _note(found, partial(_cluster_problems, name, spawner, config, log))
    listed = spawner.profile_list
    if callable(listed):
        return found
    try:
        parsed = profiles.parse(listed)
    except ConfigError as exc:
        return [*found, str(exc)]
    for profile in parsed or [profiles.Profile("", "(no profile)")]:
        _note(found, partial(_profile_problems, profile, config, log))
    return list(dict.fromkeys(found))


def _note(found: list[str], check: Callable[[], list[str]]) -> None:
    try:
        found += check()
    except MCKSError as exc:
        found.append(str(exc))


def _cluster_problems(
    name: str, spawner: MultiClusterKubeSpawner, config: Config, log: logging.Logger
) -> list[str]:
    configured = pool.configure(name, spawner.clusters, config, log)
    return configured.backend.problems()


def _profile_problems(profile: profiles.Profile, config: Config, log: logging.Logger) -> list[str]:
    """Render what a sample user would get with *profile*; functions are left out."""
    check_names(profile, MultiClusterKubeSpawner)
    found: list[str] = []
    for options in each_choice_once(profile):
        _note(found, partial(_selection_problems, profile, options, config, log))
    return found


def each_choice_once(profile: profiles.Profile) -> Iterator[dict[str, str]]:
    """Yield user_options: the defaults, then each other choice beside the others' defaults."""
    yield {}
    for option in profile.options:
        for choice in option.choices:
            if not choice.default:
                yield {option.key: choice.key}


def _selection_problems(
    profile: profiles.Profile, options: dict[str, str], config: Config, log: logging.Logger
) -> list[str]:
    spawner = sample_spawner(config, "ada", profile.slug)
    chosen = selection.select([profile], {"profile": profile.slug, **options})
    spawner.choosing.options = chosen.options
    Overrides(spawner).apply_values(chosen.levels)
    configured = spawner.configured(pool.Pool(config, log))
    found = configured.backend.problems()
    try:
        plan.make(spawner, configured)
    except ConfigError as exc:
        said = "".join(f", {key} {value!r}" for key, value in options.items())
        place = f"profile {profile.slug!r}{said}: " if profile.slug else ""
        found.append(f"{place}{exc}")
    return found


def _unknown_traits(config: Config) -> Iterator[str]:
    """Traitlets only warns of these, in a log that few read."""
    names = set(MultiClusterKubeSpawner.class_trait_names(config=True))
    for section in SECTIONS:
        for key, value in (config.get(section) or {}).items():
            if key in names:
                continue
            if isinstance(value, LazyConfigValue | Config) and not value:
                continue
            yield f"c.{section}: {unknown('trait', key, names)}"


def sample_spawner(
    config: Config, username: str, profile: str = "", servername: str = ""
) -> MultiClusterKubeSpawner:
    """Make a spawner for a user who need not exist, to look at what it would do."""
    escaped = url_escape_path(username)
    base_url = _base_url(config)
    url = f"{base_url}user/{escaped}/"
    prefix = url + (f"{url_escape_path(servername)}/" if servername else "")
    user: Any = SimpleNamespace(name=username, id=1, url=url, escaped_name=escaped, state={})
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
