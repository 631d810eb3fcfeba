"""What stands in an EKS control plane: says whose a token is, or why it is none.

The rules are aws-iam-authenticator's. In place of STS, which would check the signature, the
signature is made anew from the known secret, by hand: no AWS library has a say here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

_PREFIX = "k8s-aws-v1."
_LONGEST = 4096
_LIFE = timedelta(minutes=15)
_SKEW = timedelta(minutes=5)
_HOST = re.compile(
    r"sts\.amazonaws\.com"
    r"|sts(-fips)?\.[a-z]{2}(-[a-z]+)+-\d\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)"
)
_PARAMETERS = {
    "action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires",
    "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders", "x-amz-user-agent",
}  # fmt: skip


class Rejected(Exception):
    """The token proves nothing."""


@dataclass(frozen=True)
class Key:
    """An access key: its secret, and whose it is."""

    secret: str
    arn: str


def verify(token: str, cluster: str, keys: Mapping[str, Key], now: datetime) -> str:
    """Give the ARN of who made *token* for the cluster *cluster*. Raises Rejected."""
    url = urlsplit(_decoded(token))
    if url.scheme != "https" or not _HOST.fullmatch(url.netloc) or url.path != "/":
        raise Rejected(f"not an STS endpoint: {url.scheme}://{url.netloc}{url.path}")
    given = _parameters(url)
    if given["action"] != "GetCallerIdentity":
        raise Rejected("another action")
    if "x-k8s-aws-id" not in given["x-amz-signedheaders"].split(";"):
        raise Rejected("the cluster is not signed")
    if not given["x-amz-expires"].isdigit() or not 0 <= int(given["x-amz-expires"]) <= 900:
        raise Rejected("X-Amz-Expires is out of bounds")
    signed_at = datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not -_SKEW < now - signed_at < _LIFE:
        raise Rejected(f"signed at {signed_at}, and it is {now}")
    access_key, *scope = given["x-amz-credential"].split("/")
    if access_key not in keys:
        raise Rejected("unknown access key")
    expected = _signature(url, given["x-amz-date"], scope, keys[access_key].secret, cluster)
    if not hmac.compare_digest(expected, given["x-amz-signature"]):
        raise Rejected("the signature is wrong: another secret or another cluster")
    return keys[access_key].arn


def _decoded(token: str) -> str:
    if len(token) > _LONGEST:
        raise Rejected("the token is too large")
    if not token.startswith(_PREFIX):
        raise Rejected("another kind of token")
    encoded = token.removeprefix(_PREFIX)
    if "=" in encoded:
        raise Rejected("padded")
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
        return data.decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise Rejected("not base64url") from exc


def _parameters(url: SplitResult) -> dict[str, str]:
    pairs = [(name.lower(), value) for name, value in parse_qsl(url.query, strict_parsing=True)]
    given = dict(pairs)
    if len(given) != len(pairs) or not set(given) <= _PARAMETERS:
        raise Rejected("a parameter is unknown, or there twice")
    if missing := _PARAMETERS - {"x-amz-security-token", "x-amz-user-agent"} - set(given):
        raise Rejected(f"missing: {missing}")
    return given


def _signature(url: SplitResult, date: str, scope: list[str], secret: str, cluster: str) -> str:
    """Signature Version 4 of the GET that the token stands for."""
    pairs = parse_qsl(url.query)
    query = "&".join(
        sorted(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in pairs
            if name != "X-Amz-Signature"
        )
    )
    empty = hashlib.sha256(b"").hexdigest()
    headers = f"host:{url.netloc}\nx-k8s-aws-id:{cluster}\n"
    request = f"GET\n/\n{query}\n{headers}\nhost;x-k8s-aws-id\n{empty}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{'/'.join(scope)}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in [*scope, text]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()
