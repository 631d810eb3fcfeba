"""A set of local clusters: brings it up, finds it again, takes it down."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import (
    access,
    addresses,
    build,
    debian,
    dns_binary,
    gateway_binary,
    images,
    kernel,
    kube_binary,
    kubeconfig,
    leftovers,
    locks,
    machine,
    network,
    notebook,
    teardown,
)
from tests.cluster.cluster import Binaries, LocalCluster
from tests.cluster.names import DEFAULT_SET, cluster_names
from tests.cluster.state import PORTS, ClusterState, SetState, load, state_root


@dataclass(frozen=True)
class LocalSet:
    """Clusters that run. ``clusters`` is by name: ``a``, ``b``."""

    state: SetState
    clusters: dict[str, LocalCluster]

    @property
    def kubeconfig(self) -> Path:
        """The hub's: each cluster a context, as a ServiceAccount with the least Role."""
        return self.state.kubeconfig

    @property
    def admin_kubeconfig(self) -> Path:
        """The tests' own: the same contexts with all rights."""
        return self.state.admin_kubeconfig

    def __getitem__(self, name: str) -> LocalCluster:
        return self.clusters[name]

    def __iter__(self) -> Iterator[LocalCluster]:
        return iter(self.clusters.values())

    def prepare_namespace(self, namespace: str, extra_rules: Sequence[access.Rule] = ()) -> None:
        """Make a namespace in each cluster where the hub may do what the least Role says.

        Called again, it changes what the hub may do there.
        """
        self._in_parallel(lambda cluster: access.grant(cluster.api, namespace, extra_rules))
        self._in_parallel(lambda cluster: access.wait_usable(cluster.api, namespace))
        self._in_parallel(LocalCluster.refill_storage)

    def remove_namespace(self, namespace: str) -> None:
        """Delete it in each cluster, and return when its pods and routes are gone."""
        self._in_parallel(lambda cluster: access.remove_namespace(cluster.api, namespace))

    def restore(self) -> None:
        """Undo all faults: start what is stopped, as it was at first."""
        self._in_parallel(LocalCluster.restore)

    def _in_parallel(self, work: Callable[[LocalCluster], object]) -> None:
        with ThreadPoolExecutor(len(self.clusters)) as pool:
            list(pool.map(work, self))

    def notebook_patch(self) -> str:
        """The patch that notebook pods need here (notebook.patch)."""
        return notebook.patch()

    def notebook_command(self) -> list[str]:
        """What notebook pods run here (notebook.command)."""
        return notebook.command()

    def write_hub_kubeconfig(self, path: Path, namespace: str = access.HUB_NAMESPACE) -> None:
        """A kubeconfig of the hub's ServiceAccount whose contexts are in this namespace."""
        contexts = [
            cluster.context_for({"token": access.token(cluster.api)}, namespace) for cluster in self
        ]
        kubeconfig.write(path, contexts)


def install() -> Binaries:
    """Install, build and cache everything that `up` needs. Raises CannotRunHere early."""
    _require()
    debian.install(debian.missing_packages())
    if not _is_built():
        build.say("The first time this takes about 10 minutes on 2 cores; later, nothing.")
    binaries = _binaries()
    images.archives()
    notebook.environment()
    return binaries


def _binaries() -> Binaries:
    return Binaries(
        kube_binary.kube_binaries(), gateway_binary.gateway_binaries(), dns_binary.dns_binary()
    )


def _require() -> None:
    machine.require(need=() if _is_built() else ("go",))


def _is_built() -> bool:
    return kube_binary.is_built() and gateway_binary.is_built() and dns_binary.is_built()


def up(set_name: str = DEFAULT_SET, *, keep: bool = True) -> LocalSet:
    """The set, running: one that is healthy already is taken as it is.

    A set that is broken or half there is taken down first. ``keep``: it stays when a test run
    that uses it ends. Raises CannotRunHere, locks.InUse, or RuntimeError with the failing
    component's log; a set that failed to come up is taken down again.
    """
    cluster_names(set_name)
    _require()
    with locks.changing(set_name):
        if found := running(set_name):
            if keep and not found.state.keep:
                found.state.keep = True
                found.state.save()
            return found
        binaries = install()
        machine.refuse_foreign_kubelet()
        kernel.allow_inotify_instances()
        if leftovers.find(set_name):
            with build.step("removing what is left of an earlier set"):
                teardown.remove(set_name)
        with build.step("bringing up two clusters"):
            try:
                return _bring_up(set_name, binaries, keep=keep)
            except BaseException:
                teardown.remove(set_name)
                raise


def down(set_name: str = DEFAULT_SET) -> None:
    """Take the set away, whatever state it is in. Raises locks.InUse while a test run uses it."""
    with locks.changing(set_name):
        if locks.in_use(set_name):
            raise locks.InUse(f"another process uses the set {set_name}")
        teardown.remove(set_name)


def running(set_name: str = DEFAULT_SET) -> LocalSet | None:
    """The set if all of it runs and serves, else None."""
    found = existing(set_name)
    if found is None or not all(cluster.healthy() for cluster in found):
        return None
    return found


def existing(set_name: str = DEFAULT_SET) -> LocalSet | None:
    """The set as its records tell, running or not; None without records."""
    state = load(set_name)
    if state is None or not _is_built():
        return None
    return _set(state, _binaries())


def _plan(set_name: str, *, keep: bool) -> SetState:
    names = cluster_names(set_name)
    subnets = iter(addresses.free_subnets(2 * len(names)))
    ports = iter(addresses.free_ports(len(PORTS) * len(names)))
    clusters = {}
    for name in names:
        pods, services = next(subnets), next(subnets)
        clusters[name.cluster] = ClusterState(
            name=name.cluster,
            node_ip=str(pods[1]),
            pod_subnet=str(pods),
            service_subnet=str(services),
            service_ip=str(services[1]),
            ports={port: next(ports) for port in PORTS},
        )
    return SetState(set_name, state_root() / set_name, clusters, keep)


def _set(state: SetState, binaries: Binaries) -> LocalSet:
    clusters = {
        name.cluster: LocalCluster(
            name,
            state.clusters[name.cluster],
            state.cluster_directory(name.cluster),
            binaries,
        )
        for name in state.names()
    }
    return LocalSet(state, clusters)


def _bring_up(set_name: str, binaries: Binaries, *, keep: bool) -> LocalSet:
    started = time.monotonic()
    with locks.changing("addresses"):  # or two sets would find the same ones free
        teardown.remember_directories()
        state = _plan(set_name, keep=keep)
        state.save()
        found = _set(state, binaries)
        network.create(set_name, [(cluster.identity, cluster.state) for cluster in found])

    def one(cluster: LocalCluster) -> None:
        cluster.up()
        build.say(f"cluster {cluster.name} serves after {time.monotonic() - started:.1f} s")

    with ThreadPoolExecutor(len(found.clusters)) as pool:
        try:
            for future in [pool.submit(one, cluster) for cluster in found]:
                future.result()
        except BaseException:
            teardown.kill_all(set_name)  # what the other cluster still waits for
            raise
    kubeconfig.write(found.admin_kubeconfig, [cluster.admin_context() for cluster in found])
    found.write_hub_kubeconfig(found.kubeconfig)
    return found


@contextlib.contextmanager
def in_use(set_name: str = DEFAULT_SET) -> Iterator[LocalSet]:
    """The set, up and serving, while the block runs; the same errors as `up`.

    At the end, `release`.
    """
    use = locks.Use(set_name)
    try:
        yield up(set_name, keep=False)
    finally:
        release(use, set_name)


def release(use: locks.Use, set_name: str) -> None:
    """End a use of the set; the last one takes it down, unless it is to be kept."""
    last = use.release()
    state = load(set_name)
    if last and state is not None and not state.keep:
        with contextlib.suppress(locks.InUse):  # the next run has begun meanwhile
            down(set_name)
