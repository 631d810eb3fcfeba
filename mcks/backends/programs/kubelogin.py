"""``kubelogin get-token`` of Azure, and the old auth-provider ``azure``: Entra's log-in.

How tokens are made is in `mcks.auth.azure`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mcks.auth import azure
from mcks.auth.credential import Credential
from mcks.backends.arguments import Arguments, harmless, parse, spelled
from mcks.backends.native import Known
from mcks.errors import ConfigError

_PERSON = (
    "it logs in as a person; the hub uses its own Entra identity instead, so the rights may differ"
)


@dataclass(frozen=True)
class AKS:
    """An Entra token for *scope*."""

    login: azure.Login
    scope: str
    warning: str = ""

    async def mint(self) -> Credential:
        """Log in to Entra."""
        return await azure.access_token(self.login, self.scope)

    def renewal(self) -> tuple[float, float | None]:
        """Renew as early as azure-identity does."""
        return azure.RENEW_BEFORE, None

    def credential_key(self) -> Hashable | None:
        """One token serves all clusters of the identity and application."""
        return "azure", self.login, self.scope

    def identity(self) -> str:
        """Name the client id, where it is told."""
        return f"the hub's Entra identity {self.login.client_id}".rstrip()


_VALUES = spelled(
    {
        "login": "--login -l",
        "server": "--server-id",
        "client": "--client-id",
        "tenant": "--tenant-id -t",
        "environment": "--environment -e",
        "secret": "--client-secret",
        "certificate": "--client-certificate",
        "password": "--client-certificate-password",
        "resource": "--identity-resource-id",
        "authority": "--authority-host",
        "federated": "--federated-token-file",
        "pop": "--pop-claims",
    }
) | harmless(
    "--username --password --token-cache-dir --cache-dir --redirect-url --login-hint --timeout "
    "--subscription -s --azure-pipelines-service-connection-id --v -v"
)
_FLAGS = spelled({"legacy": "--legacy", "pop": "--pop-enabled"}) | harmless(
    "--disable-environment-override --disable-instance-discovery --use-azurerm-env-vars "
    "--logtostderr"
)
_PERSONS = ("devicecode", "interactive", "azurecli", "azd")
_SERVED = ("spn", "msi", "workloadidentity", *_PERSONS)
_NOT_FOR_HUBS = ("ropc", "azurepipelines")
_CLOUDS = {name.lower(): cloud for name, cloud in azure.CLOUDS.items()} | {
    "azurecloud": azure.CLOUDS["AzurePublicCloud"],
    "azurepublic": azure.CLOUDS["AzurePublicCloud"],
    "azureusgovernment": azure.CLOUDS["AzureUSGovernmentCloud"],
}
"""By all names that kubelogin takes, in small letters."""


def _kubelogin(arguments: Sequence[str], environment: Mapping[str, str]) -> AKS | None:
    if any(a.partition("=")[0] == "--oidc-issuer-url" for a in arguments):
        return None  # another program of the same name
    if "get-token" not in arguments:
        return None
    found = parse(arguments, values=_VALUES, flags=_FLAGS)
    if "legacy" in found.flags:
        raise ConfigError("kubelogin --legacy is not served: it needs the retired v1 endpoint")
    if "pop" in found.flags or found.get("pop"):
        raise ConfigError("kubelogin --pop-enabled (proof-of-possession tokens) is not served")
    if not found.get("server"):
        raise ConfigError("exec.args of kubelogin have no --server-id")
    kind = found.get("login") or "devicecode"
    scope = f"{found.get('server')}/.default"
    if kind in _PERSONS:
        login = azure.Login(authority=_authority(found))
        return AKS(login, scope, f"kubelogin --login {kind}: {_PERSON}")
    return AKS(_entra_login(kind, found, environment), scope)


def _entra_login(kind: str, found: Arguments, environment: Mapping[str, str]) -> azure.Login:
    client = found.get("client") or environment.get("AZURE_CLIENT_ID", "")
    tenant = found.get("tenant") or environment.get("AZURE_TENANT_ID", "")
    if kind == "msi":
        return azure.Login(
            "managed-identity", client_id=client, identity_resource_id=found.get("resource")
        )
    if kind == "workloadidentity":
        file = found.get("federated") or environment.get("AZURE_FEDERATED_TOKEN_FILE", "")
        return azure.Login(
            "workload-identity", tenant, client, _authority(found), federated_token_file=file
        )
    if kind in _NOT_FOR_HUBS:
        raise ConfigError(f"kubelogin --login {kind} is not served: a hub cannot log in that way")
    if kind != "spn":
        served = ", ".join(_SERVED)
        raise ConfigError(f"kubelogin --login names no way that is served, which are {served}")
    if found.get("password"):
        raise ConfigError("kubelogin --client-certificate-password is not served: take it off")
    old = "AAD_SERVICE_PRINCIPAL_CLIENT_"
    secret = found.get("secret") or _first(environment, f"{old}SECRET", "AZURE_CLIENT_SECRET")
    file = found.get("certificate") or _first(
        environment, f"{old}CERTIFICATE", "AZURE_CLIENT_CERTIFICATE_PATH"
    )
    return azure.Login(
        "certificate" if file and not secret else "client-secret" if secret else "environment",
        tenant,
        client or environment.get(f"{old}ID", ""),
        _authority(found),
        client_secret=secret,
        certificate_file=file,
    )


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")


def _authority(found: Arguments) -> str:
    """Microsoft's own hosts only: a secret of the hub may be sent there."""
    known = {cloud.authority for cloud in azure.CLOUDS.values()}
    given = found.get("authority").removeprefix("https://").rstrip("/")
    if given and given not in known:
        raise ConfigError("kubelogin --authority-host: nothing is sent to strangers")
    name = found.get("environment").lower()
    if given or not name:
        return given
    if name == "azurestackcloud":
        raise ConfigError("kubelogin --environment AzureStackCloud is not served")
    if name not in _CLOUDS:
        raise ConfigError(f"kubelogin --environment is none of {', '.join(azure.CLOUDS)}")
    return _CLOUDS[name].authority


def _read_config(config: Mapping[str, object]) -> AKS:
    server = str(config.get("apiserver-id") or azure.AKS_SERVER_ID)
    # Without config-mode 1 the old provider put spn: in front of the audience.
    prefix = "" if str(config.get("config-mode", "0")) == "1" else "spn:"
    options = {"environment": str(config.get("environment") or "")}
    login = azure.Login(authority=_authority(Arguments(options=options)))
    return AKS(login, f"{prefix}{server}/.default", f"auth-provider azure: {_PERSON}")


KNOWN = Known(commands={"kubelogin": _kubelogin}, auth_providers={"azure": _read_config})
