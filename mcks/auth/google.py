"""Access tokens from Google, by Application Default Credentials and without gcloud.

Finding clusters belongs to `mcks.backends.gke`; caching to `mcks.auth.credential`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, ClassVar

from mcks.auth.aws import hub_keys, hub_region
from mcks.auth.credential import Credential
from mcks.auth.metadata_service import is_metadata_service
from mcks.auth.sdk import fault, translated
from mcks.auth.shared import SharedLogin
from mcks.auth.threads import in_thread
from mcks.errors import AuthError, ConfigError, MCKSError, MissingDependency, Unreachable

RENEW_BEFORE = 225.0
"""Seconds: the metadata server hands out the same token until 4 minutes before its end."""

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    # Without it Kubernetes sees the numeric id instead of the e-mail address, and no binding fits.
    "https://www.googleapis.com/auth/userinfo.email",
)
_DEADLINE = 45.0
_WAY = "Let the hub reach oauth2.googleapis.com and sts.googleapis.com; HTTPS_PROXY counts"
_ONE_REQUEST = 15.0
_REMEDIES = (
    (
        "Invalid JWT Signature",
        "The key was deleted or disabled: make another one, or better use workload identity",
    ),
    ("reasonable timeframe", "The hub's clock is off: set it right (NTP)"),
    (
        "account not found",
        "The service account was deleted, or its file is of another: use one that exists",
    ),
    (
        "iam.serviceAccounts.getAccessToken",
        "The hub needs roles/iam.serviceAccountTokenCreator on that account",
    ),
    (
        "expired or revoked",
        "The person's login has ended: give the hub an identity of its own",
    ),
)
"""What Google says, anywhere in its answer, and what to do about it."""
_AWS_SUBJECT = "urn:ietf:params:aws:token-type:aws4_request"
_AWS_POD = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)


@dataclass(frozen=True)
class Login:
    """Which Google identity to use: *credentials_file*, else the defaults; then *impersonate*."""

    credentials_file: str = ""
    impersonate: str = ""
    """E-mail address of a service account."""


@dataclass(frozen=True)
class LoggedIn:
    """An access token, and the project that pays for API calls if the identity names one."""

    credential: Credential
    quota_project: str | None = None


@dataclass(frozen=True)
class AccessToken(SharedLogin):
    """The access token of *login*: it serves all GKE clusters that admit this identity."""

    login: Login

    renew_before: ClassVar[float] = RENEW_BEFORE

    def __str__(self) -> str:
        who = self.login.impersonate or self.login.credentials_file
        return f"Google log-in ({who or 'the hub'})"

    async def mint(self) -> Credential:
        """Log in."""
        return (await log_in(self.login)).credential


async def log_in(login: Login) -> LoggedIn:
    """Get an access token for all of Google Cloud.

    Looks in the order of Application Default Credentials: *credentials_file* or
    ``GOOGLE_APPLICATION_CREDENTIALS``, gcloud's ``application_default_credentials.json``, the
    metadata server. Raises `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`.
    """
    try:
        async with asyncio.timeout(_DEADLINE):
            return await in_thread("Google", login, lambda: _log_in(login))
    except TimeoutError as exc:
        raise Unreachable(f"Google: no token within {_DEADLINE:.0f} seconds. {_WAY}") from exc


def _log_in(login: Login) -> LoggedIn:
    try:
        from google.auth import exceptions as google  # noqa: PLC0415 - slow, optional
        from google.auth.transport.requests import Request  # noqa: PLC0415 - slow, optional
    except ImportError as exc:
        raise MissingDependency(
            "Google needs google-auth and requests: pip install 'mcks[gke]'"
        ) from exc
    request = _transport(Request, google.TransportError)
    file = _credentials_file(login)
    source = str(file) if file else "the metadata server"
    if login.impersonate:
        source += f", as {login.impersonate}"

    def refreshed() -> Any:
        credentials = _from_file(file) if file else _from_metadata_server(request)
        if login.impersonate:
            credentials = _impersonated(credentials, login.impersonate)
        # refresh only: before_request would start a thread that looks up "regional boundaries".
        credentials.refresh(request)
        return credentials

    def told(exc: Exception) -> MCKSError:
        where = f"Google ({source})"
        if isinstance(exc, google.TransportError):
            return Unreachable(f"{where}: {_first_words(exc)}. {_WAY}")
        if isinstance(exc, google.GoogleAuthError) and exc.retryable:
            return Unreachable(
                f"{where}: {_first_words(exc)}. The fault is Google's: try again later"
            )
        if isinstance(exc, google.GoogleAuthError | ValueError):
            return AuthError(f"{where}: {_first_words(exc)}. {_remedy(exc)}")
        return fault(where, "google-auth", exc)

    credentials = translated(refreshed, told)
    expiry = credentials.expiry
    return LoggedIn(
        Credential(
            token=credentials.token,
            # google-auth's times are UTC without saying so.
            expires_at=expiry.replace(tzinfo=UTC).timestamp() if expiry else None,
        ),
        getattr(credentials, "quota_project_id", None),
    )


def _transport(new_transport: Callable[[], Any], failure: type[Exception]) -> Callable[..., Any]:
    """Send with our time-out, to metadata services past every proxy, and follow no redirect: each
    request holds a secret."""
    usual, past_proxies = new_transport(), new_transport()
    past_proxies.session.trust_env = False

    def call(url: str, *args: Any, **kwargs: Any) -> Any:
        kwargs["timeout"] = min(kwargs.get("timeout") or _ONE_REQUEST, _ONE_REQUEST)
        send = past_proxies if is_metadata_service(url) else usual
        answer = send(url, *args, **kwargs, allow_redirects=False)
        if 300 <= answer.status < 400:
            raise failure(f"HTTP status {answer.status}: no redirect is followed")
        return answer

    return call


def _credentials_file(login: Login) -> Path | None:
    """Find the file; one that is named must exist, the well-known one need not."""
    named = login.credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if named:
        return Path(named).expanduser()
    folder = os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
    well_known = Path(folder).expanduser() / "application_default_credentials.json"
    return well_known if well_known.exists() else None


def _from_file(file: Path) -> Any:
    try:
        info = json.loads(file.read_text("utf-8"))
    except OSError as exc:
        raise ConfigError(
            f"Google: the credentials file {file} cannot be read: {exc.strerror}"
        ) from exc
    except ValueError:
        raise ConfigError(f"Google: the credentials file {file} is not JSON") from None
    kind = info.get("type") if isinstance(info, dict) else None
    make = _KINDS.get(str(kind))
    if make is None:
        raise ConfigError(
            f"Google: the credentials file {file} is of type {kind!r}; known are "
            + ", ".join(_KINDS)
        )
    return make(info)


def _service_account(info: Mapping[str, Any]) -> Any:
    from google.oauth2.service_account import Credentials  # noqa: PLC0415 - slow, optional

    return Credentials.from_service_account_info(info, scopes=SCOPES)


def _authorized_user(info: Mapping[str, Any]) -> Any:
    from google.oauth2.credentials import Credentials  # noqa: PLC0415 - slow, optional

    # Its scopes were fixed when the person agreed; asking for others would be refused.
    return Credentials.from_authorized_user_info(info)


def _external_account(info: Mapping[str, Any]) -> Any:
    # Not by google.auth.default: that asks another API for the project, and fails where the hub
    # may not, or cannot, reach it.
    from google.auth import aws, identity_pool, pluggable  # noqa: PLC0415 - slow, optional

    source = info.get("credential_source") or {}
    if info.get("subject_token_type") == _AWS_SUBJECT:
        return _aws_account(info, aws)
    if "executable" in source:
        return pluggable.Credentials.from_info(info, scopes=SCOPES)
    return identity_pool.Credentials.from_info(info, scopes=SCOPES)


def _aws_account(info: Mapping[str, Any], aws: Any) -> Any:
    """Prove to Google the hub's AWS identity.

    google-auth finds keys in the environment and those of a machine, but not those of a pod on EKS
    (Pod Identity, IRSA) or of a task on ECS: there botocore does.
    """
    if os.environ.get("AWS_ACCESS_KEY_ID") or not any(map(os.environ.get, _AWS_POD)):
        return aws.Credentials.from_info(info, scopes=SCOPES)

    class OfPod(aws.AwsSecurityCredentialsSupplier):  # type: ignore[misc]
        def get_aws_security_credentials(self, _context: Any, _request: Any) -> Any:
            keys = hub_keys()
            return aws.AwsSecurityCredentials(keys.access_key, keys.secret_key, keys.session_token)

        def get_aws_region(self, _context: Any, _request: Any) -> str:
            return hub_region()

    others = {key: value for key, value in info.items() if key != "credential_source"}
    return aws.Credentials.from_info(
        others, scopes=SCOPES, aws_security_credentials_supplier=OfPod()
    )


def _external_account_authorized_user(info: Mapping[str, Any]) -> Any:
    from google.auth.external_account_authorized_user import Credentials  # noqa: PLC0415 - slow

    return Credentials.from_info(info)


def _impersonated_service_account(info: Mapping[str, Any]) -> Any:
    from google.auth.impersonated_credentials import Credentials  # noqa: PLC0415 - slow, optional

    return Credentials.from_impersonated_service_account_info(info, scopes=SCOPES)


_KINDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "service_account": _service_account,
    "authorized_user": _authorized_user,
    "external_account": _external_account,
    "external_account_authorized_user": _external_account_authorized_user,
    "impersonated_service_account": _impersonated_service_account,
}


def _from_metadata_server(request: Callable[..., Any]) -> Any:
    from google.auth import exceptions  # noqa: PLC0415 - slow, optional
    from google.auth.compute_engine import Credentials  # noqa: PLC0415 - slow, optional

    host = os.environ.get("GCE_METADATA_HOST") or "169.254.169.254"
    try:
        answer = request(f"http://{host}/", headers={"Metadata-Flavor": "Google"}, timeout=3)
        there = answer.headers.get("Metadata-Flavor") == "Google"
    except exceptions.TransportError:
        there = False
    if not there:
        raise AuthError(
            "Google: no credentials: there is no credentials file (credentials_file, "
            "GOOGLE_APPLICATION_CREDENTIALS, or gcloud's own) and no metadata server. On GKE give "
            "the hub's ServiceAccount Workload Identity; elsewhere use workload identity federation"
        )
    return Credentials(scopes=SCOPES)


def _impersonated(credentials: Any, account: str) -> Any:
    from google.auth.impersonated_credentials import Credentials  # noqa: PLC0415 - slow, optional

    return Credentials(
        source_credentials=credentials, target_principal=account, target_scopes=SCOPES
    )


def _remedy(exc: Exception) -> str:
    answer = str(exc.args)
    fitting = (remedy for said, remedy in _REMEDIES if said in answer)
    return next(
        fitting,
        "Look whether the account exists and is enabled; of workload identity federation compare "
        "the pool's provider (issuer, audience, attribute condition) with the hub's token",
    )


def _first_words(exc: Exception) -> str:
    """Give Google's own sentence; the second argument is the whole answer."""
    words = str(exc.args[0]) if exc.args else ""
    first = (words.splitlines() or [""])[0][:500].rstrip(". ")
    return first or type(exc).__name__
