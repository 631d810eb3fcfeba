"""The generic backend: kubeconfig or in-cluster, against a real HTTPS server on loopback."""

from __future__ import annotations

import base64
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from traitlets.config import Config

from mcks.auth.service_account import in_cluster
from mcks.backends import generic_kubeconfig
from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.errors import AuthError, ConfigError, Unauthorized, Unreachable
from tests.backends.reading import REF, client_of, read_pod
from tests.fakes.loopback import FakeAPIServer

Write = Callable[..., str]


@pytest.fixture(autouse=True)
def _nothing_from_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def write(tmp_path: Path, server: FakeAPIServer) -> Write:
    def write(
        user: dict[str, Any] | None = None,
        cluster: dict[str, Any] | None = None,
        name: str = "config",
        context: str = "here",
    ) -> str:
        ca = base64.b64encode(server.ca_data).decode()
        base = {"server": server.url, "certificate-authority-data": ca}
        fields = {k: v for k, v in (base | (cluster or {})).items() if v is not None}
        chosen = {"cluster": "c", "namespace": "ns"} | ({} if user is None else {"user": "u"})
        text = yaml.safe_dump(
            {
                "current-context": context,
                "clusters": [{"name": "c", "cluster": fields}],
                "contexts": [{"name": context, "context": chosen}],
                "users": [{"name": "u", "user": user or {}}],
            }
        )
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def backend_for(path: str = "", **settings: Any) -> GenericKubeconfigBackend:
    settings = ({"kubeconfig": path} if path else {}) | settings
    return GenericKubeconfigBackend(cluster_name="a", **settings)


async def test_a_token(server: FakeAPIServer, write: Write) -> None:
    backend = backend_for(write({"token": "tok"}))
    assert backend.problems() == []
    assert await read_pod(backend)
    assert server.headers[-1]["Authorization"] == "Bearer tok"
    assert backend.namespace_hint() == "ns"
    assert backend.identity() == "user 'u'"


async def test_a_token_file_wins_over_a_token_and_is_read_again_after_a_401(
    server: FakeAPIServer, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "tok").write_text("first\n")
    backend = backend_for(write({"token": "never", "tokenFile": "tok"}))
    client = await client_of(backend)
    await client.get(REF)
    assert server.headers[-1]["Authorization"] == "Bearer first"
    (tmp_path / "tok").write_text("second\n")
    server.tokens = {"second"}
    await client.get(REF)
    assert server.headers[-1]["Authorization"] == "Bearer second"
    await client.close()
    await backend.close()


async def test_a_missing_token_file_is_an_auth_error(write: Write) -> None:
    with pytest.raises(AuthError, match="gone cannot be read"):
        await read_pod(backend_for(write({"tokenFile": "gone"})))


async def test_basic_authentication(server: FakeAPIServer, write: Write) -> None:
    assert await read_pod(backend_for(write({"username": "me", "password": "pass"})))
    expected = base64.b64encode(b"me:pass").decode()
    assert server.headers[-1]["Authorization"] == f"Basic {expected}"


async def test_no_user_sends_no_credential(server: FakeAPIServer, write: Write) -> None:
    backend = backend_for(write())
    assert await read_pod(backend)
    assert "Authorization" not in server.headers[-1]
    assert backend.identity() == "anonymous"


def certificate_of(server: FakeAPIServer, name: str = "hub") -> tuple[bytes, bytes]:
    issued = server.ca.issue_cert(f"{name}@example.test", common_name=name)
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    return chain, issued.private_key_pem.bytes()


def common_name(certificate: dict[str, Any]) -> str:
    return str(dict(pair for part in certificate["subject"] for pair in part)["commonName"])


async def test_a_client_certificate_from_data_leaves_no_file(
    server: FakeAPIServer, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    chain, key = certificate_of(server)
    user = {
        "client-certificate-data": base64.b64encode(chain).decode(),
        "client-key-data": base64.b64encode(key).decode(),
    }
    assert await read_pod(backend_for(write(user)))
    assert common_name(server.certificates[-1]) == "hub"
    assert "Authorization" not in server.headers[-1]
    assert list(scratch.iterdir()) == []


async def test_a_client_certificate_from_files_is_renewed_when_they_change(
    server: FakeAPIServer, write: Write, tmp_path: Path
) -> None:
    def put(name: str) -> None:
        chain, key = certificate_of(server, name)
        (tmp_path / "crt").write_bytes(chain)
        (tmp_path / "key").write_bytes(key)

    put("old")
    backend = backend_for(write({"client-certificate": "crt", "client-key": "key"}))
    client = await client_of(backend)
    await client.get(REF)
    put("new")
    backend.credentials.reject(await backend.credentials.get())
    await client.get(REF)
    assert [common_name(c) for c in server.certificates] == ["old", "new"]
    await client.close()
    await backend.close()


async def test_a_bad_client_certificate_is_a_config_error_and_leaves_no_file(
    server: FakeAPIServer, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    chain, _ = certificate_of(server)
    _, other = certificate_of(server, "other")
    encrypted = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    for key in (other, encrypted, b"no PEM at all"):
        user = {
            "client-certificate-data": base64.b64encode(chain).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        }
        with pytest.raises(ConfigError, match="cluster 'a': the client certificate and its key"):
            await read_pod(backend_for(write(user)))
    assert list(scratch.iterdir()) == []


async def test_a_certificate_without_its_key_is_a_config_error(write: Write) -> None:
    backend = backend_for(write({"client-certificate-data": "eA=="}))
    assert "needed both" in backend.problems()[0]


async def test_impersonation_headers_are_sent_with_several_groups(
    server: FakeAPIServer, write: Write
) -> None:
    user = {
        "token": "tok",
        "as": "someone",
        "as-groups": ["g1", "g2"],
        "as-uid": "7",
        "as-user-extra": {"example.org/Reason": ["x"]},
    }
    assert await read_pod(backend_for(write(user)))
    sent = server.headers[-1]
    assert sent["Impersonate-User"] == "someone"
    assert sent.getall("Impersonate-Group") == ["g1", "g2"]
    assert sent["Impersonate-Uid"] == "7"
    assert sent["Impersonate-Extra-example.org%2FReason"] == "x"
    assert sent["Authorization"] == "Bearer tok"


async def test_groups_without_a_user_to_impersonate_are_refused(write: Write) -> None:
    assert "need as" in backend_for(write({"token": "t", "as-groups": ["g"]})).problems()[0]


async def test_tls_server_name_is_what_the_certificate_must_be_for(write: Write) -> None:
    assert await read_pod(
        backend_for(write({"token": "t"}, {"tls-server-name": "api.example.test"}))
    )
    with pytest.raises(Unreachable, match="certificate was refused"):
        await read_pod(backend_for(write({"token": "t"}, {"tls-server-name": "other.test"})))


async def test_insecure_skip_tls_verify_trusts_any_certificate(write: Write) -> None:
    cluster = {"certificate-authority-data": None, "insecure-skip-tls-verify": True}
    assert await read_pod(backend_for(write({"token": "t"}, cluster)))


async def test_without_a_ca_the_systems_roots_decide(write: Write) -> None:
    with pytest.raises(Unreachable, match="certificate was refused"):
        await read_pod(backend_for(write({"token": "t"}, {"certificate-authority-data": None})))


async def test_a_proxy_is_used(server: FakeAPIServer, write: Write, unused_tcp_port: int) -> None:
    proxy = f"http://127.0.0.1:{unused_tcp_port}"
    with pytest.raises(Unreachable, match="no connection"):
        await read_pod(backend_for(write({"token": "t"}, {"proxy-url": proxy})))
    assert server.seen == []


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ({"insecure-skip-tls-verify": True}, "exclude each other"),
        ({"server": "api.example.test"}, "must be an https URL"),
        ({"proxy-url": "socks5://localhost"}, "must be an http or https URL"),
        ({"certificate-authority-data": "a"}, "not base64"),
    ],
)
async def test_a_wrong_cluster_entry_is_told_offline(
    write: Write, cluster: dict[str, Any], message: str
) -> None:
    problems = backend_for(write({"token": "t"}, cluster)).problems()
    assert len(problems) == 1
    assert problems[0].startswith("cluster 'a': ")
    assert message in problems[0]


async def test_a_ca_that_is_no_certificate_is_a_config_error(write: Write) -> None:
    with pytest.raises(ConfigError, match="CA is not a PEM certificate"):
        await read_pod(backend_for(write({"token": "t"}, {"certificate-authority-data": "eA=="})))


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"exec": {"command": "/opt/bin/some-plugin"}}, "plug-in 'some-plugin'"),
        ({"exec": {"command": "C:\\bin\\aws.exe", "args": ["sts"]}}, "plug-in 'aws'"),
        ({"auth-provider": {"name": "oidc"}}, "auth-provider 'oidc'"),
    ],
)
async def test_log_ins_that_need_a_program_are_refused_with_what_to_use(
    write: Write, user: dict[str, Any], message: str
) -> None:
    problem = backend_for(write(user)).problems()[0]
    assert message in problem
    assert "ServiceAccount's token" in problem


async def test_a_token_wins_over_a_plugin_as_in_kubectl(write: Write) -> None:
    assert await read_pod(backend_for(write({"token": "t", "exec": {"command": "x"}})))


async def test_token_and_basic_authentication_exclude_each_other(write: Write) -> None:
    assert "exclude each other" in backend_for(write({"token": "t", "username": "u"})).problems()[0]


async def test_the_environment_lists_files_and_missing_ones_are_left_out(
    server: FakeAPIServer, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = [str(tmp_path / "gone"), write({"token": "env"})]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(paths))
    assert await read_pod(backend_for(context="here"))
    assert server.headers[-1]["Authorization"] == "Bearer env"


async def test_a_missing_kubeconfig_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert f"default: {tmp_path}/home/.kube/config" in backend_for().problems()[0]
    monkeypatch.setenv("KUBECONFIG", "/gone/a:/gone/b")
    assert "environment KUBECONFIG: /gone/a, /gone/b" in backend_for().problems()[0]
    assert "/gone/c cannot be read" in backend_for("/gone/c").problems()[0]
    listed = backend_for(kubeconfig=["/gone/d", "/gone/e"])
    assert "trait kubeconfig: /gone/d, /gone/e" in listed.problems()[0]


async def test_the_default_file_is_in_the_home_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "home/.kube").mkdir(parents=True)
    path = write({"token": "home"})
    (tmp_path / "config").rename(tmp_path / "home/.kube/config")
    assert path
    assert backend_for().problems() == []


@pytest.fixture
def in_pod(server: FakeAPIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "serviceaccount"
    directory.mkdir()
    (directory / "token").write_text("pod-token")
    (directory / "ca.crt").write_bytes(server.ca_data)
    (directory / "namespace").write_text("hubs")
    host, _, port = server.url.removeprefix("https://").partition(":")
    env = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    monkeypatch.setattr(generic_kubeconfig, "in_cluster", lambda: in_cluster(env, directory))
    return directory


async def test_inside_a_cluster_without_a_kubeconfig_that_cluster_is_used(
    server: FakeAPIServer, in_pod: Path
) -> None:
    backend = backend_for()
    assert backend.problems() == []
    assert backend.namespace_hint() == "hubs"
    assert await read_pod(backend)
    assert server.headers[-1]["Authorization"] == "Bearer pod-token"
    assert "ServiceAccount" in backend.identity()


async def test_a_context_cannot_be_asked_for_inside_a_cluster_without_a_kubeconfig(
    in_pod: Path,
) -> None:
    assert "Leave context unset" in backend_for(context="x").problems()[0]


async def test_a_ca_file_that_is_gone_is_named(in_pod: Path) -> None:
    (in_pod / "ca.crt").unlink()
    assert "ca.crt cannot be read" in backend_for().problems()[0]


async def test_class_wide_defaults_come_from_the_hubs_configuration(write: Write) -> None:
    config = Config()
    config.GenericKubeconfigBackend.kubeconfig = write({"token": "t"})
    backend = GenericKubeconfigBackend(cluster_name="a", config=config)
    assert backend.problems() == []


def test_an_unknown_setting_is_an_error_with_near_matches() -> None:
    with pytest.raises(ConfigError, match=r"cluster 'a': unknown setting 'contxt'.*'context'"):
        backend_for(contxt="x")


def test_a_setting_of_a_wrong_type_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"cluster 'a': .*context"):
        backend_for(context=3)


def test_every_setting_has_a_help_text() -> None:
    expected = {"context", "kubeconfig", "allowed_exec_plugins"}
    assert set(GenericKubeconfigBackend.settings()) == expected
    assert all(GenericKubeconfigBackend.settings().values())


async def test_no_secret_shows_in_reprs_logs_or_errors(
    server: FakeAPIServer, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = ["tok-secret", "pass-secret", base64.b64encode(b"me:pass-secret").decode()]
    server.tokens = set()
    for user in ({"token": "tok-secret"}, {"username": "me", "password": "pass-secret"}):
        backend = backend_for(write(user))
        with pytest.raises(Unauthorized) as failure:
            await read_pod(backend)
        endpoint, credential = await backend.endpoint(), await backend.mint()
        shown = repr([failure.value, endpoint, credential, backend, backend.trait_values()])
        shown += str(failure.value) + caplog.text
        assert not any(secret in shown for secret in secrets)
