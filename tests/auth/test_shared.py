"""Clusters of one log-in share one cache, as long as one of them needs it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mcks.auth.credential import Credential
from mcks.auth.shared import SharedCredentials, SharedLogin
from mcks.errors import AuthError


@dataclass(frozen=True)
class Login(SharedLogin):
    """Mints a token of its own name, or is refused."""

    who: str
    refused: bool = False

    def __str__(self) -> str:
        return f"log-in of {self.who}"

    async def mint(self) -> Credential:
        if self.refused:
            raise AuthError("the cloud says no")
        return Credential(token=f"token of {self.who}")


async def test_equal_log_ins_share_and_others_do_not() -> None:
    shared = SharedCredentials()
    one = shared.take(Login("a"))
    assert shared.take(Login("a")) is one
    assert shared.take(Login("b")) is not one


async def test_a_token_is_made_by_the_log_in_alone() -> None:
    assert (await SharedCredentials().take(Login("a")).get("any cluster")).token == "token of a"


async def test_the_last_holder_closes_the_cache() -> None:
    shared = SharedCredentials()
    cache = shared.take(Login("a"))
    shared.take(Login("a"))
    await shared.give_back(Login("a"))
    assert (await cache.get()).token == "token of a"
    await shared.give_back(Login("a"))
    with pytest.raises(AuthError, match="shutting down"):
        await cache.get()
    assert shared.take(Login("a")) is not cache


async def test_an_error_names_the_cluster_that_wants_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = SharedCredentials().take(Login("a", refused=True), "first")
    for cluster in ("first", "second"):
        words = f"^cluster '{cluster}': cannot log in, as others that share .*: the cloud says no"
        with pytest.raises(AuthError, match=words):
            await cache.get(cluster)
    assert "log-in of a: no new credential" in caplog.text, "the log blames no single cluster"
