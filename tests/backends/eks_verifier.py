"""What stands behind an EKS cluster's token webhook: aws-iam-authenticator's rules, independently.

Instead of calling STS it signs the request again, with keys that the test knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

_PREFIX = "k8s-aws-v1."
_LONGEST = 4096
_HOST = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com")
_ALLOWED = {
    "Action", "Version", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
    "X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders",
}  # fmt: skip


class Refused(Exception):
    """The token is not valid."""


def verify(token: str, cluster: str, keys: dict[str, str]) -> str:
    """Give the access key that signed *token* for *cluster*. *keys*: access key -> secret key."""
    if not token.startswith(_PREFIX) or len(token) > _LONGEST:
        raise Refused("form")
    encoded = token.removeprefix(_PREFIX)
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    if url.scheme != "https" or url.path != "/" or not _HOST.fullmatch(url.netloc):
        raise Refused("host")
    pairs = parse_qsl(url.query, strict_parsing=True)
    query = dict(pairs)
    if len(query) != len(pairs) or not query.keys() <= _ALLOWED:
        raise Refused("parameters")
    if query["Action"] != "GetCallerIdentity" or not 0 <= int(query["X-Amz-Expires"]) <= 900:
        raise Refused("action")
    if "x-k8s-aws-id" not in query["X-Amz-SignedHeaders"].split(";"):
        raise Refused("cluster not signed")
    age = datetime.now(UTC) - datetime.fromisoformat(query["X-Amz-Date"])
    if not timedelta(minutes=-5) < age < timedelta(minutes=15):
        raise Refused("age")
    access_key, *scope = query["X-Amz-Credential"].split("/")
    expected = _signature(url.netloc, query, cluster, scope, keys[access_key])
    if not hmac.compare_digest(expected, query["X-Amz-Signature"]):
        raise Refused("signature")
    return access_key


def _signature(
    host: str, query: dict[str, str], cluster: str, scope: list[str], secret: str
) -> str:
    """Signature version 4 of a presigned GET."""
    signed = sorted((k, v) for k, v in query.items() if k != "X-Amz-Signature")
    canonical_query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in signed)
    headers = f"host:{host}\nx-k8s-aws-id:{cluster}\n"
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{canonical_query}\n{headers}\nhost;x-k8s-aws-id\n{empty}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{'/'.join(scope)}\n{digest}"
    key = b"AWS4" + secret.encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
