"""``aws eks get-token`` and ``aws-iam-authenticator``: Amazon's log-ins.

How tokens are signed is in `mcks.auth.aws`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from mcks.auth import aws
from mcks.auth.credential import Credential
from mcks.auth.shared import SharedLogin
from mcks.backends.arguments import harmless, parse, spelled
from mcks.backends.native import Invocation, Known
from mcks.errors import ConfigError


@dataclass(frozen=True)
class EKS:
    """A token for *cluster*, made with *login*."""

    login: aws.Login
    cluster: str
    warning: str = ""

    async def mint(self) -> Credential:
        """Sign a token."""
        return await aws.eks_token(self.login, self.cluster)

    def renewal(self) -> tuple[float, float | None]:
        """A token costs no call: renew it early."""
        return 60.0, aws.RENEW_AGE

    def credential_key(self) -> SharedLogin | None:
        """The cluster's name is in the token."""
        return None

    def identity(self) -> str:
        """Name the role or profile."""
        login = self.login
        who = login.role_arn or (f"the AWS profile {login.profile!r}" if login.profile else "")
        return who or "the hub's AWS identity"


_AWS_VALUES = spelled(
    {
        "region": "--region",
        "profile": "--profile",
        "cluster_name": "--cluster-name",
        "cluster_id": "--cluster-id",
        "role": "--role --role-arn",
        "session": "--session-name",
        "endpoint": "--endpoint-url",
    }
) | harmless(
    "--output --color --cli-binary-format --cli-error-format --cli-read-timeout "
    "--cli-connect-timeout"
)
_AWS_FLAGS = harmless(
    "--debug --v2-debug --no-cli-pager --no-paginate --cli-auto-prompt --no-cli-auto-prompt"
)
_AUTHENTICATOR_VALUES = spelled(
    {
        "region": "--region",
        "cluster": "--cluster-id -i",
        "role": "--role -r",
        "external_id": "--external-id -e",
        "session": "--session-name -s",
    }
) | harmless("--log-format -l --feature-gates")
_AUTHENTICATOR_FLAGS = spelled({"forward": "--forward-session-name"}) | harmless(
    "--cache --token-only"
)
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_VARIABLES = (
    *("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"),
    *_KEYS,
)
_HARMLESS = (
    *("AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_CLI_AUTO_PROMPT", "AWS_CLI_FILE_ENCODING"),
    *("AWS_SDK_LOAD_CONFIG", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"),
)
_ROLE = "DEFAULT_ROLE"
_CLUSTER = "KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID"


def _aws(invocation: Invocation) -> EKS | None:
    if not {"eks", "get-token"} <= set(invocation.arguments):
        return None
    found = parse(invocation.arguments, values=_AWS_VALUES, flags=_AWS_FLAGS)
    if found.words != ("eks", "get-token"):
        return None
    if found.get("endpoint"):
        raise ConfigError("aws --endpoint-url: the hub's credentials are not sent elsewhere")
    environment = invocation.environment
    _check_variables(invocation, _VARIABLES)
    profile = found.get("profile")
    if profile:
        # Like aws: a profile that is named as an argument hides the keys in the environment.
        environment = {name: v for name, v in environment.items() if name not in _KEYS}
    login = replace(
        _login(environment),
        role_arn=found.get("role"),
        session_name=found.get("session") or "EKSGetTokenAuth",
    )
    login = _with(login, region=found.get("region"), profile=profile)
    return _eks(login, found.get("cluster_id") or found.get("cluster_name"), "")


def _iam_authenticator(invocation: Invocation) -> EKS | None:
    if "token" not in invocation.arguments:
        return None
    found = parse(invocation.arguments, values=_AUTHENTICATOR_VALUES, flags=_AUTHENTICATOR_FLAGS)
    if found.words != ("token",):
        return None
    _check_variables(invocation, (*_VARIABLES, _ROLE, _CLUSTER))
    login = replace(
        _login(invocation.environment),
        role_arn=found.get("role") or invocation.variable(_ROLE),
        external_id=found.get("external_id"),
        session_name=found.get("session") or "mcks",
    )
    login = _with(login, region=found.get("region"))
    forward = "--forward-session-name is ignored: the session is called mcks"
    cluster = found.get("cluster") or invocation.variable(_CLUSTER)
    return _eks(login, cluster, forward if "forward" in found.flags else "")


def _eks(login: aws.Login, cluster: str, warning: str) -> EKS:
    if not cluster:
        raise ConfigError("exec.args name no cluster")
    return EKS(login, cluster, warning)


def _check_variables(invocation: Invocation, counting: Collection[str]) -> None:
    for name in invocation.environment:
        if name.startswith("AWS_ENDPOINT_URL"):
            raise ConfigError(f"{name} in exec.env: the hub's credentials are not sent elsewhere")
    invocation.refuse_lost(counting, _HARMLESS)


def _login(environment: Mapping[str, str]) -> aws.Login:
    """Read the variables that all tools of AWS share."""
    key, secret, token = (environment.get(name, "") for name in _KEYS)
    if (key or secret or token) and not (key and secret):
        raise ConfigError(f"exec.env: {_KEYS[0]} and {_KEYS[1]} are needed both, or none of them")
    return aws.Login(
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION", ""),
        profile=environment.get("AWS_PROFILE", ""),
        sts_regional_endpoints=environment.get("AWS_STS_REGIONAL_ENDPOINTS", ""),
        access_key_id=key,
        secret_access_key=secret,
        session_token=token,
    )


def _with(login: aws.Login, **said: str) -> aws.Login:
    """Let what the arguments say win."""
    return replace(login, **{name: value for name, value in said.items() if value})


KNOWN = Known(
    commands={
        "aws": _aws,
        "aws-iam-authenticator": _iam_authenticator,
        "heptio-authenticator-aws": _iam_authenticator,
    }
)
