"""Trust: the cluster's CA only, as clouds make them, with chain and host name checked."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.backends.tls import load_client_certificate, make_context
from mcks.errors import ConfigError, Unreachable
from tests.backends.reading import client_of


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def eks_like() -> tuple[bytes, bytes, bytes]:
    """A CA as EKS makes them: self-signed, with basic constraints and nothing else."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate("kubernetes", ca_key, "kubernetes", ca_key, x509.BasicConstraints(True, None))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    leaf = certificate("kube-apiserver", key, "kubernetes", ca_key, names)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ca.public_bytes(pem), leaf.public_bytes(pem), private


@pytest.fixture
async def url(eks_like: tuple[bytes, bytes, bytes], tmp_path: Path) -> AsyncIterator[str]:
    _, leaf, key = eks_like
    (tmp_path / "server.pem").write_bytes(key + leaf)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    async def version(_request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1.34.0"})

    app = web.Application()
    app.router.add_get("/version", version)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


class Cloud(Backend):
    where = Endpoint("https://localhost")

    async def endpoint(self) -> Endpoint:
        return self.where

    async def mint(self) -> Credential:
        return Credential(token="t")


async def version_of(endpoint: Endpoint) -> bytes:
    backend = Cloud(cluster_name="a")
    backend.where = endpoint
    client = await client_of(backend)
    try:
        return await client.raw_get("/version")
    finally:
        await client.close()
        await backend.close()


async def test_a_ca_without_key_identifiers_is_accepted_on_every_python(
    url: str, eks_like: tuple[bytes, bytes, bytes]
) -> None:
    assert b"v1.34.0" in await version_of(Endpoint(url, eks_like[0]))


async def test_its_host_name_is_checked_all_the_same(
    url: str, eks_like: tuple[bytes, bytes, bytes]
) -> None:
    with pytest.raises(Unreachable, match="certificate was refused: IP address mismatch"):
        await version_of(Endpoint(url.replace("localhost", "127.0.0.1"), eks_like[0]))


async def test_its_chain_is_checked_all_the_same(url: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    other = certificate("kubernetes", key, "kubernetes", key, x509.BasicConstraints(True, None))
    pem = other.public_bytes(serialization.Encoding.PEM)
    with pytest.raises(Unreachable, match="certificate was refused"):
        await version_of(Endpoint(url, pem))


def test_what_is_no_certificate_is_a_config_error() -> None:
    for data in (b"", b"x", b"\xff"):
        with pytest.raises(ConfigError, match="not a PEM certificate"):
            make_context(data)
    with pytest.raises(ConfigError, match="not valid PEM"):
        load_client_certificate(make_context(None), "x", "y")
