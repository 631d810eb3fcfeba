"""Where the DigitalOcean API token comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.auth.digitalocean import api_token
from mcks.errors import AuthError


async def test_a_file_wins_over_the_environment_and_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one\n")
    environ = {"DIGITALOCEAN_ACCESS_TOKEN": "env"}
    assert await api_token(str(tmp_path / "token"), environ) == "one"
    (tmp_path / "token").write_text("two")
    assert await api_token(str(tmp_path / "token"), environ) == "two"


@pytest.mark.parametrize("name", ["DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"])
async def test_both_names_in_the_environment_are_known(name: str) -> None:
    assert await api_token(environ={name: " t\n"}) == "t"


async def test_no_token_says_where_it_may_be() -> None:
    with pytest.raises(AuthError, match="set token_file, or one of DIGITALOCEAN_ACCESS_TOKEN"):
        await api_token(environ={})


async def test_a_missing_file_is_named() -> None:
    with pytest.raises(AuthError, match="/gone cannot be read"):
        await api_token("/gone", {})


async def test_a_variable_that_holds_no_token_is_named() -> None:
    with pytest.raises(AuthError, match="DIGITALOCEAN_TOKEN: the token holds a line break") as told:
        await api_token(environ={"DIGITALOCEAN_TOKEN": "SEC\nRET"})
    assert "SEC" not in str(told.value)
