"""The command ``mcks``: what an administrator asks outside the hub; answers are made elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from traitlets import TraitError

from mcks._version import __version__
from mcks.backends import registry
from mcks.core.commands import (
    check,
    configuration,
    drain,
    gc,
    rbac,
    render,
    standard_output,
    token,
)
from mcks.core.trying import cluster_check
from mcks.errors import MCKSError, without_value

_ENDED = 128
"""What a shell adds to the signal that ended a program."""
_NOBODY_READS = _ENDED + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``mcks ARGV...``; return the exit code: 0 fine, 1 problems found, 2 wrong usage.

    It is 141, as for what SIGPIPE ends, if nobody reads the answer any more (``mcks ... | head``),
    and 130 or 143 if it is interrupted or terminated, when what it made has been taken out again.
    """
    try:
        arguments = _parser().parse_args(argv)
    finally:
        standard_output.flush()
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        with standard_output.reserved() as arguments.answer:
            code: int = arguments.run(arguments)
    except (MCKSError, TraitError) as exc:
        sys.stderr.write(f"mcks: {without_value(exc)}\n")
        return 1
    except BrokenPipeError:
        return _NOBODY_READS
    except KeyboardInterrupt:
        return _ENDED + signal.SIGINT
    except asyncio.CancelledError:
        return _ENDED + signal.SIGTERM
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcks", description="One JupyterHub, many Kubernetes clusters."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_check(commands)

    rendering = commands.add_parser(
        "render", help="print the objects that a server would get, without any cluster"
    )
    _add_config(rendering)
    _add_groups(rendering)
    rendering.add_argument("--user", required=True, help="name of a user, who need not exist")
    rendering.add_argument("--server", default="", help="name of a named server")
    rendering.add_argument(
        "--profile", default="", help="slug of a profile; the default one if unset"
    )
    rendering.add_argument(
        "--option", action="append", default=[], metavar="K=V", help="an entry of user_options"
    )
    rendering.add_argument(
        "--diff", action="store_true", help="show what each patch changes instead"
    )
    rendering.set_defaults(run=render.run)

    _add_convert(commands)

    minting = commands.add_parser(
        "token", help="print an ExecCredential for kubectl, which holds a secret"
    )
    minting.add_argument("cluster", metavar="CLUSTER", help="one of the configured clusters")
    minting.add_argument("--show", action="store_true", help="print it even to a terminal")
    _add_config(minting)
    minting.set_defaults(run=token.run)

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
    collecting.set_defaults(run=gc.run)

    _add_drain(commands)

    role = commands.add_parser("rbac", help="print the least Role that the hub's identity needs")
    role.add_argument(
        "cluster", nargs="?", metavar="CLUSTER", help="take the namespace of this cluster"
    )
    _add_config(role)
    role.add_argument("--namespace", help="where the servers live (default: default)")
    role.add_argument("--name", default="jupyterhub-mcks", help="name of Role and RoleBinding")
    role.add_argument(
        "--classes", action="store_true", help="and what lets `mcks check` see classes and Gateways"
    )
    who = role.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", help="a user name as the cluster sees it")
    who.add_argument("--group", help="a group as the cluster sees it")
    who.add_argument("--serviceaccount", metavar="NAMESPACE:NAME", help="a ServiceAccount")
    role.set_defaults(run=rbac.run)

    backends = commands.add_parser("backends", help="list the installed backends")
    backends.set_defaults(run=_backends)
    return parser


def _add_convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    converting = commands.add_parser(
        "convert", help="print in mcks' own words what a configuration says in KubeSpawner's"
    )
    source = converting.add_mutually_exclusive_group()
    _add_config(source)
    source.add_argument("--values", metavar="FILE", help="values of Zero to JupyterHub instead")
    converting.add_argument(
        "--check", action="store_true", help="compare a sample user's objects instead"
    )
    converting.set_defaults(run=_convert)


def _add_drain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    draining = commands.add_parser(
        "drain", help="let no new servers start in a cluster; without one, list those drained"
    )
    draining.add_argument(
        "cluster", nargs="?", default="", metavar="CLUSTER", help="one of the configured clusters"
    )
    draining.add_argument("--reason", metavar="TEXT", help="a sentence that users read")
    draining.add_argument("--json", action="store_true", help="print the list as JSON")
    _add_config(draining)
    draining.set_defaults(run=drain.run)

    ending = commands.add_parser("undrain", help="let new servers start in a cluster again")
    ending.add_argument("cluster", metavar="CLUSTER", help="one of those that mcks drain lists")
    _add_config(ending)
    ending.set_defaults(run=drain.end)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    checking = commands.add_parser(
        "check", help="list all mistakes of a configuration, and try to log in to its clusters"
    )
    checking.add_argument("clusters", nargs="*", metavar="CLUSTER", help="ask only these clusters")
    checking.add_argument("--offline", action="store_true", help="ask no cluster")
    checking.add_argument(
        "--start",
        action="store_true",
        help="also start a server for a moment, and look from inside",
    )
    checking.add_argument(
        "--image", default="", help="for --start: an image with python3 instead of the profile's"
    )
    shown = checking.add_mutually_exclusive_group()
    shown.add_argument(
        "--format",
        choices=check.FORMATS,
        default="text",
        help="text (a table on a terminal), json, or github: annotations of a workflow",
    )
    shown.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help="the same as --format json",
    )
    checking.add_argument("--strict", action="store_true", help="let warnings fail, too")
    checking.add_argument(
        "--timeout",
        type=float,
        default=cluster_check.DEADLINE,
        metavar="SECONDS",
        help="for each cluster",
    )
    _add_config(checking)
    _add_groups(checking)
    checking.set_defaults(run=check.run)


def _add_config(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup) -> None:
    parser.add_argument(
        "-f",
        "--config",
        default=configuration.usual_file(),
        metavar="FILE",
        help="JupyterHub's configuration (default: %(default)s)",
    )


def _add_groups(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="NAME",
        help="a group of the hub that the sample user is in; may be repeated",
    )


def _convert(arguments: argparse.Namespace) -> int:
    """Import what only this command needs."""
    from mcks.core.commands import convert  # noqa: PLC0415

    return convert.run(arguments)


def _backends(arguments: argparse.Namespace) -> int:
    for name, origin in registry.installed().items():
        cls = registry.backend_class(name)
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        arguments.answer.write(f"{name} ({origin}): {summary}\n")
        for setting, help_text in cls.settings().items():
            arguments.answer.write(f"    {setting}: {help_text}\n")
    return 0
