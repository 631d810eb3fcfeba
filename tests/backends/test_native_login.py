"""The kubeconfig that an administrator has works without any cloud's program.

The generic backend, the real SDKs, and clouds on loopback.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.auth.azure import AKS_SERVER_ID
from mcks.auth.shared import SharedCredentials
from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.errors import AuthError, ConfigError
from tests.backends.reading import REF, bearer, client_of, read_pod
from tests.fakes.aws import SECRETS as AWS_SECRETS
from tests.fakes.aws import FakeAWS
from tests.fakes.azure import CLIENT, TENANT, FakeAzure, entra_user
from tests.fakes.azure import SECRETS as AZURE_SECRETS
from tests.fakes.cloud import FakeCloud
from tests.fakes.digitalocean import API_TOKEN, FakeDigitalOcean
from tests.fakes.google import SECRETS as GOOGLE_SECRETS
from tests.fakes.google import FakeGoogle, authorized_user
from tests.fakes.google import write as write_file
from tests.fakes.loopback import FakeAPIServer

Make = Callable[..., GenericKubeconfigBackend]
BETA = "client.authentication.k8s.io/v1beta1"
UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


@pytest.fixture(autouse=True)
def _no_program_is_run(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    async def refuse(*command: object, **_: object) -> None:
        raise AssertionError(f"a program was started: {command}")

    if request.cls is not TestUnknownPlugins:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)


@pytest.fixture
def backend_for(tmp_path: Path, server: FakeAPIServer) -> Make:
    def make(user: dict[str, Any], name: str = "a", **settings: Any) -> GenericKubeconfigBackend:
        ca = base64.b64encode(server.ca_data).decode()
        cluster = {"server": server.url, "certificate-authority-data": ca}
        config = {
            "current-context": "x",
            "clusters": [{"name": "c", "cluster": cluster}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": user}],
        }
        path = tmp_path / f"kubeconfig-{name}"
        path.write_text(yaml.safe_dump(config))
        log = logging.getLogger("test")
        return GenericKubeconfigBackend(
            cluster_name=name, kubeconfig=str(path), log=log, **settings
        )

    return make


def stanza(command: str, *args: str) -> dict[str, Any]:
    return {"exec": {"apiVersion": BETA, "command": command, "args": [*args], "env": None}}


async def test_gke(
    server: FakeAPIServer,
    backend_for: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = write_file(tmp_path / "user.json", authorized_user())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
    backend = backend_for(stanza("gke-gcloud-auth-plugin"))
    assert backend.problems() == []
    assert backend.identity() == "the hub's Google identity"
    assert backend.renewal() == (225.0, None)
    async with FakeGoogle().running(monkeypatch, tmp_path):
        client = await client_of(backend)
        backend.credentials.reject(await backend.credentials.get())
        await client.get(REF)
        await client.close()
        await backend.close()
    assert bearer(server) == GOOGLE_SECRETS[0]
    assert caplog.text.count("Application Default Credentials") == 1, "warned once"


async def test_eks(
    server: FakeAPIServer, backend_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRETS[0])
    args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "hub"]
    backend = backend_for(
        stanza("aws", *args, "--output", "json", "--role", "arn:aws:iam::1:role/r")
    )
    assert backend.problems() == []
    assert backend.identity() == "arn:aws:iam::1:role/r"
    assert backend.renewal() == (60.0, 600.0)
    async with FakeAWS().running() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        assert await read_pod(backend)
        assert aws.calls == ["AssumeRole"], "endpoint and CA are in the kubeconfig"
        assert aws.forms[0]["RoleSessionName"] == "EKSGetTokenAuth"
    assert bearer(server).startswith("k8s-aws-v1.")


async def test_aks(
    server: FakeAPIServer,
    backend_for: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", AZURE_SECRETS[0])
    backend = backend_for(entra_user(AKS_SERVER_ID))
    assert backend.problems() == []
    assert backend.identity() == "the hub's Entra identity"
    assert backend.renewal() == (300.0, None)
    assert backend.credential_key() == backend_for(entra_user(AKS_SERVER_ID)).credential_key()
    async with FakeAzure().running(monkeypatch, tmp_path) as azure:
        assert await read_pod(backend)
        assert azure.forms[0]["client_id"] == CLIENT, "not the public client of the stanza"
    assert bearer(server) == AZURE_SECRETS[3]
    assert "kubelogin --login devicecode" in caplog.text


async def test_doks(
    server: FakeAPIServer,
    backend_for: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", API_TOKEN)
    args = ["kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1"]
    backend = backend_for(stanza("doctl", *args, "--context=default", UUID))
    assert backend.problems() == []
    assert "DigitalOcean token" in backend.identity()
    assert backend.renewal() == (360.0, None)
    async with FakeDigitalOcean().running(monkeypatch, tmp_path) as cloud:
        cloud.add_cluster(UUID, "hub", server.ca_data, server.url)
        assert await read_pod(backend)
    assert bearer(server) == "k8s-secret-1"
    assert "not that of doctl" in caplog.text


def _google(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeGoogle:
    path = write_file(folder / "user.json", authorized_user())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
    return FakeGoogle()


def _entra(monkeypatch: pytest.MonkeyPatch, _: Path) -> FakeAzure:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", AZURE_SECRETS[0])
    return FakeAzure()


@dataclass(frozen=True)
class OneLogin:
    """A kubeconfig user whose token serves several clusters, and the cloud that gives it."""

    user: dict[str, Any]
    token: str
    prepare: Callable[[pytest.MonkeyPatch, Path], FakeCloud]


@pytest.fixture
def running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[OneLogin], AbstractAsyncContextManager[FakeCloud]]:
    """Run the cloud of a log-in."""
    return lambda login: login.prepare(monkeypatch, tmp_path).running(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "login",
    [
        OneLogin(stanza("gke-gcloud-auth-plugin"), GOOGLE_SECRETS[0], _google),
        OneLogin(entra_user(AKS_SERVER_ID), AZURE_SECRETS[3], _entra),
    ],
    ids=["google", "entra"],
)
@pytest.mark.parametrize("fate", [{"token": "ADMIN"}, {"token": "ADMIN", "as": "x"}, None])
async def test_what_becomes_of_one_kubeconfig_does_not_touch_another_of_the_same_log_in(
    server: FakeAPIServer,
    backend_for: Callable[..., GenericKubeconfigBackend],
    running: Callable[[OneLogin], AbstractAsyncContextManager[FakeCloud]],
    login: OneLogin,
    fate: dict[str, str] | None,
) -> None:
    shared = SharedCredentials()
    first = backend_for(login.user, name="a")
    second = backend_for(login.user, name="b")
    for backend in (first, second):
        backend.shared_credentials = shared
    async with running(login):
        clients = [await client_of(backend) for backend in (first, second)]
        assert first.credentials is second.credentials
        if fate is None:
            Path(str(first.kubeconfig)).unlink()
        else:
            backend_for(fate, name="a")
        second.credentials.reject(await second.credentials.get("b"), "b")
        await clients[1].get(REF)
        assert bearer(server) == login.token, "not that of the edited entry"
        for client in clients:
            await client.close()
        for backend in (first, second):
            await backend.close()


async def test_a_refused_login_names_the_cluster(backend_for: Make) -> None:
    with pytest.raises(AuthError, match=r"cluster 'a': AWS.*Unable to locate credentials"):
        await read_pod(
            backend_for(
                stanza("aws", "eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1")
            )
        )


async def test_what_cannot_be_served_is_told_offline(backend_for: Make) -> None:
    backend = backend_for(stanza("kubelogin", "get-token", "--server-id", "x", "--pop-enabled"))
    assert "cluster 'a': " in backend.problems()[0]
    assert "proof-of-possession" in backend.problems()[0]


@pytest.mark.parametrize("host", ["", "europe-west1-"])
async def test_the_connect_gateway_is_refused_with_the_reason(
    backend_for: Make, server: FakeAPIServer, host: str
) -> None:
    server.url = f"https://{host}connectgateway.googleapis.com/v1/projects/1/locations/l/x/y"
    assert "ten open streams" in backend_for(stanza("gke-gcloud-auth-plugin")).problems()[0]


class TestUnknownPlugins:
    """Only those that are allowed by their exact path."""

    @pytest.fixture
    def program(self, tmp_path: Path) -> str:
        path = tmp_path / "plugin"
        answer = (
            f'{{"apiVersion": "{BETA}", "kind": "ExecCredential", "status": {{"token": "tok-%s"}}}}'
        )
        count = tmp_path / "count"
        path.write_text(f"#!/bin/sh\necho x >> {count}\nprintf '{answer}' $(wc -l < {count})\n")
        path.chmod(0o700)
        return str(path)

    async def test_an_allowed_one_is_run_again_after_a_401_only(
        self,
        server: FakeAPIServer,
        backend_for: Make,
        program: str,
    ) -> None:
        backend = backend_for(stanza(program), allowed_exec_plugins=[program])
        assert backend.problems() == []
        assert backend.renewal() == (60.0, None)
        client = await client_of(backend)
        await client.get(REF)
        await client.get(REF)
        assert bearer(server) == "tok-1"
        server.tokens = {"tok-2"}
        await client.get(REF)
        assert bearer(server) == "tok-2"
        await client.close()
        await backend.close()

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            (
                "kubelogin",
                ("get-token", "--server-id", "x", "--pop-enabled", "--pop-claims", "u=x"),
            ),
            ("kubelogin", ("get-token", "--server-id", "x", "--login", "ropc")),
            ("aws", ("eks", "get-token", "--cluster-name", "hub", "--no-verify-ssl")),
            ("gke-gcloud-auth-plugin", ("--use_edge_cloud",)),
            ("doctl", ("exec-credential", "-tSECRET", UUID)),
        ],
    )
    async def test_an_allowed_one_of_a_cloud_is_run_for_what_mcks_cannot_do(
        self,
        server: FakeAPIServer,
        backend_for: Callable[..., GenericKubeconfigBackend],
        program: str,
        name: str,
        arguments: tuple[str, ...],
    ) -> None:
        path = str(Path(program).rename(Path(program).with_name(name)))
        user = stanza(path, *arguments)
        assert backend_for(user).problems(), "unless it is allowed, it is refused"
        backend = backend_for(user, allowed_exec_plugins=[path])
        assert backend.problems() == []
        assert await read_pod(backend)
        assert bearer(server) == "tok-1"

    async def test_an_allowed_one_of_a_cloud_is_not_run_for_what_mcks_can_do(
        self,
        backend_for: Callable[..., GenericKubeconfigBackend],
        program: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = str(Path(program).rename(Path(program).with_name("aws")))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRETS[0])
        args = ("eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1")
        backend = backend_for(stanza(path, *args), allowed_exec_plugins=[path])
        assert ((await backend.mint()).token or "").startswith("k8s-aws-v1.")
        assert not (tmp_path / "count").exists()

    @pytest.mark.parametrize("allowed", [[], ["/other"], ["plugin"]])
    async def test_others_are_refused(
        self, backend_for: Make, program: str, allowed: list[str]
    ) -> None:
        backend = backend_for(stanza(program), allowed_exec_plugins=allowed)
        with pytest.raises(ConfigError, match="allowed_exec_plugins"):
            await read_pod(backend)

    async def test_a_name_without_a_folder_is_refused_even_if_it_is_listed(
        self, backend_for: Make
    ) -> None:
        backend = backend_for(stanza("plugin"), allowed_exec_plugins=["plugin"])
        assert "absolute path" in backend.problems()[0]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"interactiveMode": "Always"}, "a hub has no terminal"),
            ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "not one of"),
            ({"apiVersion": "client.authentication.k8s.io/v1"}, "interactiveMode is missing"),
            ({"args": [1]}, "list of strings"),
        ],
    )
    async def test_a_stanza_that_cannot_work_is_told_offline(
        self,
        backend_for: Make,
        program: str,
        change: dict[str, Any],
        message: str,
    ) -> None:
        user = {"exec": stanza(program)["exec"] | change}
        assert message in backend_for(user, allowed_exec_plugins=[program]).problems()[0]

    async def test_cluster_info_is_provided_when_it_is_wanted(
        self,
        server: FakeAPIServer,
        backend_for: Make,
        tmp_path: Path,
    ) -> None:
        path = tmp_path / "plugin"
        path.write_text(
            f'#!/bin/sh\nprintf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info\nexit 1\n'
        )
        path.chmod(0o700)
        user = {"exec": stanza(str(path))["exec"] | {"provideClusterInfo": True}}
        with pytest.raises(AuthError, match=r"cluster 'a': plug-in .* exit status 1"):
            await read_pod(backend_for(user, allowed_exec_plugins=[str(path)]))
        info = json.loads((tmp_path / "info").read_text())
        assert info["spec"]["cluster"]["server"] == server.url
        assert info["spec"]["cluster"]["certificate-authority-data"]
