"""A real kube-apiserver that authenticates as clouds' clusters do.

By a token webhook (EKS tokens by their signature, opaque tokens by a list) and by the API server's
own JWT authenticator, as AKS uses Entra's tokens. No nodes, no controllers.
"""

from __future__ import annotations

import base64
import ctypes
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import trustme
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mcks.auth.azure import AKS_SERVER_ID
from tests.backends.eks_verifier import Refused, verify
from tests.cluster.kube_binary import kube_binaries

EKS_CLUSTER = "hub"


class Authenticator:
    """Both sides of authentication: webhook, and issuer of JWTs. Users by opaque token."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.tokens: dict[str, str] = {}
        self.aws_keys: dict[str, str] = {}
        self.url = ""
        self._key = rsa.generate_private_key(65537, 2048)

    def entra_like_token(self, user: str) -> str:
        claims = {"iss": self.url, "aud": AKS_SERVER_ID, "oid": user, "sub": user}
        claims |= {"exp": int(time.time()) + 3600, "iat": int(time.time())}
        return jwt.encode(claims, self._key, "RS256", headers={"kid": "1"})

    @contextmanager
    def running(self) -> Iterator[None]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._answer(self, owner._issuer(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner._answer(self, owner._review(json.loads(body)))

            def log_message(self, *_: Any) -> None:
                """Silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _issuer(self, path: str) -> dict[str, Any]:
        if path.endswith("/openid-configuration"):
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
            }
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [key | {"kid": "1", "use": "sig", "alg": "RS256"}]}

    def _review(self, review: dict[str, Any]) -> dict[str, Any]:
        token = review["spec"]["token"]
        user = self.tokens.get(token)
        if token.startswith("k8s-aws-v1."):
            try:
                user = f"aws:{verify(token, EKS_CLUSTER, self.aws_keys)}"
            except (Refused, KeyError, ValueError):
                user = None
        status: dict[str, Any] = {"authenticated": user is not None}
        if user is not None:
            status["user"] = {"username": user, "groups": ["hubs"]}
        return review | {"status": status}


class APIServer:
    """The running server: *url*, its CA, and who authenticates for it."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator
        self.url = ""
        self.ca_data = b""


@contextmanager
def api_server(folder: Path) -> Iterator[APIServer]:
    """Run etcd and kube-apiserver in *folder* until the end of the context."""
    authenticator = Authenticator()
    found = APIServer(authenticator)
    with authenticator.running():
        ports = _free_ports(3)
        _write_files(folder, authenticator)
        binaries = kube_binaries()
        commands = [_etcd(binaries, folder, ports), _apiserver(binaries, folder, ports)]
        daemons = []
        try:
            for number, command in enumerate(commands):
                daemons.append(_start(command, folder / f"{number}.log"))
            found.ca_data = (folder / "ca.pem").read_bytes()
            found.url = f"https://127.0.0.1:{ports[2]}"
            _wait_ready(found, folder / "1.log", daemons[-1])
            yield found
        finally:
            for daemon in reversed(daemons):
                daemon.kill()
                daemon.wait()


def _start(command: list[str], log_file: Path) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)

    def die_with_us() -> None:
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nothing is left if pytest is killed

    with log_file.open("wb") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_us,  # noqa: PLW1509 - one system call, no locks
        )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _write_files(folder: Path, authenticator: Authenticator) -> None:
    ca = trustme.CA()
    served = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    served.private_key_pem.write_to_path(folder / "server.key")
    served.cert_chain_pems[0].write_to_path(folder / "server.crt")
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "sa.key").write_bytes(private)
    authority = authenticator.ca.cert_pem.bytes()
    webhook = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {}}],
        "clusters": [
            {
                "name": "x",
                "cluster": {
                    "server": authenticator.url,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
    }
    (folder / "webhook.yaml").write_text(yaml.safe_dump(webhook))
    issuer = {
        "url": authenticator.url,
        "certificateAuthority": authority.decode(),
        "audiences": [AKS_SERVER_ID],
    }
    config = {
        "apiVersion": "apiserver.config.k8s.io/v1beta1",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {"issuer": issuer, "claimMappings": {"username": {"claim": "oid", "prefix": "entra:"}}}
        ],
    }
    (folder / "authentication.yaml").write_text(yaml.safe_dump(config))


def _etcd(binaries: Path, folder: Path, ports: list[int]) -> list[str]:
    client, peer = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    return [
        str(binaries / "etcd"),
        f"--data-dir={folder}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
    ]


def _apiserver(binaries: Path, folder: Path, ports: list[int]) -> list[str]:
    return [
        str(binaries / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{ports[0]}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[2]}",
        f"--tls-cert-file={folder}/server.crt",
        f"--tls-private-key-file={folder}/server.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/sa.key",
        f"--service-account-signing-key-file={folder}/sa.key",
        "--service-cluster-ip-range=10.254.0.0/24",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        f"--authentication-token-webhook-config-file={folder}/webhook.yaml",
        "--authentication-token-webhook-version=v1",
        # Without a cache a token that was revoked is refused at once.
        "--authentication-token-webhook-cache-ttl=0s",
        f"--authentication-config={folder}/authentication.yaml",
    ]


def _wait_ready(server: APIServer, log: Path, daemon: subprocess.Popen[bytes]) -> None:
    context = ssl.create_default_context(cadata=server.ca_data.decode())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and daemon.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/readyz", context=context) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise RuntimeError(f"the API server does not come up:\n{tail}")
