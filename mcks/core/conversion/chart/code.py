"""Runs the Python in a release's values as the hub does: files of its configuration, and pieces.

What the values say beside it (`configuration`) does not belong here.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from traitlets.config import Config

from mcks.core.conversion.chart.defaults import NAME
from mcks.core.conversion.chart.values import Values
from mcks.errors import ConfigError

_MODULE = "z2jh"
"""What the code may import: the chart's own helpers."""
_DIRECTORY = "/usr/local/etc/jupyterhub/jupyterhub_config.d"
"""Where the hub's Pod has files of its configuration, which run before the pieces."""
_IMPORTS = """
import glob, os, re, sys
from jupyterhub.utils import url_path_join
from kubernetes_asyncio import client
from tornado.httpclient import AsyncHTTPClient
"""
"""What the chart's own configuration file imports, and code in values uses without another word."""
_INSTEAD = "run `mcks convert` in the hub's Pod, without --values"


def run(c: Config, values: Values) -> Iterator[str]:
    """Run all code on *c*; yield a sentence for each that cannot run here."""
    yield from _out_of_reach(values)
    code = {**_files(values), **_pieces(values)}
    if not code:
        return
    with _helpers(values) as helpers:
        namespace: dict[str, Any] = {"c": c, **helpers, **_variables(c)}
        exec(_IMPORTS, namespace)  # noqa: S102
        for where, text in code.items():
            if problem := _run(where, text, namespace):
                lost = "so what it says is not converted"
                yield f"{where} cannot run here ({problem}), {lost}: {_INSTEAD}"


def _run(where: str, text: str, namespace: dict[str, Any]) -> str:
    """Run *text*; say in a few words why it failed, empty if it did not."""
    try:
        exec(compile(text, where, "exec"), namespace)  # noqa: S102
    except (Exception, SystemExit) as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""


def _pieces(values: Values) -> dict[str, str]:
    pieces = values.get("hub.extraConfig") or {}
    if not isinstance(pieces, Mapping):
        raise ConfigError("hub.extraConfig must be a mapping of names to Python code")
    return {f"hub.extraConfig[{key!r}]": str(text) for key, text in sorted(pieces.items())}


def _files(values: Values) -> dict[str, str]:
    """Return the files of the configuration that the values themselves contain."""
    found = {
        str(said.get("mountPath")): (f"hub.extraFiles[{key!r}]", _text(said))
        for key, said in (values.get("hub.extraFiles") or {}).items()
        if isinstance(said, Mapping)
    }
    return dict(
        found[path]
        for path in sorted(found)
        if path.startswith(f"{_DIRECTORY}/") and path.endswith(".py")
    )


def _text(said: Mapping[str, Any]) -> str:
    if "binaryData" in said:
        return base64.b64decode(str(said["binaryData"])).decode()
    return str(said.get("stringData", ""))


def _out_of_reach(values: Values) -> Iterator[str]:
    """Tell of configuration that is mounted from elsewhere."""
    mounts = values.get("hub.extraVolumeMounts")
    for mount in mounts.values() if isinstance(mounts, Mapping) else mounts or ():
        if str(mount.get("mountPath")).startswith(_DIRECTORY):
            yield (
                f"hub.extraVolumeMounts: what is mounted at {mount['mountPath']} is configuration "
                f"that the values do not contain, so it is not converted: {_INSTEAD}"
            )


def _variables(c: Config) -> dict[str, Any]:
    """Return variables of the chart's own file that code in values adds to."""
    names = ("common_labels", "image_pull_secrets", "tolerations", "volumes", "volume_mounts")
    return {name: c.KubeSpawner[name] for name in names if name in c.KubeSpawner} | {
        "chart_name": NAME,
        "release": None,
    }


@contextmanager
def _helpers(values: Values) -> Iterator[dict[str, Any]]:
    """Let the chart's helper module be imported meanwhile, and give what is in it."""
    helpers = _functions(values)
    module = ModuleType(_MODULE)
    vars(module).update(helpers)
    before = sys.modules.get(_MODULE)
    sys.modules[_MODULE] = module
    try:
        yield helpers
    finally:
        if before is None:
            del sys.modules[_MODULE]
        else:
            sys.modules[_MODULE] = before


def _functions(values: Values) -> dict[str, Any]:
    def set_config_if_not_none(parent: Config, name: str, path: str) -> None:
        if (said := values.get(path)) is not None:
            parent[name] = said

    def get_name_env(name: str, suffix: str = "") -> str:
        return os.environ[f"{values.name(name)}{suffix}".upper().replace("-", "_")]

    def get_secret_value(key: str, *default: Any) -> Any:
        if (said := values.get(key)) is None and not default:
            raise KeyError(f"{key} of the chart's Secret")
        return said if said is not None else default[0]

    return {
        "get_config": values.get,
        "get_name": values.name,
        "get_name_env": get_name_env,
        "get_secret_value": get_secret_value,
        "set_config_if_not_none": set_config_if_not_none,
    }
