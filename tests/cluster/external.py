"""The developer's own clusters, named by MCKS_TEST_CONTEXTS, in place of the local ones.

They must serve Ingresses at the URL that goes with each context, and the context's user must be
allowed to make namespaces and Roles. Nothing of them can be stopped.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import access
from tests.cluster.api import AsyncKubernetesAPI, KubernetesAPI
from tests.cluster.state import write_private

VARIABLE = "MCKS_TEST_CONTEXTS"
Config = dict[str, Any]


@dataclass(frozen=True)
class ExternalCluster:
    """One context; the attributes are those of a LocalCluster that make sense here."""

    name: str
    context: str
    gateway_url: str
    api: KubernetesAPI
    config: Config
    bridge_ip: str
    """This machine's address as pods reach it: MCKS_TEST_HOST."""

    @property
    def api_url(self) -> str:
        return self.api.server

    def admin(self) -> AsyncKubernetesAPI:
        return AsyncKubernetesAPI(self.api)


@dataclass(frozen=True)
class ExternalSet:
    """The clusters by name, ``a`` and ``b``, in the order of the variable."""

    clusters: dict[str, ExternalCluster]

    def __getitem__(self, name: str) -> ExternalCluster:
        return self.clusters[name]

    def __iter__(self) -> Iterator[ExternalCluster]:
        return iter(self.clusters.values())

    def prepare_namespace(self, namespace: str, extra_rules: Sequence[access.Rule] = ()) -> None:
        for cluster in self:
            access.create_account(cluster.api)
            access.grant(cluster.api, namespace, extra_rules)
            access.wait_usable(cluster.api, namespace)

    def remove_namespace(self, namespace: str) -> None:
        for cluster in self:
            access.remove_namespace(cluster.api, namespace)

    def notebook_patch(self) -> str:
        """No patch: these clusters pull the spawner's own image."""
        return ""

    def notebook_command(self) -> list[str]:
        return ["jupyterhub-singleuser"]

    def write_hub_kubeconfig(self, path: Path, namespace: str = access.HUB_NAMESPACE) -> None:
        merged: Config = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": []}
        merged["contexts"] = []
        for cluster in self:
            name = cluster.context
            place = {"cluster": name, "user": name, "namespace": namespace}
            merged["clusters"].append({"name": name, "cluster": cluster.config})
            user = {"token": access.token(cluster.api)}
            merged["users"].append({"name": name, "user": user})
            merged["contexts"].append({"name": name, "context": place})
        write_private(path, json.dumps(merged))


def contexts(text: str) -> list[tuple[str, str]]:
    """``ctxA=https://a.example.org,...`` as pairs. Raises ValueError, naming what is wrong."""
    pairs = [tuple(entry.strip().partition("=")[::2]) for entry in text.split(",") if entry.strip()]
    if len(pairs) != 2 or any(not context or "://" not in url for context, url in pairs):
        raise ValueError(
            f"{VARIABLE} must be two contexts with the public URL of each one's gateway, "
            f"like ctxA=https://a.example.org,ctxB=https://b.example.org, not {text!r}"
        )
    return [(context, url) for context, url in pairs]


def external_set() -> ExternalSet | None:
    """The clusters of MCKS_TEST_CONTEXTS, or None if it is not set."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    path = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config"
    document = yaml.safe_load(Path(path).expanduser().read_text())
    clusters = {
        name: _cluster(name, context, url, document)
        for name, (context, url) in zip("ab", contexts(text), strict=True)
    }
    return ExternalSet(clusters)


def _cluster(name: str, context: str, url: str, document: Config) -> ExternalCluster:
    place = _named(document, "contexts", context)["context"]
    cluster = _named(document, "clusters", place["cluster"])["cluster"]
    user = _named(document, "users", place["user"]).get("user", {})
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    tls = ssl.create_default_context(cadata=authority)
    if "client-certificate-data" in user:
        _load_certificate(tls, user)
    api = KubernetesAPI(cluster["server"], tls, user.get("token"))
    host = os.environ.get("MCKS_TEST_HOST", "127.0.0.1")
    return ExternalCluster(name, context, url, api, cluster, host)


def _load_certificate(tls: ssl.SSLContext, user: Mapping[str, str]) -> None:
    with tempfile.NamedTemporaryFile() as file:
        for part in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[part]))
        file.flush()
        tls.load_cert_chain(file.name)


def _named(document: Config, section: str, name: str) -> Config:
    for entry in document.get(section) or []:
        if entry["name"] == name:
            found: Config = entry
            return found
    raise ValueError(f"{VARIABLE}: the kubeconfig has no {name!r} in {section}")
