"""Credentials from AWS: tokens for EKS, and calls to AWS signed with the hub's identity.

Finding clusters belongs to `mcks.backends.eks`; caching to `mcks.auth.credential`.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from mcks.auth.aws_errors import NO_ANSWER, told
from mcks.auth.aws_process import run_in_time
from mcks.auth.credential import Credential
from mcks.auth.sdk import translated
from mcks.auth.threads import in_thread
from mcks.errors import AuthError, ConfigError, MissingDependency, Unreachable

RENEW_AGE = 600.0
"""Seconds: a token costs no call and ends 14 minutes after it was made at the latest."""

_T = TypeVar("_T")
_DEADLINE = 45.0
_CONNECT, _READ, _ATTEMPTS = 5.0, 10.0, 3
"""Seconds, and tries: botocore's own are a minute each, and five."""
_TOKEN_LIFE = 14 * 60.0
"""Seconds: the verifier's limit is 15 minutes after ``X-Amz-Date``; AWS' own tools take 14."""
_SESSION_MARGIN = 60.0
_LONGEST_TOKEN = 4096
_CLUSTER_HEADER = "x-k8s-aws-id"


@dataclass(frozen=True)
class Login:
    """Which AWS identity to use: botocore's chain of sources, then *role_arn* if given."""

    region: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    session_name: str = "mcks"
    sts_regional_endpoints: str = ""
    """``legacy`` or ``regional``; empty for AWS' own configuration."""
    access_key_id: str = ""
    """Keys given here win over all sources."""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Keys:
    """What signs requests to AWS; *expires_at* is Unix seconds, None for keys without an end."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    expires_at: float | None

    def client_arguments(self) -> dict[str, Any]:
        return {
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "aws_session_token": self.session_token,
        }


async def eks_token(login: Login, cluster_id: str) -> Credential:
    """Make a token for the EKS cluster *cluster_id* (its name; of local Outposts clusters the id).

    The same bytes as ``aws eks get-token`` makes at the same moment: a presigned
    GetCallerIdentity. It ends with the keys that sign it, after 14 minutes at the latest. Raises
    `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`.
    """

    def mint() -> Credential:
        session = _session(login)
        keys = _keys(session, login)
        url = _presigned(session, keys, cluster_id)
        encoded = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        token = f"k8s-aws-v1.{encoded}"
        if len(token) > _LONGEST_TOKEN:
            raise AuthError(
                f"AWS: the token has {len(token)} bytes and EKS takes {_LONGEST_TOKEN}: the session"
                " token that signs it is too long. Use a role with fewer or shorter session tags"
            )
        ends = [_signed_at(url) + _TOKEN_LIFE]
        if keys.expires_at is not None:
            ends.append(keys.expires_at - _SESSION_MARGIN)
        return Credential(token=token, expires_at=min(ends))

    return await _in_thread("make a token", login, mint)


async def call(login: Login, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """Call an AWS API: *operation* in botocore's spelling (``describe_cluster``).

    Raises `Refused` when AWS says no, and what `eks_token` raises.
    """

    def ask() -> dict[str, Any]:
        session = _session(login)
        client = session.create_client(service, **_keys(session, login).client_arguments())
        answer: dict[str, Any] = getattr(client, operation)(**parameters)
        return answer

    action = "".join(word.capitalize() for word in operation.split("_"))
    return await _in_thread(f"{service}:{action}", login, ask)


async def caller_arn(login: Login) -> str:
    """Ask AWS as whom it sees the hub. Needs no permission. Raises as `call` does."""
    return str((await call(login, "sts", "get_caller_identity"))["Arn"])


@functools.cache
def known_regions() -> frozenset[str]:
    """Give the regions in which botocore knows EKS; none without botocore."""
    try:
        import botocore.session  # noqa: PLC0415 (heavy, and an extra)
    except ImportError:
        return frozenset()
    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    return frozenset(r for p in partitions for r in session.get_available_regions("eks", p))


def hub_keys() -> Keys:
    """Find the hub's own keys, to sign for AWS elsewhere. It blocks: call it in a thread."""
    return _done("find the hub's keys", lambda: _found_keys(_session(Login())))


def hub_region() -> str:
    """Give the region that the hub is in, or configured for. Raises `ConfigError` without one."""
    return _done("find the region", lambda: str(_session(Login()).get_config_variable("region")))


async def _in_thread(doing: str, login: Login, work: Callable[[], _T]) -> _T:
    try:
        async with asyncio.timeout(_DEADLINE):
            return await in_thread("AWS", login, lambda: _done(doing, work))
    except TimeoutError as exc:
        raise Unreachable(
            f"AWS: {doing}: no answer within {_DEADLINE:.0f} seconds. {NO_ANSWER}"
        ) from exc


def _done(doing: str, work: Callable[[], _T]) -> _T:
    try:
        import botocore.exceptions  # noqa: F401, PLC0415 - slow, optional
    except ImportError as exc:
        raise MissingDependency("AWS needs botocore: pip install 'mcks[eks]'") from exc
    return translated(work, lambda exc: told(doing, exc))


def _session(login: Login) -> Any:
    """Make a new botocore session: it must see rotated keys and files."""
    import botocore.session  # noqa: PLC0415 - slow, optional

    session = botocore.session.Session(profile=login.profile or None)
    session.register_component("data_loader", _loader())
    # botocore itself knows AWS_DEFAULT_REGION only; pods have AWS_REGION, too.
    region = login.region or os.environ.get("AWS_REGION", "")
    if region:
        session.set_config_variable("region", region)
    elif not session.get_config_variable("region"):
        raise ConfigError("AWS: no region is configured: set region")
    if login.sts_regional_endpoints:
        session.set_config_variable("sts_regional_endpoints", login.sts_regional_endpoints)
    session.set_config_variable("metadata_service_num_attempts", 3)
    # Also for the clients that botocore makes for itself: to get keys by web identity, a role, SSO.
    session.set_default_client_config(_client_config())
    return session


@functools.cache
def _loader() -> Any:
    """Keep botocore's own data files parsed: without this each session costs 60 ms."""
    import botocore.loaders  # noqa: PLC0415 - slow, optional

    # Its debug log holds session tokens and signed URLs.
    log = logging.getLogger("botocore")
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    return botocore.loaders.create_loader()


def _client_config(**more: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - slow, optional

    retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    return Config(connect_timeout=_CONNECT, read_timeout=_READ, retries=retries, **more)


def _keys(session: Any, login: Login) -> Keys:
    if login.access_key_id:
        token = login.session_token or None
        keys = Keys(login.access_key_id, login.secret_access_key, token, None)
    else:
        keys = _found_keys(session)
    return _assume(session, login, keys) if login.role_arn else keys


def _found_keys(session: Any) -> Keys:
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - slow, optional
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - slow, optional

    resolver = session.get_component("credential_provider")
    # A profile with mfa_serial would ask for a code on the hub's terminal, and wait for ever.
    resolver.get_provider("assume-role")._prompter = _no_prompt
    # HTTP_PROXY would count for the metadata service, and a proxy has no identity of the hub's.
    machine = resolver.get_provider("iam-role")._role_fetcher
    machine._session = URLLib3Session(timeout=machine._timeout)
    run_in_time(resolver)
    found = session.get_credentials()
    if found is None:
        raise NoCredentialsError
    frozen = found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)
    return Keys(
        frozen.access_key, frozen.secret_key, frozen.token, expiry.timestamp() if expiry else None
    )


def _no_prompt(_question: str) -> str:
    raise ConfigError("AWS: the profile wants a one-time code (mfa_serial): a hub cannot give one")


def _assume(session: Any, login: Login, keys: Keys) -> Keys:
    sts = session.create_client("sts", **keys.client_arguments())
    asked = {"RoleArn": login.role_arn, "RoleSessionName": login.session_name}
    if login.external_id:
        asked["ExternalId"] = login.external_id
    given = sts.assume_role(**asked)["Credentials"]
    return Keys(
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
        given["Expiration"].timestamp(),
    )


def _presigned(session: Any, keys: Keys, cluster_id: str) -> str:
    # EKS accepts AWS' own STS hosts only, so an endpoint configured for the hub (a VPC endpoint)
    # must not get into the token.
    config = _client_config(ignore_configured_endpoint_urls=True)
    sts = session.create_client("sts", config=config, **keys.client_arguments())

    def take_cluster(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_CLUSTER_HEADER] = params.pop(_CLUSTER_HEADER)

    def add_header(request: Any, **_: Any) -> None:
        request.headers[_CLUSTER_HEADER] = request.context[_CLUSTER_HEADER]

    sts.meta.events.register("provide-client-params.sts.GetCallerIdentity", take_cluster)
    sts.meta.events.register("before-sign.sts.GetCallerIdentity", add_header)
    url: str = sts.generate_presigned_url(
        "get_caller_identity", Params={_CLUSTER_HEADER: cluster_id}, ExpiresIn=60, HttpMethod="GET"
    )
    return url


def _signed_at(url: str) -> float:
    date = parse_qs(urlsplit(url).query)["X-Amz-Date"][0]
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
