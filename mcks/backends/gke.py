"""Google Kubernetes Engine: finds a cluster, logs in with the hub's Google identity.

How Google credentials are found is in `mcks.auth.google`.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any
from urllib.parse import quote

from traitlets import Unicode

from mcks.auth.credential import Credential
from mcks.auth.google import RENEW_BEFORE, AccessToken, LoggedIn, Login, log_in
from mcks.backends.base import Backend, Endpoint
from mcks.backends.cloud_api import Call, Refused, call
from mcks.backends.pem import decoded
from mcks.backends.steps import FIND, LOG_IN, naming, of_cluster
from mcks.errors import ConfigError, MCKSError, Unauthorized, Unreachable

_SERVING = ("RUNNING", "RECONCILING", "DEGRADED")
_FIELDS = (
    "name,status,statusMessage,endpoint,masterAuth/clusterCaCertificate,"
    "controlPlaneEndpointsConfig,privateClusterConfig"
)
_ENDPOINTS = {
    "auto": "the public address, or the DNS endpoint of a cluster that has no addresses",
    "public": "the public address",
    "private": "the private address",
    "dns": "the DNS endpoint",
}
_REMEDIES = {
    "PERMISSION_DENIED": "The hub needs the permission container.clusters.get: give its identity "
    "roles/container.clusterViewer on the project",
    "IAM_PERMISSION_DENIED": "The hub needs the permission container.clusters.get: give its "
    "identity roles/container.clusterViewer on the project",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "Give the machine the access scope cloud-platform, or the "
    "hub's ServiceAccount Workload Identity",
    "USER_PROJECT_DENIED": "Give the identity roles/serviceusage.serviceUsageConsumer on that "
    "project, or take quota_project_id out of the credentials file",
    "UNAUTHENTICATED": "Look whether the account still exists and is enabled",
}
_GATEWAY = (
    "endpoint_type: the Connect Gateway is not served: it allows ten open streams for a whole "
    "fleet project, and mcks keeps one open per cluster. Use dns"
)


_LOCATION = re.compile(r"[a-z]+-[a-z]+\d+(-[a-z0-9]+)?")


class GKEBackend(Backend):
    """A cluster of Google Kubernetes Engine."""

    project = Unicode(help="The id of the Google Cloud project that the cluster is in.").tag(
        config=True
    )

    location = Unicode(
        help="The cluster's location: a region such as ``us-central1``, or a zone."
    ).tag(config=True)

    cluster = Unicode(help="The cluster's name.").tag(config=True)

    endpoint_type = Unicode(
        "auto",
        help="""
        Which of the cluster's endpoints to use.

        ``auto`` (the default) takes the public address, or the DNS endpoint if the cluster has no
        addresses. ``public``, ``private`` and ``dns`` take just that one. The DNS endpoint needs
        the IAM permission ``container.clusters.connect``, and the cluster must allow external
        traffic to it.
        """,
    ).tag(config=True)

    credentials_file = Unicode(
        help="""
        A Google credentials file: workload identity federation, or a service account's key.

        Unset, Application Default Credentials are used: ``GOOGLE_APPLICATION_CREDENTIALS``,
        gcloud's own file, the metadata server (Workload Identity).
        """,
    ).tag(config=True)

    impersonate_service_account = Unicode(
        help="""
        The e-mail address of a service account to act as.

        Unset, the hub's own identity is used. Needs ``roles/iam.serviceAccountTokenCreator`` on
        that account.
        """,
    ).tag(config=True)

    api_url = Unicode(
        "https://container.googleapis.com",
        help="""
        The Container API.

        Change it only where Google Cloud is reached by another name (Private Service Connect).
        The hub's token is sent there.
        """,
    ).tag(config=True)

    renew_before = RENEW_BEFORE

    def problems(self) -> list[str]:
        """Check that all is there that can be checked here."""
        found = [
            f"set {name}" for name in ("project", "location", "cluster") if not getattr(self, name)
        ]
        if self.endpoint_type == "connect-gateway":
            found.append(_GATEWAY)
        elif self.endpoint_type not in _ENDPOINTS:
            known = ", ".join(_ENDPOINTS)
            found.append(f"endpoint_type is {self.endpoint_type!r}, not one of {known}")
        if importlib.util.find_spec("google") is None or not _has_google_auth():
            found.append("Google needs google-auth and requests: pip install 'mcks[gke]'")
        return of_cluster(self.cluster_name, found)

    def doubts(self) -> list[str]:
        """Say if no location is called so: a region like us-central1, a zone like us-central1-a."""
        if not self.location or _LOCATION.fullmatch(self.location):
            return []
        told = f"location {self.location!r} is no region like us-central1 and no zone of one"
        return of_cluster(self.cluster_name, [told])

    async def endpoint(self) -> Endpoint:
        """Ask the Container API for the cluster (``container.clusters.get``)."""
        found = await self._describe()
        status = found.get("status")
        if status not in _SERVING:
            words = found.get("statusMessage") or "it does not serve"
            raise ConfigError(f"{self._where()}: the cluster's status is {status}: {words}")
        kind = self.endpoint_type
        if kind == "auto":
            addresses = (found.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig")
            kind = "dns" if addresses and not addresses.get("enabled", True) else "public"
        if kind == "dns":
            # It has a public certificate: the cluster's own CA must not be used.
            return Endpoint(f"https://{self._dns_name(found)}")
        host = self._host(found, kind)
        data = (found.get("masterAuth") or {}).get("clusterCaCertificate") or ""
        with naming(self._where()):
            ca_data = decoded(data, "the CA that GKE tells")
        if not ca_data:
            raise ConfigError(f"{self._where()}: GKE tells no CA for it")
        return Endpoint(f"https://{host}", ca_data=ca_data)

    async def mint(self) -> Credential:
        """Get an access token: one serves all GKE clusters of the same identity."""
        return (await self._log_in()).credential

    def credential_key(self) -> AccessToken:
        """One access token serves all clusters of an identity."""
        return AccessToken(self._login())

    async def explain(self, error: MCKSError) -> str:
        """Say what to look at."""
        if isinstance(error, Unauthorized):
            return (
                "GKE does not accept the token: look whether the hub's account still exists, and "
                "whether its machine has the access scopes cloud-platform and userinfo.email"
            )
        if isinstance(error, Unreachable) and self.endpoint_type in ("auto", "public"):
            return (
                "Let the cluster's authorized networks admit the hub's address; a private cluster "
                "needs endpoint_type private or dns"
            )
        return ""

    def identity(self) -> str:
        """Name the account or its source."""
        if self.impersonate_service_account:
            return self.impersonate_service_account
        if self.credentials_file:
            return f"the Google identity of {self.credentials_file}"
        return "the hub's Google identity"

    def _where(self) -> str:
        path = f"{self.project}/{self.location}/{self.cluster}"
        return f"cluster {self.cluster_name!r} (GKE {path})"

    def _login(self) -> Login:
        return Login(self.credentials_file, impersonate=self.impersonate_service_account)

    async def _log_in(self) -> LoggedIn:
        with naming(self._where(), LOG_IN):
            return await log_in(self._login())

    async def _describe(self) -> dict[str, Any]:
        if self.problems():
            raise ConfigError("; ".join(self.problems()))
        logged_in = await self._log_in()
        names = [quote(name, safe="") for name in (self.project, self.location, self.cluster)]
        path = "/v1/projects/{}/locations/{}/clusters/{}".format(*names)
        quota = logged_in.quota_project
        request = Call(
            "Google",
            "container.clusters.get",
            self.api_url.rstrip("/") + path,
            token=logged_in.credential.token or "",
            query={"fields": _FIELDS},
            headers={"x-goog-user-project": quota} if quota else {},
        )
        with naming(self._where(), FIND):
            try:
                return await call(request)
            except Refused as exc:
                if exc.status in (400, 404):
                    raise ConfigError(
                        f"there is no such cluster: {exc.text}. Set project, location and cluster "
                        "as Google Cloud's console shows them"
                    ) from exc
                if exc.code == "SERVICE_DISABLED":
                    remedy = "Enable container.googleapis.com in that project"
                    raise ConfigError(f"{exc}. {remedy}, and wait some minutes") from exc
                exc.advise(_REMEDIES.get(exc.code, ""))
                raise

    def _dns_name(self, found: dict[str, Any]) -> str:
        config = (found.get("controlPlaneEndpointsConfig") or {}).get("dnsEndpointConfig") or {}
        name = str(config.get("endpoint") or "")
        if not name:
            raise ConfigError(f"{self._where()}: the cluster has no DNS endpoint")
        if not config.get("allowExternalTraffic"):
            raise ConfigError(
                f"{self._where()}: its DNS endpoint does not allow external traffic: switch on "
                "allowExternalTraffic"
            )
        return name

    def _host(self, found: dict[str, Any], kind: str) -> str:
        private = found.get("privateClusterConfig") or {}
        addresses = (found.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig") or {}
        hosts = {
            "public": found.get("endpoint"),
            "private": private.get("privateEndpoint") or addresses.get("privateEndpoint"),
        }
        if not hosts[kind]:
            raise ConfigError(f"{self._where()}: the cluster has not {_ENDPOINTS[kind]}")
        return str(hosts[kind])


def _has_google_auth() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("google.auth", "requests"))
