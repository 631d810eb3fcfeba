"""What AWS' refusals and botocore's errors mean, and what to do about them.

Knows botocore's errors by their names, so that it need not be imported.
"""

from __future__ import annotations

from typing import Any

from mcks.auth.sdk import NOT_NOW, fault, throttled
from mcks.errors import AuthError, ConfigError, MCKSError, Unreachable

NO_ANSWER = "Let the hub reach it (HTTPS_PROXY counts), and look whether region is right"
_QUOTED_REQUEST = "The Canonical String"
"""What follows in AWS' text is the request as AWS would have signed it, session token included."""
_NO_KEYS = (
    "On EKS give the hub's ServiceAccount a role (Pod Identity or IRSA); elsewhere an instance "
    "role, or a profile in the shared credentials file"
)
_NO_PROFILE = (
    "Set profile to one of AWS' shared files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE), or "
    "leave it unset"
)
_BY_CLASS: tuple[tuple[str, type[MCKSError], str], ...] = (
    ("ProfileNotFound", ConfigError, _NO_PROFILE),
    ("NoRegionError", ConfigError, "Set region"),
    ("InvalidRegionError", ConfigError, "Set region to one that AWS has"),
    ("NoCredentialsError", AuthError, _NO_KEYS),
    ("PartialCredentialsError", AuthError, _NO_KEYS),
    ("CredentialRetrievalError", AuthError, _NO_KEYS),
    ("UnauthorizedSSOTokenError", AuthError, _NO_KEYS),
    ("ParamValidationError", ConfigError, "Correct role_arn, external_id or cluster"),
    ("HTTPClientError", Unreachable, NO_ANSWER),
    ("ConnectionError", Unreachable, NO_ANSWER),
    ("BotoCoreError", AuthError, "Correct AWS' configuration on the hub"),
)
"""botocore's classes, the special ones first."""
_REMEDIES = {
    "AccessDenied": "Allow it in the policy of the hub's identity",
    "UnrecognizedClientException": "AWS does not know the access key: it was deleted, or is of "
    "another partition. Give the hub another one, or better a role",
    "ExpiredTokenException": "The keys of the session have ended: let their source (profile, "
    "environment, metadata service) give the hub new ones",
    "SignatureDoesNotMatch": "The secret key is wrong, or the hub's clock is off: set that right "
    "(NTP), then look at the key",
    "InvalidIdentityToken": "Make an IAM OIDC provider for the issuer of the hub's token in the "
    "role's account",
    "Throttling": throttled("AWS"),
}
_SAME_AS = {
    "AccessDeniedException": "AccessDenied",
    "UnauthorizedOperation": "AccessDenied",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
    "RequestExpired": "SignatureDoesNotMatch",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "ThrottlingException": "Throttling",
    "TooManyRequestsException": "Throttling",
    "RequestLimitExceeded": "Throttling",
}
_NOT_ALLOWED = {
    "AssumeRole": "Let the role's trust policy name the hub's identity, and allow that identity "
    "sts:AssumeRole on the role",
    "AssumeRoleWithWebIdentity": "Let the role's trust policy name the OIDC provider and the "
    "hub's ServiceAccount",
    "DescribeCluster": "The hub needs the permission eks:DescribeCluster on the cluster",
}


class Refused(AuthError):
    """AWS said no. *code* is its own, such as ``ResourceNotFoundException``."""

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


def told(doing: str, exc: Exception) -> MCKSError:
    """Make our error of botocore's. Texts are AWS' own, without what quotes the request."""
    names = {cls.__name__ for cls in type(exc).__mro__}
    if "ClientError" in names:
        return _refused(doing, exc)
    for name, error, remedy in _BY_CLASS:
        if name in names:
            return error(f"AWS: {doing}: {_first_words(exc)}. {remedy}")
    return fault(f"AWS: {doing}", "botocore", exc)


def _refused(doing: str, exc: Any) -> MCKSError:
    error = exc.response.get("Error") or {}
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    operation = str(exc.operation_name)
    # Before what was asked for come the calls that get keys for it.
    where = f"AWS: {doing}" + ("" if doing.endswith(operation) else f": {operation}")
    told = exc.response.get("ResponseMetadata") or {}
    status = told.get("HTTPStatusCode", 0)
    if status >= 500:
        return Unreachable(
            f"{where}: AWS answered with HTTP status {status} {code}. The fault is AWS': try again "
            "later, and look at its health dashboard"
        )
    message = message.partition(_QUOTED_REQUEST)[0].strip().rstrip(".")
    kind = _SAME_AS.get(code, code)
    remedy = _REMEDIES.get(kind, "")
    if kind == "AccessDenied":
        remedy = _NOT_ALLOWED.get(operation, remedy)
    refused = Refused(". ".join(filter(None, [f"{where}: {code}: {message}", remedy])), code)
    if kind == "Throttling":
        refused.user_message = NOT_NOW
    asked = str((told.get("HTTPHeaders") or {}).get("retry-after", ""))
    if asked.isdigit():
        refused.retry_after = float(asked)
    return refused


def _first_words(exc: Exception) -> str:
    if type(exc).__name__ == "ParamValidationError":  # its first line is no more than a heading
        return " ".join(str(exc).split())[:500].rstrip(". ")
    return (str(exc).splitlines() or [""])[0][:500].rstrip(". ") or type(exc).__name__
