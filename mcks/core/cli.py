"""The command ``mcks``: what an administrator asks outside the hub; answers are made elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from mcks._version import __version__
from mcks.backends import registry
from mcks.core import plan, rbac
from mcks.core.config_check import problems, sample_spawner
from mcks.core.levels import merge_levels
from mcks.core.objects import Manifest, ref
from mcks.core.pool import Pool
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``mcks ARGV...``; return the exit code: 0 fine, 1 problems found, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        code: int = arguments.run(arguments)
    except MCKSError as exc:
        sys.stderr.write(f"mcks: {exc}\n")
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcks", description="One JupyterHub, many Kubernetes clusters."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="list all mistakes of a configuration")
    check.add_argument("--offline", action="store_true", required=True, help="ask no cluster")
    _add_config(check)
    check.set_defaults(run=_check)

    render = commands.add_parser(
        "render", help="print the objects that a server would get, without any cluster"
    )
    _add_config(render)
    render.add_argument("--user", required=True, help="name of a user, who need not exist")
    render.add_argument("--server", default="", help="name of a named server")
    render.add_argument("--profile", default="", help="slug of a profile; the default one if unset")
    render.add_argument(
        "--option", action="append", default=[], metavar="K=V", help="an entry of user_options"
    )
    render.add_argument("--diff", action="store_true", help="show what each patch changes instead")
    render.set_defaults(run=_render)

    role = commands.add_parser("rbac", help="print the least Role that the hub's identity needs")
    role.add_argument("--namespace", default="default", help="where the servers live")
    role.add_argument("--name", default="jupyterhub-mcks", help="name of Role and RoleBinding")
    who = role.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", help="a user name as the cluster sees it")
    who.add_argument("--group", help="a group as the cluster sees it")
    who.add_argument("--serviceaccount", metavar="NAMESPACE:NAME", help="a ServiceAccount")
    role.set_defaults(run=_rbac)

    backends = commands.add_parser("backends", help="list the installed backends")
    backends.set_defaults(run=_backends)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f",
        "--config",
        default="jupyterhub_config.py",
        metavar="FILE",
        help="JupyterHub's configuration (default: %(default)s)",
    )


def _load(arguments: argparse.Namespace) -> Config:
    path = Path(arguments.config)
    if not path.is_file():
        raise MCKSError(f"there is no configuration {path}: name it with -f FILE")
    config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    return config


def _check(arguments: argparse.Namespace) -> int:
    found = problems(_load(arguments))
    for problem in found:
        sys.stdout.write(f"- {problem}\n")
    sys.stdout.write(f"{len(found)} problem{'' if len(found) == 1 else 's'} found\n")
    return 1 if found else 0


def _render(arguments: argparse.Namespace) -> int:
    config = _load(arguments)
    spawner = sample_spawner(config, arguments.user, arguments.profile, arguments.server)
    spawner.user_options |= dict(_pair(option) for option in arguments.option)
    asyncio.run(spawner.apply_profile(spawner.user_options))
    configured = spawner.configured(Pool(config, logging.getLogger("mcks")))
    if arguments.diff:
        sys.stdout.write(_differences(spawner, configured))
    else:
        sys.stdout.write(_stream(plan.make(spawner, configured).objects))
    return 0


def _pair(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise MCKSError(f"--option {option!r} must be NAME=VALUE")
    return name, value


def _stream(objects: Sequence[Manifest]) -> str:
    text: str = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True)
    return text


def _differences(spawner: MultiClusterKubeSpawner, configured: Any) -> str:
    """Apply one patch more each time and compare."""
    patches = merge_levels(spawner.patches)
    applied: dict[str, str] = {}
    spawner.patches = {}
    before = {str(ref(m)): _stream([m]) for m in plan.make(spawner, configured).objects}
    parts: list[str] = []
    for key, patch in patches.items():
        applied[key] = patch
        spawner.patches = dict(applied)
        after = {str(ref(m)): _stream([m]) for m in plan.make(spawner, configured).objects}
        for name, text in after.items():
            parts += difflib.unified_diff(
                before.get(name, "").splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"{name} before patch {key!r}",
                f"{name} after patch {key!r}",
            )
        before = after
    return "".join(parts)


def _rbac(arguments: argparse.Namespace) -> int:
    if arguments.serviceaccount:
        namespace, _, name = arguments.serviceaccount.rpartition(":")
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace or "default"}
    else:
        kind, name = ("User", arguments.user) if arguments.user else ("Group", arguments.group)
        subject = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    sys.stdout.write(_stream(rbac.role_and_binding(arguments.name, arguments.namespace, subject)))
    return 0


def _backends(_: argparse.Namespace) -> int:
    for name, origin in registry.installed().items():
        cls = registry.backend_class(name)
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        sys.stdout.write(f"{name} ({origin}): {summary}\n")
        for setting, help_text in cls.settings().items():
            sys.stdout.write(f"    {setting}: {help_text}\n")
    return 0
