"""The keys and certificates of one cluster; who uses which is told by kubeconfig.py and the flags.

Everything lies in the cluster's private directory and lives no longer than the set does.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster.names import ClusterName
from tests.cluster.state import ClusterState, write_private

_LIFETIME = datetime.timedelta(days=90)


@dataclass(frozen=True)
class Identity:
    """Who a certificate speaks for: a user (common name) of a group, or a server's names."""

    common_name: str
    organization: str | None = None
    names: tuple[str, ...] = ()


def identities(name: ClusterName, state: ClusterState) -> dict[str, Identity]:
    """All certificates of a cluster, by the name of their files."""
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    server_names = ("localhost", *service, f"{service[-1]}.cluster.local")
    addresses = ("127.0.0.1", state.node_ip)
    return {
        "apiserver": Identity(
            "kube-apiserver", None, (*server_names, *addresses, state.service_ip)
        ),
        "kubelet": Identity(name.tag, None, (name.tag, *addresses)),
        "kubelet-client": Identity("kube-apiserver-kubelet-client", "system:masters"),
        "node": Identity(f"system:node:{name.tag}", "system:nodes"),
        "admin": Identity("admin", "system:masters"),
        "kcm": Identity("system:kube-controller-manager"),
        "scheduler": Identity("system:kube-scheduler"),
    }


def create(directory: Path, name: ClusterName, state: ClusterState) -> None:
    """Write ca.crt, NAME.crt and NAME.key of each identity, sa.key and sa.pub."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _subject(Identity(f"{name.tag} CA"))
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(True, 0), True)
    ca = ca.add_extension(_ca_usage(), True)
    authority = ca.sign(ca_key, hashes.SHA256())
    _write_certificate(directory / "ca.crt", authority)
    _write_key(directory / "ca.key", ca_key)
    for file, identity in identities(name, state).items():
        key = ec.generate_private_key(ec.SECP256R1())
        _write_certificate(directory / f"{file}.crt", _issue(identity, key, authority, ca_key))
        _write_key(directory / f"{file}.key", key)
    _service_account_keys(directory)


def _issue(
    identity: Identity,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(_subject(identity), authority.subject, key)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    if identity.names:
        names = [_general_name(text) for text in identity.names]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return builder.sign(ca_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(identity: Identity) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)]
    if identity.organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.organization))
    return x509.Name(parts)


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _service_account_keys(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(directory / "sa.key", key)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_private(directory / "sa.pub", public.decode())


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    write_private(path, certificate.public_bytes(serialization.Encoding.PEM).decode())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    write_private(path, pem.decode())
