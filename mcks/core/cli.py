"""The command ``mcks``: what an administrator asks outside the hub; answers are made elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import logging
import sys
from collections.abc import Sequence
from typing import Any

import yaml
from traitlets.config import Config

from mcks._version import __version__
from mcks.auth.credential import Credential
from mcks.backends import registry
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.pool import Pool
from mcks.core.commands import check_report, cluster_check, gc, hub_role
from mcks.core.commands.config_check import problems
from mcks.core.commands.configuration import load, sample_spawner
from mcks.core.commands.subjects import subjects
from mcks.core.commands.token import asked_version, exec_credential
from mcks.core.hub import database
from mcks.core.hub.orphans import Known
from mcks.core.hub.sweep import MARGIN
from mcks.core.manifests.levels import merge_levels
from mcks.core.objects import Manifest, ref
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, MCKSError, UnknownCluster


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

    checking = commands.add_parser(
        "check", help="list all mistakes of a configuration, and try to log in to its clusters"
    )
    checking.add_argument("clusters", nargs="*", metavar="CLUSTER", help="ask only these clusters")
    checking.add_argument("--offline", action="store_true", help="ask no cluster")
    checking.add_argument("--json", action="store_true", help="print JSON")
    checking.add_argument(
        "--timeout",
        type=float,
        default=cluster_check.DEADLINE,
        metavar="SECONDS",
        help="for each cluster",
    )
    _add_config(checking)
    checking.set_defaults(run=_check)

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

    token = commands.add_parser(
        "token", help="print an ExecCredential for kubectl, which holds a secret"
    )
    token.add_argument("cluster", metavar="CLUSTER", help="one of the configured clusters")
    token.add_argument("--show", action="store_true", help="print it even to a terminal")
    _add_config(token)
    token.set_defaults(run=_token)

    collecting = commands.add_parser(
        "gc", help="list what is left in the clusters of servers that the hub does not know"
    )
    collecting.add_argument("clusters", nargs="*", metavar="CLUSTER", help="only these clusters")
    what = collecting.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="delete nothing (the default)")
    what.add_argument("--delete", action="store_true", help="delete it; needs hub_id")
    collecting.add_argument(
        "--data", action="store_true", help="with --delete: data of unknown users, too"
    )
    collecting.add_argument(
        "--older-than",
        type=float,
        metavar="SECONDS",
        help="leave alone what is younger (default: start_timeout and a minute)",
    )
    collecting.add_argument("--database", metavar="URL", help="default: c.JupyterHub.db_url")
    collecting.add_argument("--json", action="store_true", help="print JSON")
    _add_config(collecting)
    collecting.set_defaults(run=_collect)

    role = commands.add_parser("rbac", help="print the least Role that the hub's identity needs")
    role.add_argument(
        "cluster", nargs="?", metavar="CLUSTER", help="take the namespace of this cluster"
    )
    _add_config(role)
    role.add_argument("--namespace", help="where the servers live (default: default)")
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


def _check(arguments: argparse.Namespace) -> int:
    config = load(arguments)
    found = problems(config)
    if not arguments.json:
        sys.stdout.writelines(f"- {problem}\n" for problem in found)
        sys.stdout.write(f"{len(found)} problem{'' if len(found) == 1 else 's'} found\n")
    reports: list[check_report.Report] = []
    if not arguments.offline:
        reports = _ask(config, found, arguments)
    if arguments.json:
        sys.stdout.write(check_report.as_json(found, reports))
    elif not arguments.offline:
        sys.stdout.write("\n" + check_report.table(reports))
    return 0 if not found and all(report.ok for report in reports) else 1


def _ask(
    config: Config, found: Sequence[str], arguments: argparse.Namespace
) -> list[check_report.Report]:
    try:
        chosen = subjects(config, arguments.clusters)
    except UnknownCluster:
        raise
    except ConfigError:
        if found:
            return []  # it is one of the problems
        raise
    return asyncio.run(cluster_check.check(chosen, deadline=arguments.timeout))


def _token(arguments: argparse.Namespace) -> int:
    if sys.stdout.isatty() and not arguments.show:
        raise MCKSError("this would show a secret on the terminal: add --show if that is wanted")
    version = asked_version()
    configured = _configured(arguments)

    async def mint() -> Credential:
        try:
            return await configured.backend.credentials.get()
        finally:
            await configured.backend.close()

    sys.stdout.write(exec_credential(asyncio.run(mint()), version) + "\n")
    return 0


def _configured(arguments: argparse.Namespace) -> ConfiguredCluster:
    """Find the cluster that the command line names, as configured."""
    (subject,) = subjects(load(arguments), [arguments.cluster])
    return subject.configure(logging.getLogger("mcks"))


def _collect(arguments: argparse.Namespace) -> int:
    config = load(arguments)
    spawner = sample_spawner(config, "ada")
    if arguments.delete and not spawner.hub_id:
        raise ConfigError(
            "without c.MultiClusterKubeSpawner.hub_id this hub's servers cannot be told from "
            "another's: set it, or delete by hand what is listed without --delete"
        )
    patience = arguments.older_than
    if patience is None:
        patience = spawner.start_timeout + MARGIN
    wish = gc.Wish(spawner.hub_id, patience, arguments.delete, arguments.data)
    url = arguments.database or config.JupyterHub.get("db_url", "sqlite:///jupyterhub.sqlite")
    names = [subject.name for subject in subjects(config, arguments.clusters)]
    with database.opened(url) as session:
        known = database.known(session, spawner.hub_id)
    reports = asyncio.run(_collect_all(config, spawner.clusters, names, known, wish))
    show = gc.as_json if arguments.json else gc.table
    sys.stdout.write(show(reports))
    return 0 if all(report.clean for report in reports) else 1


async def _collect_all(
    config: Config, clusters: Any, names: Sequence[str], known: Known, wish: gc.Wish
) -> list[gc.Report]:
    pool = Pool(config, logging.getLogger("mcks"))
    try:
        return await asyncio.gather(
            *(gc.collect(name, pool.connect(name, clusters), known, wish) for name in names)
        )
    finally:
        await pool.close()


def _render(arguments: argparse.Namespace) -> int:
    config = load(arguments)
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
        place, _, name = arguments.serviceaccount.rpartition(":")
        subject = {"kind": "ServiceAccount", "name": name, "namespace": place or "default"}
    else:
        kind, name = ("User", arguments.user) if arguments.user else ("Group", arguments.group)
        subject = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    namespace: str | None = arguments.namespace or "default"
    if arguments.cluster and not arguments.namespace:
        namespace = _configured(arguments).namespace
    sys.stdout.write(_stream(hub_role.role_and_binding(arguments.name, namespace, subject)))
    return 0


def _backends(_: argparse.Namespace) -> int:
    for name, origin in registry.installed().items():
        cls = registry.backend_class(name)
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        sys.stdout.write(f"{name} ({origin}): {summary}\n")
        for setting, help_text in cls.settings().items():
            sys.stdout.write(f"    {setting}: {help_text}\n")
    return 0
