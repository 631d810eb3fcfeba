"""``aws eks get-token`` and ``aws-iam-authenticator``: Amazon's log-ins.

How tokens are signed is in `mcks.auth.aws`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mcks.auth import aws
from mcks.auth.credential import Credential
from mcks.backends.arguments import Arguments, harmless, parse, spelled
from mcks.backends.native import Known
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

    def credential_key(self) -> Hashable | None:
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


def _aws(arguments: Sequence[str], environment: Mapping[str, str]) -> EKS | None:
    if not {"eks", "get-token"} <= set(arguments):
        return None
    found = parse(arguments, values=_AWS_VALUES, flags=_AWS_FLAGS)
    if found.words != ("eks", "get-token"):
        return None
    if found.get("endpoint"):
        raise ConfigError("aws --endpoint-url: the hub's credentials are not sent elsewhere")
    cluster = found.get("cluster_id") or found.get("cluster_name")
    session = found.get("session") or "EKSGetTokenAuth"
    login = _aws_login(found, environment, role=found.get("role"), session=session)
    return _eks(login, cluster, "")


def _iam_authenticator(arguments: Sequence[str], environment: Mapping[str, str]) -> EKS | None:
    if "token" not in arguments:
        return None
    found = parse(arguments, values=_AUTHENTICATOR_VALUES, flags=_AUTHENTICATOR_FLAGS)
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
        external_id=found.get("external_id"),
        session_name=session,
        sts_regional_endpoints=environment.get("AWS_STS_REGIONAL_ENDPOINTS", ""),
        access_key_id=environment.get("AWS_ACCESS_KEY_ID", ""),
        secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=environment.get("AWS_SESSION_TOKEN", ""),
    )


KNOWN = Known(
    commands={
        "aws": _aws,
        "aws-iam-authenticator": _iam_authenticator,
        "heptio-authenticator-aws": _iam_authenticator,
    }
)
