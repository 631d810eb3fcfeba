"""Whom an API server asks about tokens: a webhook as EKS, GKE and DOKS have, and an issuer of JWTs.

HTTPS on loopback, in a thread: it outlives the event loop of a test. Real API servers call it.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.eks_verifier import Key, Rejected, verify

_KEY_ID = "key-1"


class Authenticators:
    """Knows EKS tokens by their signature, opaque ones by their beginning; signs Entra's."""

    def __init__(self, eks_cluster: str, tenant: str, audience: str) -> None:
        self.eks_cluster, self.tenant, self.audience = eks_cluster, tenant, audience
        self.eks_keys: dict[str, Key] = {}
        self.opaque: dict[str, str] = {}
        """The beginning of a token, and whose it is."""
        self.revoked: set[str] = set()
        self.refusals: list[str] = []
        self._ca = trustme.CA()
        self._key = rsa.generate_private_key(65537, 2048)
        self._url = ""

    @property
    def issuer(self) -> str:
        """The name of Entra in its tokens for AKS."""
        return f"https://sts.windows.net/{self.tenant}/"

    @contextmanager
    def running(self) -> Iterator[Authenticators]:
        """Serve while the context lasts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert("127.0.0.1").configure_cert(context)
        server = _Server(("127.0.0.1", 0), _Handler)
        server.authenticators = self
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._url = f"https://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def flags(self, folder: Path) -> list[str]:
        """Write their configurations into *folder*; give the API server's flags for both."""
        webhook, issuers = folder / "webhook.yaml", folder / "authentication.yaml"
        webhook.write_text(yaml.safe_dump(self._webhook()))
        issuers.write_text(yaml.safe_dump(self._issuers()))
        return [
            f"--authentication-token-webhook-config-file={webhook}",
            "--authentication-token-webhook-version=v1",
            "--authentication-token-webhook-cache-ttl=0s",
            f"--authentication-config={issuers}",
        ]

    def entra_token(self, object_id: str, **more: Any) -> str:
        """Make an access token as Entra does for an application; *more* are other claims."""
        now = int(time.time())
        claims = {
            "aud": self.audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "appidacr": "1",
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": self.tenant,
            "uti": secrets.token_urlsafe(8),
            "ver": "1.0",
        } | more
        header = {"typ": "JWT", "alg": "RS256", "kid": _KEY_ID}
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"

    def review(self, token: str) -> dict[str, Any]:
        """Give the status of a TokenReview."""
        try:
            return {"authenticated": True, "user": {"username": self._user(token)}}
        except Rejected as exc:
            self.refusals.append(str(exc))
            return {"authenticated": False}

    def documents(self) -> dict[str, Any]:
        """What the issuer of JWTs shows, by path."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "kid": _KEY_ID, "alg": "RS256"}
        key |= {"n": _number(numbers.n), "e": _number(numbers.e)}
        discovery = {
            "issuer": self.issuer,
            "jwks_uri": f"{self._url}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {"/.well-known/openid-configuration": discovery, "/keys": {"keys": [key]}}

    def _user(self, token: str) -> str:
        if token in self.revoked:
            raise Rejected("revoked")
        for beginning, user in self.opaque.items():
            if token.startswith(beginning):
                return user
        return verify(token, self.eks_cluster, self.eks_keys, datetime.now(UTC))

    def _webhook(self) -> dict[str, Any]:
        authority = base64.b64encode(self._ca.cert_pem.bytes()).decode()
        cluster = {"server": f"{self._url}/authenticate", "certificate-authority-data": authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "webhook", "cluster": cluster}],
            "users": [{"name": "apiserver", "user": {}}],
            "contexts": [{"name": "it", "context": {"cluster": "webhook", "user": "apiserver"}}],
            "current-context": "it",
        }

    def _issuers(self) -> dict[str, Any]:
        issuer = {
            "url": self.issuer,
            "discoveryURL": f"{self._url}/.well-known/openid-configuration",
            "audiences": [self.audience],
            "certificateAuthority": self._ca.cert_pem.bytes().decode(),
        }
        return {
            "apiVersion": "apiserver.config.k8s.io/v1beta1",
            "kind": "AuthenticationConfiguration",
            "jwt": [
                {
                    "issuer": issuer,
                    "claimValidationRules": [{"claim": "tid", "requiredValue": self.tenant}],
                    "claimMappings": {"username": {"claim": "oid", "prefix": ""}},
                }
            ],
        }


class _Server(ThreadingHTTPServer):
    authenticators: Authenticators

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An API server that is stopped breaks its connections: no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.authenticators.review(review["spec"]["token"])
        kind = {"apiVersion": review["apiVersion"], "kind": "TokenReview"}
        self._answer(200, kind | {"status": status})

    def do_GET(self) -> None:
        found = self.server.authenticators.documents().get(self.path)
        self._answer(404 if found is None else 200, found or {})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _encoded(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content).encode())


def _number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
