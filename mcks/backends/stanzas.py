"""Known log-in stanzas of kubeconfig users, so that they are served without running a program.

Reads only; logging in is done by `mcks.backends.native`. Unknown plug-ins do not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from mcks.auth import aws, azure, google
from mcks.backends.arguments import Arguments, parse
from mcks.backends.kubeconfig import Entry
from mcks.errors import ConfigError

_PERSON = (
    "it logs in as a person; the hub uses its own Entra identity instead, so the rights may differ"
)
_GCLOUD = (
    "gcloud's own account would be used; the hub uses Application Default Credentials instead, so "
    "the rights may differ"
)
_DOCTL = "the hub's own DigitalOcean token is used, not that of doctl's configuration"
_IGNORED_KUBELOGIN = ("--token-cache-dir", "--cache-dir", "--redirect-url", "--login-hint")


@dataclass(frozen=True)
class EKS:
    """A token for *cluster*, made with *login*."""

    login: aws.Login
    cluster: str
    warning: str = ""


@dataclass(frozen=True)
class GKE:
    """A Google access token."""

    login: google.Login
    warning: str = ""


@dataclass(frozen=True)
class AKS:
    """An Entra token for *scope*."""

    login: azure.Login
    scope: str
    warning: str = ""


@dataclass(frozen=True)
class DOKS:
    """A token that DigitalOcean makes for the cluster *identity*."""

    identity: str
    warning: str = _DOCTL


Native = EKS | GKE | AKS | DOKS


def recognise(user: Entry) -> Native | None:
    """Say how mcks itself logs in *user*; None for a plug-in that it does not know.

    Raises `ConfigError` for a known one that cannot be served, or has options that would be lost.
    """
    stanza, provider = user.mapping("exec"), user.mapping("auth-provider")
    try:
        if stanza:
            return _of_exec(stanza)
        if provider:
            return _of_provider(str(provider.get("name", "")), provider.get("config") or {})
    except ConfigError as exc:
        raise ConfigError(f"{user}: {exc}") from exc
    return None


def base_name(command: str) -> str:
    """Give a command's name without folder and ``.exe``, written on any system."""
    name = PureWindowsPath(PurePosixPath(command).name).name
    return name[:-4] if name.lower().endswith(".exe") else name


def environment_of(stanza: Mapping[str, object]) -> dict[str, str]:
    """Give the variables that an exec stanza sets. Raises `ConfigError`."""
    variables = stanza.get("env") or []
    if not isinstance(variables, list) or not all(
        isinstance(v, dict) and isinstance(v.get("name"), str) and isinstance(v.get("value"), str)
        for v in variables
    ):
        raise ConfigError("exec.env must be a list of names and values (strings)")
    return {variable["name"]: variable["value"] for variable in variables}


def arguments_of(stanza: Mapping[str, object]) -> list[str]:
    """Give the arguments of an exec stanza. Raises `ConfigError`."""
    arguments = stanza.get("args") or []
    if not isinstance(arguments, list) or not all(isinstance(a, str) for a in arguments):
        raise ConfigError("exec.args must be a list of strings (quote numbers)")
    return arguments


def _of_exec(stanza: Mapping[str, object]) -> Native | None:
    command = base_name(str(stanza.get("command") or ""))
    arguments, environment = arguments_of(stanza), environment_of(stanza)
    reader = _READERS.get(command)
    return None if reader is None else reader(arguments, environment)


def _gke(arguments: list[str], environment: Mapping[str, str]) -> Native:
    names = {"--impersonate_service_account": "impersonate", "--account": "account"}
    names |= {"--project": "project", "--location": "location", "--cluster": "cluster"}
    flags = {"--use_application_default_credentials": "adc", "--use_edge_cloud": "edge"}
    found = parse(arguments, values=names, flags=flags)
    if "edge" in found.flags:
        raise ConfigError("gke-gcloud-auth-plugin --use_edge_cloud (edge clusters) is not served")
    if "adc" in found.flags:
        # The plug-in itself ignores the rest then.
        return GKE(google.Login())
    if environment.get("CLOUDSDK_AUTH_ACCESS_TOKEN"):
        raise ConfigError("CLOUDSDK_AUTH_ACCESS_TOKEN in exec.env ends soon: take it out")
    return GKE(google.Login(impersonate=found.get("impersonate")), _GCLOUD)


def _aws(arguments: list[str], environment: Mapping[str, str]) -> Native | None:
    names = {f"--{n}": n for n in ("region", "cluster-name", "cluster-id", "profile", "output")}
    names |= {"--role": "role", "--role-arn": "role", "--endpoint-url": "endpoint"}
    if not {"eks", "get-token"} <= set(arguments):
        return None
    found = parse(arguments, values=names, flags={})
    if found.words != ("eks", "get-token"):
        return None
    if found.get("endpoint"):
        raise ConfigError("aws --endpoint-url: the hub's credentials are not sent elsewhere")
    cluster = found.get("cluster-id") or found.get("cluster-name")
    login = _aws_login(found, environment, role=found.get("role"), session="EKSGetTokenAuth")
    return _eks(login, cluster, "")


def _iam_authenticator(arguments: list[str], environment: Mapping[str, str]) -> Native | None:
    names = {"-i": "cluster", "--cluster-id": "cluster", "-r": "role", "--role": "role"}
    names |= {"-e": "external-id", "--external-id": "external-id", "--region": "region"}
    names |= {"-s": "session", "--session-name": "session"}
    flags = {"--forward-session-name": "forward", "--cache": "", "--token-only": "only"}
    if "token" not in arguments:
        return None
    found = parse(arguments, values=names, flags=flags)
    if found.words != ("token",):
        return None
    role = found.get("role") or environment.get("DEFAULT_ROLE", "")
    login = _aws_login(found, environment, role=role, session=found.get("session") or "mcks")
    forward = "--forward-session-name is ignored: the session is called mcks"
    return _eks(login, found.get("cluster"), forward if "forward" in found.flags else "")


def _eks(login: aws.Login, cluster: str, warning: str) -> EKS:
    if not cluster:
        raise ConfigError("exec.args name no cluster")
    return EKS(login, cluster, warning)


_AWS_VARIABLES = {
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
}  # fmt: skip


def _aws_login(
    found: Arguments, environment: Mapping[str, str], *, role: str, session: str
) -> aws.Login:
    for name in environment:
        if name.startswith("AWS_ENDPOINT_URL"):
            raise ConfigError(f"{name} in exec.env: the hub's credentials are not sent elsewhere")
        if name.startswith("AWS_") and name not in _AWS_VARIABLES:
            raise ConfigError(f"{name} in exec.env is not understood")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION", "")
    return aws.Login(
        region=found.get("region") or region,
        profile=found.get("profile") or environment.get("AWS_PROFILE", ""),
        role_arn=role,
        external_id=found.get("external-id"),
        session_name=session,
        sts_regional_endpoints=environment.get("AWS_STS_REGIONAL_ENDPOINTS", ""),
        access_key_id=environment.get("AWS_ACCESS_KEY_ID", ""),
        secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=environment.get("AWS_SESSION_TOKEN", ""),
    )


_KUBELOGIN_VALUES = {
    "--login": "login", "-l": "login", "--server-id": "server-id", "--client-id": "client-id",
    "--tenant-id": "tenant-id", "-t": "tenant-id", "--environment": "environment",
    "-e": "environment", "--client-secret": "secret", "--client-certificate": "certificate",
    "--identity-resource-id": "resource", "--authority-host": "authority",
    "--federated-token-file": "federated", "--username": "person", "--password": "person",
    "--client-certificate-password": "password", "--pop-claims": "pop",
} | dict.fromkeys(_IGNORED_KUBELOGIN, "ignored")  # fmt: skip
_KUBELOGIN_FLAGS = {
    "--legacy": "legacy", "--pop-enabled": "pop", "--disable-environment-override": "",
    "--disable-instance-discovery": "", "--use-azurerm-env-vars": "",
}  # fmt: skip
_PERSONS = ("devicecode", "interactive", "azurecli", "azd")


def _kubelogin(arguments: list[str], environment: Mapping[str, str]) -> Native | None:
    if any(a.partition("=")[0] == "--oidc-issuer-url" for a in arguments):
        return None  # another program of the same name
    if "get-token" not in arguments:
        return None
    found = parse(arguments, values=_KUBELOGIN_VALUES, flags=_KUBELOGIN_FLAGS)
    if "legacy" in found.flags:
        raise ConfigError("kubelogin --legacy is not served: it needs the retired v1 endpoint")
    if "pop" in found.flags or found.get("pop"):
        raise ConfigError("kubelogin --pop-enabled (proof-of-possession tokens) is not served")
    if not found.get("server-id"):
        raise ConfigError("exec.args of kubelogin have no --server-id")
    kind = found.get("login") or "devicecode"
    scope = f"{found.get('server-id')}/.default"
    if kind in _PERSONS:
        login = azure.Login(authority=_authority(found))
        return AKS(login, scope, f"kubelogin --login {kind}: {_PERSON}")
    return AKS(_entra_login(kind, found, environment), scope)


def _entra_login(kind: str, found: Arguments, environment: Mapping[str, str]) -> azure.Login:
    client = found.get("client-id") or environment.get("AZURE_CLIENT_ID", "")
    tenant = found.get("tenant-id") or environment.get("AZURE_TENANT_ID", "")
    if kind == "msi":
        return azure.Login(
            "managed-identity", client_id=client, identity_resource_id=found.get("resource")
        )
    if kind == "workloadidentity":
        file = found.get("federated") or environment.get("AZURE_FEDERATED_TOKEN_FILE", "")
        return azure.Login(
            "workload-identity", tenant, client, _authority(found), federated_token_file=file
        )
    if kind != "spn":
        raise ConfigError(f"kubelogin --login {kind} is not served: a hub cannot log in that way")
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
        raise ConfigError(f"kubelogin --authority-host {given}: nothing is sent to strangers")
    name = found.get("environment")
    if given or not name:
        return given
    cloud = {key.lower(): value for key, value in azure.CLOUDS.items()}.get(name.lower())
    if cloud is None:
        raise ConfigError(f"kubelogin --environment {name} is not served")
    return cloud.authority


def _doctl(arguments: list[str], _environment: Mapping[str, str]) -> Native | None:
    if "exec-credential" not in arguments:
        return None
    values = {"--version": "version", "--context": "context", "--api-url": "api"}
    values |= {"-u": "api", "-t": "token", "--access-token": "token", "--config": "ignored"}
    sso = ("--sso-issuer-url", "--sso-client-id", "--sso-local-server-port")
    found = parse(arguments, values=values | dict.fromkeys(sso, "sso"), flags={})
    if found.get("sso"):
        raise ConfigError("doctl's single sign-on is a login by browser, which a hub cannot do")
    if found.get("api"):
        raise ConfigError("doctl --api-url: the hub's token is not sent elsewhere")
    if found.get("token"):
        raise ConfigError("doctl --access-token is not used: take it out, give the hub a token")
    if len(found.words) < 2 or found.words[-2] != "exec-credential":
        raise ConfigError("exec.args of doctl name no cluster")
    return DOKS(found.words[-1])


def _of_provider(name: str, config: Mapping[str, object]) -> Native | None:
    if name == "gcp":
        return GKE(google.Login(), _GCLOUD)
    if name != "azure":
        return None
    server = str(config.get("apiserver-id") or azure.AKS_SERVER_ID)
    # Without config-mode 1 the old provider put spn: in front of the audience.
    prefix = "" if str(config.get("config-mode", "0")) == "1" else "spn:"
    options = {"environment": str(config.get("environment") or "")}
    login = azure.Login(authority=_authority(Arguments(options=options)))
    return AKS(login, f"{prefix}{server}/.default", f"auth-provider azure: {_PERSON}")


_READERS: dict[str, Callable[[list[str], Mapping[str, str]], Native | None]] = {
    "gke-gcloud-auth-plugin": _gke,
    "aws": _aws,
    "aws-iam-authenticator": _iam_authenticator,
    "heptio-authenticator-aws": _iam_authenticator,
    "kubelogin": _kubelogin,
    "doctl": _doctl,
}
