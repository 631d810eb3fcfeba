"""``kubelogin get-token`` of Azure, and the old auth-provider ``azure``: Entra's log-in.

How tokens are made is in `mcks.auth.azure`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mcks.auth import azure
from mcks.auth.credential import Credential
from mcks.auth.shared import SharedLogin
from mcks.backends.arguments import Arguments, harmless, parse, spelled
from mcks.backends.native import Invocation, Known
from mcks.backends.variables import last_set
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

    def credential_key(self) -> SharedLogin | None:
        """One token serves all clusters of the identity and application."""
        return azure.AccessToken(self.login, self.scope)

    def identity(self) -> str:
        """Name the client id or resource, where it is told."""
        who = self.login.client_id or self.login.identity_resource_id
        return f"the hub's Entra identity {who}".rstrip()


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
_FLAGS = spelled(
    {
        "legacy": "--legacy",
        "pop": "--pop-enabled",
        "closed": "--disable-environment-override",
        "terraform": "--use-azurerm-env-vars",
    }
) | harmless("--disable-instance-discovery --logtostderr")

_Variables = Mapping[str, tuple[str, ...]]
"""Names of variables by the option that they set; the last that is set counts."""

_SERVICE_PRINCIPAL = "AAD_SERVICE_PRINCIPAL_CLIENT_"
_USUAL: _Variables = {
    "client": (f"{_SERVICE_PRINCIPAL}ID", "AZURE_CLIENT_ID"),
    "secret": (f"{_SERVICE_PRINCIPAL}SECRET", "AZURE_CLIENT_SECRET"),
    "certificate": (f"{_SERVICE_PRINCIPAL}CERTIFICATE", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "password": (
        f"{_SERVICE_PRINCIPAL}CERTIFICATE_PASSWORD",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    ),
    "tenant": ("AZURE_TENANT_ID",),
}
_TERRAFORM: _Variables = {
    "client": ("ARM_CLIENT_ID",),
    "secret": ("ARM_CLIENT_SECRET",),
    "certificate": ("ARM_CLIENT_CERTIFICATE_PATH",),
    "password": ("ARM_CLIENT_CERTIFICATE_PASSWORD",),
    "tenant": ("ARM_TENANT_ID",),
}
_FEDERATED: _Variables = {
    "client": ("AZURE_CLIENT_ID",),
    "federated": ("AZURE_FEDERATED_TOKEN_FILE",),
    "authority": ("AZURE_AUTHORITY_HOST",),
}
_ALL_TABLES = (_USUAL, _TERRAFORM, _FEDERATED)
_METHOD = "AAD_LOGIN_METHOD"
_HARMLESS = ("AZURE_CLI_TIMEOUT", "KUBECACHEDIR", "AZURE_CONFIG_DIR")
_BY_HUB = f"{_METHOD} in the hub's environment:"
_NOT_FOLLOWED = f"{_METHOD} in the hub's environment is not followed, the kubeconfig says --login"
_PERSONS = ("devicecode", "interactive", "azurecli", "azd")
_CLIENT_OF_PERSONS = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
"""What AKS names as the client of a person's login, whatever way to log in counts in the end."""
_NOT_FOR_HUBS = ("ropc", "azurepipelines")


def _read(invocation: Invocation) -> AKS | None:
    if any(a.partition("=")[0] == "--oidc-issuer-url" for a in invocation.arguments):
        return None  # another program of the same name
    if "get-token" not in invocation.arguments:
        return None
    found = parse(invocation.arguments, values=_VALUES, flags=_FLAGS)
    if "legacy" in found.flags:
        raise ConfigError("kubelogin --legacy is not served: it needs the retired v1 endpoint")
    if "pop" in found.flags or found.get("pop"):
        raise ConfigError("kubelogin --pop-enabled (proof-of-possession tokens) is not served")
    if not found.get("server"):
        raise ConfigError("exec.args of kubelogin have no --server-id")
    scope = f"{found.get('server')}/.default"
    kind, how = _method(found, invocation)
    tables = _tables(kind, found.flags)
    _check_variables(invocation, kind, found.flags)
    environment = invocation.environment
    if how == _BY_HUB:
        environment = {**invocation.hub, **environment}
    options = _filled(_overridden(found, environment, tables), invocation.hub, tables)
    if kind in _PERSONS:
        login = azure.Login(tenant_id=options.get("tenant"), authority=_authority(options))
        return AKS(login, scope, f"{how} {kind}: {_PERSON}")
    login = _LOGINS[kind](options)
    if found.flags & {"closed", "terraform"}:
        login = _alone(login)
    follows = "closed" in found.flags or invocation.variable(_METHOD) in ("", kind)
    return AKS(login, scope, "" if follows else f"{_NOT_FOLLOWED} {kind}")


def _method(found: Arguments, invocation: Invocation) -> tuple[str, str]:
    """Give how to log in, and where that is said. Raises `ConfigError` if it is not served."""
    kind, how = found.get("login") or "devicecode", "kubelogin --login"
    if "closed" not in found.flags:
        if _METHOD in invocation.environment:
            kind, how = invocation.environment[_METHOD], f"{_METHOD} in exec.env:"
        elif kind in _PERSONS and invocation.hub.get(_METHOD):
            # No hub is that person, so how it logs in is left open.
            kind, how = invocation.hub[_METHOD], _BY_HUB
    if kind in _NOT_FOR_HUBS:
        raise ConfigError(f"{how} {kind} is not served: a hub cannot log in that way")
    if kind not in _LOGINS and kind not in _PERSONS:
        served = ", ".join((*_LOGINS, *_PERSONS))
        raise ConfigError(f"{how.rstrip(':')} names none of those that are served: {served}")
    return kind, how


def _tables(kind: str, flags: Collection[str]) -> list[_Variables]:
    """Give the variables that count for kubelogin; of those of a later table, before others."""
    if "closed" in flags:
        return []
    usual = _TERRAFORM if "terraform" in flags else _USUAL
    if kind in _PERSONS:
        return [{"tenant": usual["tenant"]}]
    return [usual, _FEDERATED] if kind == "workloadidentity" else [usual]


def _check_variables(invocation: Invocation, kind: str, flags: Collection[str]) -> None:
    """Raise `ConfigError` for a variable that kubelogin would not read for this login."""
    known = _names(_ALL_TABLES)
    # They are switched off as a whole, and whoever does that knows it.
    counting = known if "closed" in flags else _names(_tables(kind, flags))
    for name in invocation.environment:
        if name not in known or name in counting:
            continue
        if name in _names([_TERRAFORM]) and "terraform" not in flags:
            why = "without --use-azurerm-env-vars: add that, or take it out"
        elif name in _names([_USUAL]) and "terraform" in flags:
            why = "beside --use-azurerm-env-vars: take one of them out"
        else:
            why = f"for the login {kind}: take it out, or choose another login"
        raise ConfigError(f"{name} in exec.env does not count for kubelogin {why}")
    if "closed" in flags:
        invocation.refuse_lost((), (*known, _METHOD, *_HARMLESS))
    else:
        invocation.refuse_lost((*counting, _METHOD), _HARMLESS)


def _names(tables: Iterable[_Variables]) -> set[str]:
    return {name for table in tables for names in table.values() for name in names}


def _overridden(
    found: Arguments, environment: Mapping[str, str], tables: Iterable[_Variables]
) -> Arguments:
    """Let variables of the stanza win over its arguments, even empty ones, as kubelogin does."""
    said = dict(found.options)
    if said.get("client") == _CLIENT_OF_PERSONS:
        del said["client"]
    for table in tables:
        for option, names in table.items():
            for name in names:
                if name in environment:
                    said[option] = environment[name]
    return Arguments(options=said)


def _filled(options: Arguments, hub: Mapping[str, str], tables: Sequence[_Variables]) -> Arguments:
    """Let the hub's environment say what the stanza leaves open."""
    said = dict(options.options)
    closed = {"password", "authority"}
    if options.get("secret") or options.get("certificate"):
        closed |= {"secret", "certificate"}
    if options.get("resource"):
        closed |= {"client"}
    for table in reversed(tables):
        for option, names in table.items():
            name = last_set(names, hub)
            if name and option not in closed and not said.get(option):
                said[option] = hub[name]
    return Arguments(options=said)


def _managed_identity(options: Arguments) -> azure.Login:
    client = options.get("client")
    resource = "" if client else options.get("resource")
    return azure.Login("managed-identity", client_id=client, identity_resource_id=resource)


def _workload_identity(options: Arguments) -> azure.Login:
    return azure.Login(
        "workload-identity",
        options.get("tenant"),
        options.get("client"),
        _authority(options),
        federated_token_file=options.get("federated"),
    )


def _service_principal(options: Arguments) -> azure.Login:
    if options.get("password"):
        raise ConfigError(
            "kubelogin --client-certificate-password (or its variable in exec.env) is not served: "
            "take it off, and use a PEM file"
        )
    file, secret = options.get("certificate"), options.get("secret")
    return azure.Login(
        "certificate" if file else "client-secret" if secret else "environment",
        options.get("tenant"),
        options.get("client"),
        _authority(options),
        client_secret="" if file else secret,
        certificate_file=file,
    )


def _alone(login: azure.Login) -> azure.Login:
    """Let nothing be filled from the hub's usual variables."""
    if login.kind == "environment":
        raise ConfigError(
            "kubelogin --login spn finds neither a client secret nor a certificate where its "
            "options let it look"
        )
    return replace(login, from_environment=False)


_LOGINS: Mapping[str, Callable[[Arguments], azure.Login]] = {
    "spn": _service_principal,
    "msi": _managed_identity,
    "workloadidentity": _workload_identity,
}
_CLOUDS = {name.lower(): cloud for name, cloud in azure.CLOUDS.items()} | {
    "azurecloud": azure.CLOUDS["AzurePublicCloud"],
    "azurepublic": azure.CLOUDS["AzurePublicCloud"],
    "azureusgovernment": azure.CLOUDS["AzureUSGovernmentCloud"],
}
"""By all names that kubelogin takes, in small letters."""


def _authority(options: Arguments) -> str:
    """Microsoft's own hosts only: a secret of the hub may be sent there."""
    known = {cloud.authority for cloud in azure.CLOUDS.values()}
    given = options.get("authority").removeprefix("https://").rstrip("/")
    if given and given not in known:
        raise ConfigError(
            "kubelogin --authority-host (or AZURE_AUTHORITY_HOST in exec.env): nothing is sent to "
            "strangers"
        )
    name = options.get("environment").lower()
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
    login = azure.Login(
        tenant_id=str(config.get("tenant-id") or ""),
        authority=_authority(Arguments(options=options)),
    )
    return AKS(login, f"{prefix}{server}/.default", f"auth-provider azure: {_PERSON}")


KNOWN = Known(commands={"kubelogin": _read}, auth_providers={"azure": _read_config})
