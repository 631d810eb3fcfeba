"""The token file of a pod."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mcks.auth.credential import CredentialCache
from mcks.auth.service_account import REREAD_AFTER, in_cluster, read_token
from mcks.errors import AuthError
from tests.fakes.silence import cloud_threads


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "namespace").write_text("hub")
    (tmp_path / "ca.crt").write_text("pem")
    return tmp_path


ENV = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


async def test_a_token_is_read_without_its_newline(pod: Path) -> None:
    assert (await read_token(pod / "token")).token == "abc"


async def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="nowhere cannot be read: No such file"):
        await read_token(tmp_path / "nowhere")


async def test_a_token_file_that_is_no_text_is_an_auth_error(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(AuthError, match="not text"):
        await read_token(tmp_path / "token")


async def test_an_empty_token_file_is_an_auth_error(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(AuthError, match="is empty"):
        await read_token(tmp_path / "token")


async def test_a_rotated_token_is_seen_within_a_minute_and_read_no_more_often(pod: Path) -> None:
    now = 0.0
    cache = CredentialCache(
        lambda: read_token(pod / "token"), max_age=REREAD_AFTER, monotonic=lambda: now
    )
    old = await cache.get()
    (pod / "token").write_text("def")
    now = 50.0
    assert await cache.get() is old
    now = 60.0
    await cache.get()
    cache.reject(old)
    assert (await cache.get()).token == "def"
    await cache.close()


def test_a_pod_finds_its_cluster(pod: Path) -> None:
    found = in_cluster(ENV, pod)
    assert found is not None
    assert (found.server, found.namespace) == ("https://10.0.0.1:443", "hub")
    assert found.token_file == pod / "token"
    assert found.ca_file == pod / "ca.crt"


def test_an_ipv6_address_is_put_in_brackets(pod: Path) -> None:
    found = in_cluster({**ENV, "KUBERNETES_SERVICE_HOST": "fd00::1"}, pod)
    assert found is not None
    assert found.server == "https://[fd00::1]:443"


def test_a_pod_without_a_namespace_file_has_no_namespace(pod: Path) -> None:
    (pod / "namespace").unlink()
    found = in_cluster(ENV, pod)
    assert found is not None
    assert found.namespace is None


@pytest.mark.parametrize("missing", ["host", "port", "token"])
def test_outside_of_a_cluster_there_is_none(pod: Path, missing: str) -> None:
    env = {k: v for k, v in ENV.items() if missing.upper() not in k}
    if missing == "token":
        (pod / "token").unlink()
    assert in_cluster(env, pod) is None


async def test_a_file_that_cannot_be_read_to_its_end_holds_up_no_other(tmp_path: Path) -> None:
    silent, good = tmp_path / "silent", tmp_path / "good"
    os.mkfifo(silent)
    good.write_text("token")
    waiting = [asyncio.create_task(read_token(silent)) for _ in range(20)]
    await asyncio.sleep(0)
    assert (await read_token(good)).token == "token"
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    while cloud_threads():
        os.close(os.open(silent, os.O_RDWR | os.O_NONBLOCK))  # ends the reading
        await asyncio.sleep(0.01)
