"""Configures Contour and Envoy of one cluster; both run on this machine, outside the cluster."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import build
from tests.cluster.api import KubernetesAPI, Object, condition_of
from tests.cluster.gateway_binary import GatewayBinaries
from tests.cluster.names import ClusterName
from tests.cluster.state import ClusterState, write_private

CLASS = "contour"
"""The name of the IngressClass, of the GatewayClass and of the Gateway."""
NAMESPACE = "projectcontour"
"""Where the Gateway is, for an HTTPRoute's parentRefs."""
_LOOPBACK = "127.0.0.1"
_OWN_PATH = "/.gateway"
_CONTOUR_ADDS = 8000  # to a listener's port, to get Envoy's (toContainerPort in its gatewayapi)
_UNUSED_FEATURES = ("tlsroutes", "tcproutes", "backendtlspolicies", "extensionservices")


@dataclass(frozen=True)
class Gateway:
    """One cluster's gateway: Ingress and HTTPRoute on one port of the loopback address."""

    name: ClusterName
    state: ClusterState
    directory: Path
    binaries: GatewayBinaries

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.state.ports['gateway']}"

    @property
    def _directory(self) -> Path:
        return self.directory / "gateway"

    def configure(self) -> None:
        """Write the configuration files of both."""
        write_private(self._directory / "contour.yaml", json.dumps(self.config()))
        bootstrap: list[str | Path] = [
            self.binaries.contour,
            "bootstrap",
            self._directory / "envoy.json",
            f"--xds-address={_LOOPBACK}",
            f"--xds-port={self.state.ports['xds']}",
            f"--admin-address={self._directory}/admin.sock",
            f"--resources-dir={self._directory}/resources",
        ]
        build.run(bootstrap)

    def config(self) -> dict[str, Any]:
        """contour.yaml. Each cluster needs an admin port of its own: Envoys silently share one.

        Idle connections are kept, as the how-to on gateways tells administrators, and why.
        """
        return {
            "gateway": {"gatewayRef": {"namespace": NAMESPACE, "name": CLASS}},
            "ingress-status-address": _LOOPBACK,
            "network": {"admin-port": self.state.ports["contour_admin"]},
            "timeouts": {"connection-idle-timeout": "infinity"},
        }

    def contour(self) -> list[str | Path]:
        ports = self.state.ports
        parts = {
            "http": "contour_metrics",
            "health": "contour_health",
            "stats": "contour_stats",
            "debug-http": "contour_debug",
            "xds": "xds",
        }
        options = [f"--{part}-address={_LOOPBACK}" for part in parts]
        options += [f"--{part}-port={ports[port]}" for part, port in parts.items()]
        return [
            self.binaries.contour,
            "serve",
            f"--config-path={self._directory}/contour.yaml",
            f"--kubeconfig={self.directory}/admin.kubeconfig",
            "--insecure",
            f"--envoy-service-http-address={_LOOPBACK}",
            f"--envoy-service-https-address={_LOOPBACK}",
            f"--envoy-http-access-log={self._directory}/access.log",
            f"--envoy-https-access-log={self._directory}/access.log",
            "--disable-leader-election",
            *(f"--disable-feature={feature}" for feature in _UNUSED_FEATURES),
            *options,
        ]

    def envoy(self) -> list[str | Path]:
        """Its options take no equals sign."""
        options: dict[str, str | Path] = {
            "--config-path": self._directory / "envoy.json",
            "--service-cluster": "projectcontour",
            "--service-node": self.name.tag,
            "--concurrency": "1",
            "--log-level": "warn",
        }
        pairs: list[str | Path] = [word for option in options.items() for word in option]
        return [self.binaries.envoy, *pairs, "--disable-hot-restart"]

    def define(self, api: KubernetesAPI) -> None:
        """Put the kinds, classes and the Gateway into the cluster."""
        for definition in self.binaries.definitions:
            api.apply(definition)
        for definition in self.binaries.definitions:
            self._await_definition(api, definition["metadata"]["name"])
        for manifest in self.manifests():
            api.apply(manifest)

    def _await_definition(self, api: KubernetesAPI, name: str) -> None:
        def established() -> bool:
            found = api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
            return condition_of(found, "Established")

        api.wait(f"{name} is established", established)

    def manifests(self) -> list[Object]:
        """The classes, the Gateway, and a route of its own: without any, Envoy does not listen."""
        port = self.state.ports["gateway"] - _CONTOUR_ADDS
        listener = {
            "name": "http",
            "protocol": "HTTP",
            "port": port,
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
        path = {"type": "Exact", "value": _OWN_PATH}
        to_root = {"type": "ReplaceFullPath", "replaceFullPath": "/"}
        redirect = {
            "type": "RequestRedirect",
            "requestRedirect": {"statusCode": 302, "path": to_root},
        }
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {"name": CLASS},
                "spec": {"controller": "projectcontour.io/projectcontour"},
            },
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "GatewayClass",
                "metadata": {"name": CLASS},
                "spec": {"controllerName": "projectcontour.io/gateway-controller"},
            },
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": CLASS, "namespace": NAMESPACE},
                "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
            },
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "answers", "namespace": NAMESPACE},
                "spec": {
                    "parentRefs": [{"name": CLASS}],
                    "rules": [{"matches": [{"path": path}], "filters": [redirect]}],
                },
            },
        ]

    def serves(self) -> bool:
        """True when its own route is answered, through Envoy."""
        connection = http.client.HTTPConnection(_LOOPBACK, self.state.ports["gateway"], timeout=2)
        try:
            connection.request("GET", _OWN_PATH)
            return connection.getresponse().status == 302
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def accepted(self, api: KubernetesAPI) -> bool:
        """True when Contour has taken the Gateway."""
        found = api.find("gateway.networking.k8s.io/v1", "Gateway", CLASS, NAMESPACE)
        return found is not None and condition_of(found, "Programmed")
