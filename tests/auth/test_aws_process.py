"""Profiles whose keys come from a program: the real botocore, real programs that hang."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mcks.auth.aws import Login, eks_token
from mcks.errors import AuthError
from tests.fakes.aws import SECRETS, FakeAWS

LOGIN = Login(region="eu-west-1", profile="p")
KEYS = {"Version": 1, "AccessKeyId": "AKIAPROGRAM", "SecretAccessKey": SECRETS[0]}
PRINT_KEYS = f"echo '{json.dumps(KEYS)}'"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write the shell script that the profile names, and what else is in the configuration."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr("mcks.auth.aws_process._DEADLINE", 1.0)

    def write(body: str, profiles: str = "[profile p]\n{process}") -> None:
        script = tmp_path / "program"
        script.write_text(f"#!/bin/bash\n{body}\n")
        script.chmod(0o700)
        text = profiles.format(process=f"credential_process = {script}\n")
        (tmp_path / "config").write_text(text)

    return write


async def test_a_programs_keys_sign(program: Callable[..., None]) -> None:
    program(PRINT_KEYS)
    assert (await eks_token(LOGIN, "hub")).token


@pytest.mark.slow
@pytest.mark.parametrize("body", ["exec sleep 607", "sleep 607; true", "sleep 607 & exit 0"])
async def test_one_that_hangs_is_given_up_with_its_children_and_the_next_log_in_works(
    program: Callable[..., None], body: str
) -> None:
    program(body)
    with pytest.raises(AuthError, match="credential_process is not done in 1 seconds"):
        await eks_token(LOGIN, "hub")
    assert not _running("sleep\0607")
    program(PRINT_KEYS)
    assert (await eks_token(LOGIN, "hub")).token


@pytest.mark.slow
async def test_so_is_one_of_a_source_profile(
    program: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = s\n[profile s]\n"
    async with FakeAWS().running() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
        program("sleep 607", profiles + "{process}")
        with pytest.raises(AuthError, match="credential_process is not done in 1 seconds"):
            await eks_token(LOGIN, "hub")
        program(PRINT_KEYS, profiles + "{process}")
        assert (await eks_token(LOGIN, "hub")).token
        assert cloud.signed_with == ["AKIAPROGRAM"]


async def test_what_a_program_complains_of_is_told(program: Callable[..., None]) -> None:
    program("echo 'the session has ended' >&2; exit 3")
    with pytest.raises(AuthError, match="custom-process: the session has ended"):
        await eks_token(LOGIN, "hub")


def _running(command: str) -> bool:
    found = False
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found = found or path.read_text().startswith(command)
        except OSError:
            continue
    return found
