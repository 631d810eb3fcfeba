"""A credential that API servers refuse: one new mint, spaced out, and the others keep theirs."""

from __future__ import annotations

import asyncio

import pytest

from mcks.auth.credential import Credential, CredentialCache
from mcks.errors import AuthError
from tests.auth.minting import Clock, Cloud, settle


async def test_fifty_rejections_of_one_credential_make_one_new_mint(
    cache: CredentialCache, cloud: Cloud
) -> None:
    old = await cache.get()
    for _ in range(50):
        cache.reject(old)
    fresh = await asyncio.gather(*(cache.get() for _ in range(50)))
    assert cloud.mints == 2
    assert {c.token for c in fresh} == {"t2"}


async def test_a_late_rejection_of_an_older_credential_changes_nothing(
    cache: CredentialCache, cloud: Cloud
) -> None:
    old = await cache.get()
    cache.reject(old)
    fresh = await cache.get()
    cache.reject(old)
    cache.reject(Credential(token="t2", expires_at=fresh.expires_at))
    assert await cache.get() is fresh
    assert cloud.mints == 2


async def test_rejecting_fresh_credentials_again_and_again_is_spaced_out(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    for _ in range(100):
        cache.reject(await cache.get())
        clock.elapsed += 0.1
    assert cloud.mints <= 7, "10 seconds: at once, at once, then after 1, 2, 4 seconds"


async def test_a_rejection_long_after_the_last_one_is_served_at_once(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    for number in range(1, 5):
        credential = await cache.get()
        assert credential.token == f"t{number}"
        cache.reject(credential)
        clock.elapsed += 61


async def test_what_one_cluster_refuses_stays_good_for_the_others(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    token = await cache.get("b")
    cloud.failure = AuthError("the log-in is down")
    cache.reject(token, "b")
    for _ in range(3):
        with pytest.raises(AuthError, match="the log-in is down"):
            await cache.get("b")
        assert await cache.get("a") is token, "it still works there"
        clock.elapsed += 70
    cloud.failure = None
    fresh = await cache.get("b")
    assert fresh is not token
    assert await cache.get("a") is fresh


async def test_a_healthy_cluster_does_not_wait_for_the_mint_that_another_asked_for(
    cache: CredentialCache, cloud: Cloud
) -> None:
    token = await cache.get("a")
    cloud.open.clear()
    cache.reject(token, "b")
    waiting = asyncio.create_task(cache.get("b"))
    await settle()
    assert await cache.get("a") is token
    cloud.open.set()
    assert (await waiting).token == "t2"


async def test_many_clusters_that_refuse_one_credential_make_one_new_mint(
    cache: CredentialCache, cloud: Cloud
) -> None:
    names = [f"c{n}" for n in range(50)]
    for name in names:
        cache.reject(await cache.get(name), name)
    fresh = await asyncio.gather(*(cache.get(name) for name in names))
    assert {c.token for c in fresh} == {"t2"}
    assert cloud.mints == 2


async def test_clusters_that_refuse_all_credentials_are_spaced_out_together(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    for _ in range(100):
        for name in ("b", "c", "d"):
            cache.reject(await cache.get(name), name)
        clock.elapsed += 0.1
    assert cloud.mints <= 8, "10 seconds: at once, at once, then after 1, 2, 4 seconds"
