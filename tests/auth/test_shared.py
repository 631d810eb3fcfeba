"""Clusters of one identity share one cache, as long as one of them needs it."""

from __future__ import annotations

import pytest

from mcks.auth.credential import Credential, CredentialCache
from mcks.auth.shared import SharedCredentials
from mcks.errors import AuthError


async def mint() -> Credential:
    return Credential(token="t")


async def test_equal_keys_share_and_others_do_not() -> None:
    shared = SharedCredentials()
    one = shared.take("a", lambda: CredentialCache(mint))
    assert shared.take("a", lambda: CredentialCache(mint)) is one
    assert shared.take("b", lambda: CredentialCache(mint)) is not one


async def test_the_last_holder_closes_the_cache() -> None:
    shared = SharedCredentials()
    cache = shared.take("a", lambda: CredentialCache(mint))
    shared.take("a", lambda: CredentialCache(mint))
    await shared.give_back("a")
    assert (await cache.get()).token == "t"
    await shared.give_back("a")
    with pytest.raises(AuthError, match="shutting down"):
        await cache.get()
    assert shared.take("a", lambda: CredentialCache(mint)) is not cache
