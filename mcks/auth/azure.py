"""Access tokens from Microsoft Entra, without the Azure command line.

Finding clusters belongs to `mcks.backends.aks`; caching to `mcks.auth.credential`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mcks.auth.credential import Credential
from mcks.auth.sdk import fault
from mcks.auth.shared import SharedLogin
from mcks.auth.threads import in_thread
from mcks.errors import AuthError, ConfigError, MCKSError, MissingDependency, Unreachable

RENEW_BEFORE = 300.0
"""Seconds: azure-identity itself takes a cached token for too old then."""

AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The application that all AKS clusters with managed Entra integration are, in all clouds."""

_DEADLINE = 45.0
_SECRET_VARIABLES = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH")
_WAY = "Let the hub reach the log-in service; HTTPS_PROXY counts"
_FEDERATED = (
    "Give the application a federated credential with just the issuer, subject (the hub's "
    "namespace and ServiceAccount) and audience of the hub's token"
)
_TENANT = "There is no such tenant: set tenant_id, or AZURE_TENANT_ID, to the application's"
_REMEDIES = {
    "AADSTS7000215": "The client secret is wrong: set AZURE_CLIENT_SECRET to its value, not to its "
    "id",
    "AADSTS7000222": "The client secret has expired: make another one, or better use workload "
    "identity",
    "AADSTS700016": "There is no such application in this tenant: set client_id and tenant_id",
    "AADSTS70021": _FEDERATED,
    "AADSTS700211": _FEDERATED,
    "AADSTS700212": _FEDERATED,
    "AADSTS700213": _FEDERATED,
    "AADSTS50034": "There is no such account in this tenant: a hub needs an application or a "
    "managed identity of the tenant that tenant_id names",
    "AADSTS90002": _TENANT,
    "AADSTS900023": _TENANT,
    "AADSTS700024": "The hub's token is too old, or the hub's clock is off: set it right (NTP)",
}
"""By Entra's own codes."""
_NO_MANAGED_IDENTITY = (
    "On AKS give the hub's ServiceAccount Workload Identity; assign a machine an identity, and "
    "name it by client_id if it has several"
)
KINDS = (
    "auto",
    "environment",
    "workload-identity",
    "managed-identity",
    "client-secret",
    "certificate",
)


@dataclass(frozen=True)
class Cloud:
    """One of Microsoft's clouds: where to log in, and where its Resource Manager is."""

    authority: str
    resource_manager: str


CLOUDS = {
    "AzurePublicCloud": Cloud("login.microsoftonline.com", "https://management.azure.com"),
    "AzureUSGovernmentCloud": Cloud(
        "login.microsoftonline.us", "https://management.usgovcloudapi.net"
    ),
    "AzureChinaCloud": Cloud("login.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
}
"""By the names that kubelogin uses."""
CLOUD_ALIASES = {"AzureCloud": "AzurePublicCloud", "AzureUSGovernment": "AzureUSGovernmentCloud"}
"""The names that az uses, where they differ."""


@dataclass(frozen=True)
class Login:
    """Which Entra identity to use.

    With *from_environment* empty fields are filled from the environment (``AZURE_...``).
    *kind* is one of `KINDS`; ``auto`` takes the first of environment, workload identity and
    managed identity for which the environment holds what is needed. Never a command.
    """

    kind: str = "auto"
    tenant_id: str = ""
    client_id: str = ""
    authority: str = ""
    client_secret: str = field(default="", repr=False)
    certificate_file: str = ""
    federated_token_file: str = ""
    identity_resource_id: str = ""
    """Of a managed identity; it wins over *client_id*."""
    from_environment: bool = True


@dataclass(frozen=True)
class AccessToken(SharedLogin):
    """The access token of *login* for *scope*: it serves all AKS clusters of that application."""

    login: Login
    scope: str

    renew_before: ClassVar[float] = RENEW_BEFORE

    def __str__(self) -> str:
        return f"Entra log-in ({self.login.client_id or 'the hub'})"

    async def mint(self) -> Credential:
        """Log in."""
        return await access_token(self.login, self.scope)


async def access_token(login: Login, scope: str) -> Credential:
    """Get an access token for *scope*, such as ``https://management.azure.com/.default``.

    Raises `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`.
    """
    await in_thread("Azure", login, _import_sdk)
    kind = _kind(login)
    try:
        # A new one each time: a credential keeps its tokens, and cannot be told to forget them.
        async with _credential(login, kind) as credential, asyncio.timeout(_DEADLINE):
            token = await credential.get_token(scope)
            return Credential(token=token.token, expires_at=float(token.expires_on))
    except TimeoutError as exc:
        raise Unreachable(
            f"Entra ({kind}): no token within {_DEADLINE:.0f} seconds. {_WAY}"
        ) from exc
    except MCKSError:
        raise
    except Exception as exc:
        failure = _told(kind, exc)
    # Out here nothing of the SDK's error hangs on ours: it holds the whole answer.
    raise failure


def _told(kind: str, exc: Exception) -> MCKSError:
    from azure.core import exceptions as azure  # noqa: PLC0415 - slow, optional

    where = f"Entra ({kind})"
    text = f"{where}: {_first_words(exc)}"
    match exc:
        case azure.ClientAuthenticationError():
            return _refused(kind, text)
        case azure.AzureError():
            return Unreachable(f"{text}. {_WAY}")
        case ValueError() | OSError():
            return ConfigError(f"{text}. Correct the AZURE_ variables, or tenant_id and client_id")
    return fault(where, "azure-identity", exc)


def _import_sdk() -> None:
    try:
        importlib.import_module("azure.identity.aio")
    except ImportError as exc:
        raise MissingDependency("Azure needs azure-identity: pip install 'mcks[aks]'") from exc
    for name in ("azure.core.pipeline.policies.http_logging_policy", "azure.identity"):
        log = logging.getLogger(name)
        if log.level == logging.NOTSET:
            # Its warnings repeat, with whole answers, what our errors say.
            log.setLevel(logging.ERROR)


def _kind(login: Login, environ: Mapping[str, str] = os.environ) -> str:
    if login.kind not in KINDS:
        raise ConfigError(f"Entra: {login.kind!r} is not one of {', '.join(KINDS)}")
    if login.kind != "auto":
        return login.kind
    if any(environ.get(name) for name in _SECRET_VARIABLES):
        return "environment"
    if login.federated_token_file or environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        return "workload-identity"
    return "managed-identity"


def _credential(login: Login, kind: str) -> Any:
    from azure.identity import aio  # noqa: PLC0415 - slow, optional

    common = _common(login)
    if kind == "managed-identity":
        common["use_env_settings"] = False  # no proxy is asked as whom this machine runs
        return aio.ManagedIdentityCredential(**common, **_machine_identity(login))
    tenant = _filled(login, login.tenant_id, "TENANT_ID")
    client = _filled(login, login.client_id, "CLIENT_ID")
    if kind == "workload-identity":
        file = _filled(login, login.federated_token_file, "FEDERATED_TOKEN_FILE")
        return aio.WorkloadIdentityCredential(
            tenant_id=tenant, client_id=client, token_file_path=file, **common
        )
    secret = login.client_secret or _variable(login, "CLIENT_SECRET")
    if kind == "client-secret" or (kind == "environment" and secret):
        return aio.ClientSecretCredential(tenant, client, secret, **common)
    file = _filled(login, login.certificate_file, "CLIENT_CERTIFICATE_PATH")
    password = _variable(login, "CLIENT_CERTIFICATE_PASSWORD") or None
    return aio.CertificateCredential(tenant, client, file, password=password, **common)


def _machine_identity(login: Login) -> dict[str, Any]:
    """Name a managed identity and no other source: the SDK itself prefers a workload identity."""
    only: dict[str, Any] = {"_exclude_workload_identity_credential": True}
    if login.identity_resource_id:
        # the name that the metadata service gives to the parameter
        return only | {"identity_config": {"msi_res_id": login.identity_resource_id}}
    client = login.client_id or _variable(login, "CLIENT_ID")
    return only | ({"client_id": client} if client else {})


def _common(login: Login) -> dict[str, Any]:
    """Deadlines: the SDK's own are five minutes, and ten retries."""
    settings: dict[str, Any] = {
        "connection_timeout": 5,
        "read_timeout": 15,
        "retry_total": 2,
        "retry_backoff_factor": 0.2,
    }
    authority = login.authority or _variable(login, "AUTHORITY_HOST")
    if authority:
        settings["authority"] = authority
    if os.environ.get("SSL_CERT_FILE"):
        settings["connection_verify"] = os.environ["SSL_CERT_FILE"]
    return settings


def _variable(login: Login, name: str) -> str:
    return os.environ.get(f"AZURE_{name}", "") if login.from_environment else ""


def _filled(login: Login, given: str, variable: str) -> str:
    value = given or _variable(login, variable)
    if not value:
        remedy = f"set it, or AZURE_{variable}" if login.from_environment else "set it"
        raise ConfigError(f"Entra: {variable.lower()} is missing: {remedy}")
    return value


def _refused(kind: str, text: str) -> AuthError:
    fitting = (remedy for code, remedy in _REMEDIES.items() if f"{code}:" in text)
    other = _NO_MANAGED_IDENTITY if kind == "managed-identity" else "Entra's documentation lists it"
    return AuthError(f"{text}. {next(fitting, other)}")


def _first_words(exc: Exception) -> str:
    """Give Entra's own sentence, without trace ids."""
    words = str(getattr(exc, "message", "") or exc)
    first = words.splitlines()[0] if words else type(exc).__name__
    return first.split(" Trace ID:")[0][:500].rstrip(". ")
