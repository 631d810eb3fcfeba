"""The command line of the local clusters: ``python -m tests.cluster up``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from tests.cluster import axe, browser, build, leftovers, local_set, locks, machine, proxy
from tests.cluster.cluster import ALIASES, COMPONENTS, LocalCluster
from tests.cluster.external import external_set
from tests.cluster.names import CLUSTERS, DEFAULT_SET

Command = Callable[[argparse.Namespace], int]


def _up(arguments: argparse.Namespace) -> int:
    found = local_set.up(arguments.set, keep=True)
    print(f"KUBECONFIG={found.kubeconfig}")
    for cluster in found:
        print(f"{cluster.context}: gateway {cluster.gateway_url}, API server {cluster.api_url}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    with build.step("taking the clusters down"):
        local_set.down(arguments.set)
    return _leftovers(arguments)


def _status(arguments: argparse.Namespace) -> int:
    found = local_set.existing(arguments.set)
    if found is None:
        print(f"no set {arguments.set}")
        return 1
    for cluster in found:
        stopped = cluster.stopped()
        state = f"stopped: {', '.join(stopped)}" if stopped else "all components run"
        serving = "serves" if cluster.healthy() else "does not serve"
        print(f"{cluster.context}: {serving}; {state}; gateway {cluster.gateway_url}")
    print(f"KUBECONFIG={found.kubeconfig}")
    return 0 if all(cluster.healthy() for cluster in found) else 1


def _install(arguments: argparse.Namespace) -> int:
    del arguments
    if external_set():
        return 0
    local_set.install()
    proxy.proxy_command()
    axe.axe_script()
    browser.chromium_path()
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    for cluster in _chosen(arguments):
        cluster.stop(arguments.component, kill=arguments.kill)
    return 0


def _start(arguments: argparse.Namespace) -> int:
    for cluster in _chosen(arguments):
        cluster.start(arguments.component)
    return 0


def _kubectl(arguments: argparse.Namespace) -> int:
    found = _existing(arguments.set)
    binary = found[arguments.cluster].binaries.kubernetes / "kubectl"
    options = [
        f"--kubeconfig={found.admin_kubeconfig}",
        f"--context=local-{arguments.cluster}",
        f"--cache-dir={found.state.directory}/kubectl",
    ]
    sys.stdout.flush()
    os.execv(binary, ["kubectl", *options, *arguments.words])


def _leftovers(arguments: argparse.Namespace) -> int:
    running = local_set.running(arguments.set)
    if running is not None and running.state.keep:
        print(f"the set {arguments.set} is up, and was brought up to be kept")
        return 0
    found = leftovers.find(arguments.set)
    for leftover in found:
        print(leftover)
    return 1 if found else 0


def _existing(set_name: str) -> local_set.LocalSet:
    found = local_set.existing(set_name)
    if found is None:
        raise machine.CannotRunHere(f"There is no set {set_name}: bring it up first.")
    return found


def _chosen(arguments: argparse.Namespace) -> list[LocalCluster]:
    found = _existing(arguments.set)
    return [found[arguments.cluster]] if arguments.cluster else list(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description="Two real Kubernetes clusters on this machine, each with a gateway.",
        epilog="Built things are kept in $MCKS_CACHE, a set's data in $MCKS_STATE.",
    )
    parser.add_argument("--set", default=DEFAULT_SET, help="the set's name (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    command("up", _up, "bring both clusters up, or find them up already")
    command("down", _down, "take everything away, whatever state it is in")
    command("status", _status, "tell what runs")
    command(
        "install", _install, "install and build what the clusters, a hub and browser tests need"
    )
    command(
        "leftovers",
        _leftovers,
        "list what of a set is on this machine, though it is not to be there",
    )
    for name, run, text in (
        ("stop", _stop, "stop one component; pods go on running"),
        ("start", _start, "start it again and wait until it serves"),
    ):
        added = command(name, run, text)
        added.add_argument("component", choices=(*COMPONENTS, *ALIASES))
        added.add_argument("--cluster", choices=CLUSTERS, help="only this one (default: both)")
        if name == "stop":
            added.add_argument("--kill", action="store_true", help="at once, with SIGKILL")
    kubectl = command("kubectl", _kubectl, "run kubectl with all rights")
    kubectl.add_argument("cluster", choices=CLUSTERS)
    kubectl.add_argument("words", nargs=argparse.REMAINDER, help="kubectl's own arguments")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what people must change is told without a trace."""
    arguments = _parser().parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except KeyboardInterrupt:
        return 130
    except (machine.CannotRunHere, locks.InUse, RuntimeError, ValueError) as error:
        build.say(str(error))
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
