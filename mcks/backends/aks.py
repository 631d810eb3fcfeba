"""Azure Kubernetes Service: finds a cluster, logs in with the hub's Entra identity.

How Entra tokens are made is in `mcks.auth.azure`.
"""

from __future__ import annotations

import importlib.util
from typing import Any
from urllib.parse import quote

from traitlets import Bool, Unicode

from mcks.auth.azure import (
    AKS_SERVER_ID,
    CLOUD_ALIASES,
    CLOUDS,
    RENEW_BEFORE,
    AccessToken,
    Cloud,
    Login,
    access_token,
)
from mcks.auth.credential import Credential
from mcks.backends import pem
from mcks.backends.base import Backend, Endpoint
from mcks.backends.cloud_api import Call, Refused, call
from mcks.backends.kubeconfig import Context, Entry, loads
from mcks.backends.steps import FIND, LOG_IN, naming, of_cluster
from mcks.errors import ConfigError, MCKSError, Unauthorized, Unreachable, unknown

_SOURCES = ("auto", "environment", "workload-identity", "managed-identity")
_NO_SUCH = {
    "ResourceNotFound": "Set cluster to the name of one in this resource group",
    "NotFound": "Set cluster to the name of one in this resource group",
    "ResourceGroupNotFound": "Set resource_group to the one that the cluster itself is in, not to "
    "that of its nodes (MC_...)",
    "SubscriptionNotFound": "Set subscription to the id of the cluster's, and let the hub's "
    "identity be of its Entra tenant",
    "InvalidSubscriptionId": "Set subscription to the id of the cluster's",
    "MissingSubscriptionRegistration": "Register the resource provider Microsoft.ContainerService",
}
_OTHER_TENANT = "Set tenant_id to the Entra tenant of the subscription"
_REMEDIES = {
    "AuthorizationFailed": "The hub needs the role Azure Kubernetes Service Cluster User Role on "
    "the cluster; a new assignment takes some minutes to count",
    "InvalidAuthenticationTokenTenant": _OTHER_TENANT,
    "InvalidAuthenticationToken": _OTHER_TENANT,
}


class AKSBackend(Backend):
    """A cluster of Azure Kubernetes Service."""

    subscription = Unicode(help="The id of the Azure subscription that the cluster is in.").tag(
        config=True
    )

    resource_group = Unicode(help="The name of the resource group that the cluster is in.").tag(
        config=True
    )

    cluster = Unicode(help="The cluster's name.").tag(config=True)

    credential = Unicode(
        "auto",
        help="""
        Where the hub's Entra identity comes from.

        ``environment`` (a client secret or certificate in ``AZURE_...`` variables),
        ``workload-identity``, ``managed-identity``, or ``auto`` (the default): the first of these
        for which the environment holds what is needed.
        """,
    ).tag(config=True)

    tenant_id = Unicode(
        help="The Entra tenant of the hub's identity. Unset, ``AZURE_TENANT_ID`` is used."
    ).tag(config=True)

    client_id = Unicode(
        help="""
        The application (client) id of the hub's identity.

        Unset, ``AZURE_CLIENT_ID`` is used, or the only managed identity of the machine.
        """
    ).tag(config=True)

    azure_environment = Unicode(
        "AzurePublicCloud",
        help="""
        Which of Microsoft's clouds the cluster is in.

        ``AzurePublicCloud`` (the default), ``AzureUSGovernmentCloud`` or ``AzureChinaCloud``; the
        names of ``az cloud list`` will do as well.
        """,
    ).tag(config=True)

    public_fqdn = Bool(
        False,
        help="""
        Use the public name of a private cluster.

        Off by default: a private cluster is then reached by its private name, which only its own
        network can resolve.
        """,
    ).tag(config=True)

    server_id = Unicode(
        AKS_SERVER_ID,
        help="""
        The application id that tokens for the cluster are made for.

        The default fits all clusters with managed Entra integration. Clusters with the retired
        legacy integration have their own, which the cluster's kubeconfig tells.
        """,
    ).tag(config=True)

    allow_local_account = Bool(
        False,
        help="""
        Take the static certificate of a cluster without Entra integration.

        Off by default: it is valid for years and cannot be revoked alone. Better switch on Entra
        integration.
        """,
    ).tag(config=True)

    api_version = Unicode(
        "2024-09-01", help="The version of the ``Microsoft.ContainerService`` API to call."
    ).tag(config=True)

    renew_before = RENEW_BEFORE

    def problems(self) -> list[str]:
        """Check that all is there that can be checked here."""
        named = ("subscription", "resource_group", "cluster")
        found = [f"set {name}" for name in named if not getattr(self, name)]
        if self.credential not in _SOURCES:
            found.append(f"credential: {unknown('source', self.credential, _SOURCES)}")
        if self._cloud_name() not in CLOUDS:
            found.append(f"azure_environment: {unknown('cloud', self.azure_environment, CLOUDS)}")
        if not _has_sdk():
            found.append("Azure needs azure-identity: pip install 'mcks[aks]'")
        return of_cluster(self.cluster_name, found)

    async def endpoint(self) -> Endpoint:
        """Ask the Resource Manager for the user's kubeconfig, which holds endpoint and CA."""
        context = await self._context()
        entry = context.cluster
        if context.user is not None:
            self._check_login(context.user)
        return Endpoint(
            entry.text("server") or "",
            ca_data=entry.data("certificate-authority"),
            tls_server_name=entry.text("tls-server-name"),
        )

    async def mint(self) -> Credential:
        """Get a token for AKS: one serves all clusters of the same identity."""
        if self.allow_local_account:
            user = (await self._context()).user
            if user is not None and not user.mapping("exec"):
                return _local_account(user)
        return await self._token(self._scope())

    def credential_key(self) -> AccessToken | None:
        """One token serves all clusters of an identity, but for static certificates."""
        if self.allow_local_account or self.problems():
            return None
        return AccessToken(self._login(), self._scope())

    async def explain(self, error: MCKSError) -> str:
        """Say whether the cluster is stopped or private, or which token was refused."""
        if isinstance(error, Unauthorized):
            return "Set tenant_id to the cluster's Entra tenant, and server_id to its application"
        if not isinstance(error, Unreachable):
            return ""
        found = (await self._ask("GET", "", {})).get("properties") or {}
        if (found.get("powerState") or {}).get("code") == "Stopped":
            return "The cluster is stopped: start it (az aks start)"
        if (found.get("apiServerAccessProfile") or {}).get("enablePrivateCluster"):
            return (
                "The cluster is private: the hub must be in its network and resolve its private "
                "DNS zone, or use public_fqdn"
            )
        return ""

    def identity(self) -> str:
        """Name the client id, or the source."""
        who = f" {self.client_id}" if self.client_id else ""
        return f"the hub's Entra identity{who} ({self.credential})"

    def _where(self) -> str:
        return f"cluster {self.cluster_name!r} (AKS {self.resource_group}/{self.cluster})"

    def _cloud(self) -> Cloud:
        if self.problems():
            raise ConfigError("; ".join(self.problems()))
        return CLOUDS[self._cloud_name()]

    def _cloud_name(self) -> str:
        return CLOUD_ALIASES.get(self.azure_environment, self.azure_environment)

    def _scope(self) -> str:
        return f"{self.server_id}/.default"

    def _login(self) -> Login:
        return Login(
            kind=self.credential,
            tenant_id=self.tenant_id,
            client_id=self.client_id,
            authority=self._cloud().authority,
        )

    async def _token(self, scope: str) -> Credential:
        login = self._login()
        with naming(self._where(), LOG_IN):
            return await access_token(login, scope)

    async def _ask(self, method: str, action: str, query: dict[str, str]) -> dict[str, Any]:
        manager = self._cloud().resource_manager
        token = await self._token(f"{manager}/.default")
        names = (self.subscription, self.resource_group, self.cluster)
        path = (
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService"
            "/managedClusters/{}"
        ).format(*(quote(name, safe="") for name in names))
        doing = f"managedClusters/{action or 'read'}"
        url = f"{manager}{path}/{action}".rstrip("/")
        query = {"api-version": self.api_version} | query
        request = Call("Azure", doing, url, token=token.token or "", method=method, query=query)
        with naming(self._where(), FIND):
            try:
                return await call(request)
            except Refused as exc:
                if exc.code in _NO_SUCH:
                    raise ConfigError(f"{exc}. {_NO_SUCH[exc.code]}") from exc
                exc.advise(_REMEDIES.get(exc.code, ""))
                raise

    async def _context(self) -> Context:
        query = {"format": "exec"} | ({"server-fqdn": "public"} if self.public_fqdn else {})
        answer = await self._ask("POST", "listClusterUserCredential", query)
        try:
            text = pem.decoded(answer["kubeconfigs"][0]["value"], "the kubeconfig").decode()
        except (LookupError, TypeError, ConfigError, UnicodeDecodeError) as exc:
            raise ConfigError(f"{self._where()}: Azure gave no kubeconfig for it") from exc
        try:
            return loads(text, "Azure's kubeconfig").context()
        except ConfigError as exc:
            raise ConfigError(f"{self._where()}: {exc}") from exc

    def _check_login(self, user: Entry) -> None:
        arguments = user.mapping("exec").get("args") or []
        if not arguments:
            if self.allow_local_account:
                self.log.warning("%s: using its static certificate", self._where())
                return
            raise ConfigError(
                f"{self._where()}: it has no Entra integration, only a static certificate that is "
                "valid for years: switch on Entra integration, or set allow_local_account"
            )
        if "--server-id" in arguments[:-1]:
            wanted = arguments[arguments.index("--server-id") + 1]
            if wanted != self.server_id:
                raise ConfigError(
                    f"{self._where()}: it has its own Entra application: set server_id to {wanted}"
                )


def _local_account(user: Entry) -> Credential:
    certificate, key = user.data("client-certificate"), user.data("client-key")
    return pem.credential(user.text("token"), certificate, key)


def _has_sdk() -> bool:
    found = importlib.util.find_spec("azure")
    return found is not None and importlib.util.find_spec("azure.identity") is not None
