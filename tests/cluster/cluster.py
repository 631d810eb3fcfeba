"""One running cluster: brings its parts up in order, and stops and starts them for fault tests.

What the parts are called on the command line is told by their own modules; several clusters
together are local_set.py's affair.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.cluster import access, cgroups, kubeconfig, locks, machine, pki, storage
from tests.cluster.api import APIAnswer, AsyncKubernetesAPI, KubernetesAPI, condition_of
from tests.cluster.containerd import Containerd
from tests.cluster.control_plane import ControlPlane
from tests.cluster.dns import PORT as DNS_PORT
from tests.cluster.dns import NameServer
from tests.cluster.gateway import Gateway
from tests.cluster.gateway_binary import GatewayBinaries
from tests.cluster.kubelet import Kubelet
from tests.cluster.names import ClusterName
from tests.cluster.processes import Daemons
from tests.cluster.state import ClusterState

COMPONENTS = (
    "etcd", "apiserver", "containerd", "kubelet", "kcm", "scheduler", "contour", "envoy", "coredns",
)  # fmt: skip
ALIASES = {"gateway": "envoy"}
_GRACE = 2.0  # the API server and etcd would wait 10 s and more for their clients to leave
_WATCHERS = ("kcm", "scheduler", "kubelet", "contour", "coredns")


@dataclass(frozen=True)
class Binaries:
    """Where the executables lie."""

    kubernetes: Path
    gateway: GatewayBinaries
    dns: Path


@dataclass(frozen=True)
class LocalCluster:
    """A cluster of a set, in ``directory``. All calls block: an event loop needs a thread."""

    identity: ClusterName
    state: ClusterState
    directory: Path
    binaries: Binaries

    @property
    def name(self) -> str:
        """``a`` or ``b``."""
        return self.identity.cluster

    @property
    def context(self) -> str:
        """The context in both kubeconfigs, e.g. ``local-a``."""
        return self.identity.context

    @property
    def api_url(self) -> str:
        return f"https://127.0.0.1:{self.state.ports['apiserver']}"

    @property
    def gateway_url(self) -> str:
        """Where the cluster's routes are served, on loopback: ``http://127.0.0.1:PORT``."""
        return self.gateway.url

    @property
    def bridge_ip(self) -> str:
        """This machine's address as this cluster's pods reach it."""
        return self.state.node_ip

    @cached_property
    def api(self) -> KubernetesAPI:
        """A blocking client with all rights."""
        return KubernetesAPI.with_certificate(self.api_url, self._control_plane.pki, "admin")

    def admin(self) -> AsyncKubernetesAPI:
        """A client with all rights, for code in an event loop."""
        return AsyncKubernetesAPI(self.api)

    def hub_api(self, token: str) -> KubernetesAPI:
        """A blocking client with a token, e.g. the hub's."""
        return KubernetesAPI.with_token(self.api_url, self._control_plane.pki / "ca.crt", token)

    def context_for(self, user: dict[str, str], namespace: str) -> kubeconfig.Context:
        """This cluster's context for a kubeconfig."""
        authority = self._control_plane.pki / "ca.crt"
        return kubeconfig.Context(self.context, self.api_url, authority, user, namespace)

    def admin_context(self) -> kubeconfig.Context:
        user = kubeconfig.certificate_user(self._control_plane.pki, "admin")
        return self.context_for(user, "default")

    # Bringing it up

    def up(self) -> None:
        """Start everything, in the order that costs the least waiting; return when all serves."""
        self._prepare()
        for component in ("etcd", "containerd", "apiserver"):
            self._launch(component)
        self._await("containerd", self._containerd.answers)
        self._containerd.import_images()
        self._launch_kubelet()
        self._await("apiserver", self.api.ready)
        self._launch("kcm")  # it exits if RBAC is not there yet
        self._launch("scheduler")
        self.gateway.define(self.api)
        self._launch("contour")
        self._launch("envoy")
        self._launch("coredns")
        self.api.apply(storage.storage_class())
        access.create_account(self.api)
        self.refill_storage()
        for component in ("kubelet", "kcm", "contour", "envoy", "coredns"):
            self._await_component(component)

    def _prepare(self) -> None:
        cgroups.create(self.identity.tag)
        control_plane = self._control_plane
        pki.create(control_plane.pki, self.identity, self.state)
        for user in ("node", "admin", "kcm", "scheduler"):
            credentials = kubeconfig.certificate_user(control_plane.pki, user)
            context = self.context_for(credentials, "default")
            kubeconfig.write(self.directory / f"{user}.kubeconfig", [context])
        self._containerd.configure()
        self._kubelet.configure()
        self.gateway.configure()
        self._name_server.configure()

    # Faults

    def stop(self, component: str, *, kill: bool = False) -> None:
        """Stop one of COMPONENTS; ``kill``: at once and without warning. Pods go on running."""
        self.daemons.stop(_component(component), 0.0 if kill else _GRACE)

    def start(self, component: str, *, reconnect: bool = False) -> None:
        """Start one of COMPONENTS and return when it serves again.

        After an outage of the API server or etcd, watches back off for up to 30 s: new routes,
        new pods and the garbage collector lag behind. ``reconnect`` restarts those who watch, so
        that the cluster is at once as good as new.
        """
        name = _component(component)
        self._launch(name)
        self._await_component(name)
        if name == "etcd" and self.daemons.running("apiserver"):
            self._await("apiserver", self.api.ready)
        if reconnect:
            self._restart_watchers()

    def _restart_watchers(self) -> None:
        running = [name for name in _WATCHERS if self.daemons.running(name)]
        for name in running:
            self.daemons.stop(name, _GRACE)
        for name in running:
            self._launch(name)
        for name in running:
            self._await_component(name)

    def end_sandbox(self, pod: str, namespace: str) -> None:
        """Let a pod lose its network; it gets another one, with another address."""
        self._containerd.end_sandbox(pod, namespace)

    def restart_apiserver(self, extra_flags: Sequence[str] = ()) -> None:
        """Start the API server anew with these flags more; without: as it was at first."""
        self.stop("apiserver")
        self.state.api_flags[:] = extra_flags
        self.start("apiserver", reconnect=True)

    def restore(self) -> None:
        """Undo all faults: start what is stopped, with the flags that it had at first."""
        if self.state.api_flags:
            self.restart_apiserver()
        stopped = self.stopped()
        for component in stopped:
            self._launch(component)
        for component in stopped:
            self._await_component(component)
        if {"etcd", "apiserver"} & set(stopped):
            self._restart_watchers()

    def refill_storage(self) -> None:
        """Make volumes whose claims were deleted usable again."""
        storage.fill(self.api, self.identity, self.directory)

    def stopped(self) -> list[str]:
        """The components that do not run."""
        return [name for name in COMPONENTS if self.daemons.running(name) is None]

    def healthy(self) -> bool:
        """True if everything runs and serves."""
        return not self.stopped() and all(
            self._serves(component) for component in ("apiserver", "kubelet", "envoy")
        )

    # The parts

    @cached_property
    def daemons(self) -> Daemons:
        return Daemons(self.directory, self.identity.mark)

    @cached_property
    def _control_plane(self) -> ControlPlane:
        return ControlPlane(self.identity, self.state, self.directory, self.binaries.kubernetes)

    @cached_property
    def _containerd(self) -> Containerd:
        return Containerd(self.identity, self.state, self.directory)

    @cached_property
    def _kubelet(self) -> Kubelet:
        socket_path = self._containerd.socket
        binaries = self.binaries.kubernetes
        return Kubelet(self.identity, self.state, self.directory, binaries, socket_path)

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(self.identity, self.state, self.directory, self.binaries.gateway)

    @cached_property
    def _name_server(self) -> NameServer:
        return NameServer(self.state, self.directory, self.binaries.dns)

    def _launch(self, component: str) -> None:
        argv: dict[str, Callable[[], list[str | Path]]] = {
            "etcd": self._control_plane.etcd,
            "apiserver": self._control_plane.apiserver,
            "kcm": self._control_plane.kcm,
            "scheduler": self._control_plane.scheduler,
            "containerd": self._containerd.argv,
            "kubelet": self._kubelet.argv,
            "contour": self.gateway.contour,
            "envoy": self.gateway.envoy,
            "coredns": self._name_server.argv,
        }
        self.daemons.start(component, argv[component]())

    def _launch_kubelet(self) -> None:
        """Start it alone: of two that come to their common socket at once, one fails and ends."""
        with locks.changing("kubelets"):
            others = machine.kubelets()
            self._launch("kubelet")
            self._await("kubelet", lambda: machine.kubelets() > others)

    def _await_component(self, component: str) -> None:
        self._await(component, lambda: self._serves(component))

    def _serves(self, component: str) -> bool:
        checks: dict[str, Callable[[], bool]] = {
            "etcd": lambda: _listens(self.state.ports["etcd"]),
            "apiserver": self.api.ready,
            "containerd": self._containerd.answers,
            "kubelet": self._node_ready,
            "kcm": self._pods_can_be_created,
            "scheduler": lambda: _listens(self.state.ports["scheduler"]),
            "contour": lambda: (
                _listens(self.state.ports["xds"]) and self.gateway.accepted(self.api)
            ),
            "envoy": self.gateway.serves,
            "coredns": lambda: _listens(DNS_PORT, self.state.node_ip),
        }
        try:
            return checks[component]()
        except (OSError, APIAnswer):
            return False

    def _node_ready(self) -> bool:
        node = self.api.find("v1", "Node", self.identity.tag)
        return (
            node is not None
            and condition_of(node, "Ready")
            and _listens(self.state.ports["kubelet"], self.state.node_ip)
        )

    def _pods_can_be_created(self) -> bool:
        places = ("default", access.HUB_NAMESPACE)
        return _listens(self.state.ports["kcm"]) and all(
            self.api.find("v1", "ServiceAccount", "default", place) is not None for place in places
        )

    def _await(self, component: str, condition: Callable[[], bool], seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.daemons.running(component) is None
            if ended or time.monotonic() > deadline:
                how = "ended" if ended else f"does not serve after {seconds:.0f} s"
                log = self.daemons.tail(component)
                raise RuntimeError(f"cluster {self.name}: {component} {how}; its log says:\n{log}")
            time.sleep(0.05)


def _component(name: str) -> str:
    found = ALIASES.get(name, name)
    if found not in COMPONENTS:
        known = ", ".join((*COMPONENTS, *ALIASES))
        raise ValueError(f"no component {name!r}; there are {known}")
    return found


def _listens(port: int, address: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((address, port), 1.0).close()
    except OSError:
        return False
    return True
