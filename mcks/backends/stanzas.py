"""Recognises log-in stanzas of kubeconfig users, so that they are served without running a program.

What each program's arguments mean is in `mcks.backends.programs`. Unknown plug-ins do not belong
here.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

from mcks.backends import programs
from mcks.backends.kubeconfig import Entry
from mcks.backends.native import Invocation, Known, NativeLogIn
from mcks.backends.variables import on_the_way
from mcks.errors import ConfigError


def recognise(user: Entry, hub: Mapping[str, str] = os.environ) -> NativeLogIn | None:
    """Say how mcks itself logs in *user*; None for a plug-in that it does not know.

    *hub* is the hub's environment, which the program would inherit. Raises `ConfigError` for a
    known one that cannot be served, or has options that would be lost.
    """
    stanza, provider = user.mapping("exec"), user.mapping("auth-provider")
    try:
        if stanza:
            return _of_exec(stanza, hub)
        if provider:
            return _of_provider(provider)
    except ConfigError as exc:
        raise ConfigError(f"{user}: {exc}") from exc
    return None


def base_name(command: str) -> str:
    """Give a command's name without folder and ``.exe``, written on any system."""
    name = PureWindowsPath(PurePosixPath(command).name).name
    return name[:-4] if name.lower().endswith(".exe") else name


def environment_of(stanza: Mapping[str, object]) -> dict[str, str]:
    """Give the variables that an exec stanza sets. Raises `ConfigError`."""
    variables = stanza.get("env") or []
    if not isinstance(variables, list) or not all(
        isinstance(v, dict) and isinstance(v.get("name"), str) and isinstance(v.get("value"), str)
        for v in variables
    ):
        raise ConfigError("exec.env must be a list of names and values (strings)")
    return {variable["name"]: variable["value"] for variable in variables}


def arguments_of(stanza: Mapping[str, object]) -> list[str]:
    """Give the arguments of an exec stanza. Raises `ConfigError`."""
    arguments = stanza.get("args") or []
    if not isinstance(arguments, list) or not all(isinstance(a, str) for a in arguments):
        raise ConfigError("exec.args must be a list of strings (quote numbers)")
    return arguments


def _of_exec(stanza: Mapping[str, object], hub: Mapping[str, str]) -> NativeLogIn | None:
    invocation = Invocation(arguments_of(stanza), environment_of(stanza), hub)
    read = _known().commands.get(base_name(str(stanza.get("command") or "")))
    login = None if read is None else read(invocation)
    return None if login is None else _warned(login, on_the_way(invocation.environment))


def _warned(login: NativeLogIn, ignored: Sequence[str]) -> NativeLogIn:
    if not ignored:
        return login
    way = f"{', '.join(ignored)} in exec.env: the hub's own proxy and CAs count instead"
    return replace(login, warning="; ".join(filter(None, (login.warning, way))))


def _of_provider(provider: Mapping[str, object]) -> NativeLogIn | None:
    read = _known().auth_providers.get(str(provider.get("name", "")))
    config = provider.get("config") or {}
    if read is None:
        return None
    if not isinstance(config, dict):
        raise ConfigError("auth-provider.config must be a mapping")
    return read(config)


@functools.cache
def _known() -> Known:
    """Put together what the modules of `mcks.backends.programs` read."""
    names = [module.name for module in pkgutil.iter_modules(programs.__path__)]
    found = [importlib.import_module(f"{programs.__name__}.{name}").KNOWN for name in names]
    return Known(
        {name: read for known in found for name, read in known.commands.items()},
        {name: read for known in found for name, read in known.auth_providers.items()},
    )
