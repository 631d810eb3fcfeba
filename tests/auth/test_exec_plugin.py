"""Exec plug-ins: real programs, run without a terminal and without the hub's secrets."""

from __future__ import annotations

import json
import stat
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcks.auth.exec_plugin import API_VERSIONS, Plugin, run
from mcks.errors import AuthError, ConfigError


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    def write(body: str) -> str:
        path = tmp_path / "plugin"
        path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return write


def answering(status: dict[str, Any], version: str = API_VERSIONS[0]) -> str:
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(answer)!r})"


async def test_a_token_with_its_end(program: Callable[[str], str]) -> None:
    status = {"token": "t", "expirationTimestamp": "2099-01-01T00:00:00Z"}
    made = await run(Plugin(program(answering(status))))
    assert (made.token, made.expires_at) == ("t", 4070908800.0)
    assert made.client_certificate is None


async def test_a_certificate_without_an_end(program: Callable[[str], str]) -> None:
    status = {"clientCertificateData": "CRT", "clientKeyData": "KEY"}
    made = await run(Plugin(program(answering(status))))
    assert (made.client_certificate, made.client_key, made.expires_at) == ("CRT", "KEY", None)


async def test_the_older_version_of_the_protocol(program: Callable[[str], str]) -> None:
    body = answering({"token": "t"}, API_VERSIONS[1])
    assert (await run(Plugin(program(body), api_version=API_VERSIONS[1]))).token == "t"


async def test_it_sees_its_own_environment_and_not_the_hubs(
    program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", "hub-secret")
    body = """
        import json, os, sys
        seen = {"args": sys.argv[1:], "env": dict(os.environ), "stdin": sys.stdin.read()}
        print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1",
                          "kind": "ExecCredential", "status": {"token": json.dumps(seen)}}))
    """
    cluster = {"server": "https://x"}
    plugin = Plugin(program(body), ("a", "b"), {"MINE": "1"}, cluster=cluster)
    made = await run(plugin)
    assert made.token is not None
    seen = json.loads(made.token)
    assert seen["args"] == ["a", "b"]
    assert seen["env"]["MINE"] == "1"
    assert "JUPYTERHUB_CRYPT_KEY" not in seen["env"]
    assert seen["stdin"] == ""
    info = json.loads(seen["env"]["KUBERNETES_EXEC_INFO"])
    assert info["spec"] == {"interactive": False, "cluster": cluster}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("print('SECRET'); raise SystemExit(3)", "exit status 3"),
        ("print('SECRET')", "no JSON"),
        ("print('[]')", "no ExecCredential"),
        (answering({"token": "SECRET"}, "client.authentication.k8s.io/v1alpha1"), "another one"),
        (answering({}), "neither a token nor a certificate"),
        (answering({"clientKeyData": "SECRET"}), "without its key, or a key alone"),
        (answering({"token": "SECRET", "expirationTimestamp": "soon"}), "is not a time"),
        ("print('SECRET' * 2**20)", "prints more than 1 MiB"),
    ],
)
async def test_what_goes_wrong_is_told_without_the_output(
    program: Callable[[str], str], body: str, message: str
) -> None:
    with pytest.raises(AuthError, match=message) as failure:
        await run(Plugin(program(body)))
    assert "SECRET" not in str(failure.value)


async def test_a_chatty_plugin_does_not_block(program: Callable[[str], str]) -> None:
    body = "import sys; sys.stderr.write('x' * 2**20)\n" + answering({"token": "t"})
    assert (await run(Plugin(program(body)))).token == "t"


async def test_a_missing_program_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="/gone: it cannot run: No such file"):
        await run(Plugin("/gone"))
