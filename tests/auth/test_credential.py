"""The credential cache: one mint for many, early renewal, back-off, rejection, cancellation."""

from __future__ import annotations

import asyncio
import logging

import pytest

from mcks.auth.credential import Credential, CredentialCache
from mcks.errors import AuthError
from tests.auth.minting import Clock, Cloud, make_cache, settle


async def test_fifty_concurrent_gets_make_one_mint(cache: CredentialCache, cloud: Cloud) -> None:
    credentials = await asyncio.gather(*(cache.get() for _ in range(50)))
    assert cloud.mints == 1
    assert len({id(c) for c in credentials}) == 1


async def test_renewal_happens_in_the_background_before_the_end(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    first = await cache.get()
    clock.elapsed = 3600 - 301
    assert await cache.get() is first
    await settle()
    assert cloud.mints == 1
    clock.elapsed = 3600 - 300
    assert await cache.get() is first, "the old one is given while the new one is made"
    await settle()
    assert (await cache.get()).token == "t2"
    assert cloud.mints == 2


async def test_renewal_by_age_for_credentials_without_an_end(cloud: Cloud, clock: Clock) -> None:
    cloud.life = None
    cache = make_cache(cloud, clock, max_age=60)
    first = await cache.get()
    clock.elapsed = 59
    assert await cache.get() is first
    clock.elapsed = 60
    await cache.get()
    await settle()
    assert (await cache.get()).token == "t2"


async def test_jitter_spreads_renewals(cloud: Cloud, clock: Clock) -> None:
    early = make_cache(cloud, clock, renew_before=300, jitter=lambda: 1.0)
    await early.get()
    clock.elapsed = 3600 - 330
    await early.get()
    await settle()
    assert cloud.mints == 2


async def test_a_credential_that_is_short_lived_is_not_renewed_on_every_get(
    cloud: Cloud, clock: Clock
) -> None:
    cloud.life = 100
    cache = make_cache(cloud, clock, renew_before=300)
    for _ in range(5):
        await cache.get()
        await settle()
    assert cloud.mints == 1
    clock.elapsed = 50
    await cache.get()
    await settle()
    assert cloud.mints == 2


async def test_a_caller_waits_when_fewer_than_thirty_seconds_are_left(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    await cache.get()
    clock.elapsed = 3600 - 29
    assert (await cache.get()).token == "t2"


async def test_a_valid_credential_survives_failed_renewals_with_backoff(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    first = await cache.get()
    cloud.failure = AuthError("the cloud is down")
    clock.elapsed = 3300.0
    tries = []
    while clock.elapsed < 3300 + 40:
        assert await cache.get() is first
        before = cloud.mints
        await settle()
        if cloud.mints > before:
            tries.append(clock.elapsed - 3300)
        clock.elapsed += 0.5
    assert tries == [0, 1, 3, 7, 15, 31]


async def test_backoff_ends_at_sixty_seconds_and_starts_anew_after_success(
    cloud: Cloud, clock: Clock
) -> None:
    cache = make_cache(cloud, clock, max_age=10)
    await cache.get()
    cloud.failure = AuthError("down")
    for _ in range(12):
        clock.elapsed += 61
        await cache.get()
        await settle()
    assert cloud.mints == 13, "never more than 60 seconds between two tries"
    cloud.failure = None
    clock.elapsed += 61
    await cache.get()
    await settle()
    assert (await cache.get()).token == "t14"


@pytest.mark.parametrize(("asked", "kept"), [(0.5, 1), (240, 240), (7200, 3600)])
async def test_a_cloud_that_asks_to_wait_is_not_asked_before(
    cloud: Cloud, clock: Clock, asked: float, kept: float
) -> None:
    cache = make_cache(cloud, clock)
    cloud.failure = AuthError("busy")
    cloud.failure.retry_after = asked
    with pytest.raises(AuthError, match="busy"):
        await cache.get()
    clock.elapsed = kept - 0.1
    with pytest.raises(AuthError, match="busy"):
        await cache.get()
    assert cloud.mints == 1
    cloud.failure = None
    clock.elapsed = kept
    assert (await cache.get()).token == "t2"


async def test_the_last_seconds_of_a_credential_are_used_when_renewal_fails(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    first = await cache.get()
    cloud.failure = AuthError("down")
    clock.elapsed = 3590
    assert await cache.get() is first
    clock.elapsed = 3600
    with pytest.raises(AuthError, match="down"):
        await cache.get()


async def test_waiters_share_the_error_and_a_later_get_tries_again_after_the_backoff(
    cache: CredentialCache, cloud: Cloud, clock: Clock
) -> None:
    cloud.failure = AuthError("no")
    results = await asyncio.gather(*(cache.get() for _ in range(50)), return_exceptions=True)
    assert cloud.mints == 1
    assert all(r is cloud.failure for r in results)
    with pytest.raises(AuthError, match="no"):
        await cache.get()
    assert cloud.mints == 1, "no storm of mints against a cloud that says no"
    clock.elapsed = 1.0
    cloud.failure = None
    assert (await cache.get()).token == "t2"


async def test_a_cancelled_waiter_does_not_cancel_the_mint(
    cache: CredentialCache, cloud: Cloud
) -> None:
    cloud.open.clear()
    impatient = asyncio.create_task(cache.get())
    patient = asyncio.create_task(cache.get())
    await settle()
    impatient.cancel()
    await settle()
    assert impatient.cancelled()
    cloud.open.set()
    assert (await patient).token == "t1"
    assert cloud.mints == 1


async def test_a_mint_goes_on_when_its_only_waiter_is_cancelled(
    cache: CredentialCache, cloud: Cloud
) -> None:
    cloud.open.clear()
    waiter = asyncio.create_task(cache.get())
    await settle()
    waiter.cancel()
    await settle()
    cloud.open.set()
    assert (await cache.get()).token == "t1"
    assert cloud.mints == 1


async def test_a_mint_that_hangs_becomes_an_auth_error(cloud: Cloud, clock: Clock) -> None:
    cloud.open.clear()
    cache = make_cache(cloud, clock, timeout=0.01)
    with pytest.raises(AuthError, match="within 0 seconds"):
        await cache.get()


async def test_a_credential_that_has_already_ended_points_at_the_clock(
    cache: CredentialCache, cloud: Cloud
) -> None:
    cloud.life = -5
    with pytest.raises(AuthError, match="ended 5 seconds ago; is the hub's clock right"):
        await cache.get()


async def test_close_stops_the_mint_and_tells_those_who_wait(
    cache: CredentialCache, cloud: Cloud
) -> None:
    cloud.open.clear()
    waiter = asyncio.create_task(cache.get())
    await settle()
    await cache.close()
    with pytest.raises(AuthError, match="shutting down"):
        await waiter
    with pytest.raises(AuthError, match="shutting down"):
        await cache.get()
    assert cloud.mints == 1


async def test_secrets_are_in_no_repr_and_no_log(
    cache: CredentialCache, cloud: Cloud, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Credential(token="TOK", client_certificate="CRT", client_key="KEY", expires_at=1.0)
    assert repr(secret) == "Credential(expires_at=1.0)"
    await cache.get()
    cloud.failure = ValueError("a bug whose text holds TOK")
    clock.elapsed = 3400
    await cache.get()
    await settle()
    assert "ValueError" in caplog.text
    assert "TOK" not in caplog.text
    assert "t1" not in caplog.text


@pytest.mark.parametrize("token", ["tok\n", "\n tok \t\r\n"])
def test_line_ends_and_blanks_around_a_token_are_not_part_of_it(token: str) -> None:
    assert Credential(token=token).token == "tok"


@pytest.mark.parametrize("token", ["SEC\nRET", "SEC\rRET", "SECRÉT", "SEC\0RET"])
def test_a_token_that_no_header_can_carry_is_refused_with_the_reason(token: str) -> None:
    with pytest.raises(AuthError, match="the token holds a line break") as failure:
        Credential(token=token)
    assert "SEC" not in str(failure.value)
