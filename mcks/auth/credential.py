"""A short-lived credential, and the cache that renews it before it ends.

How a cloud makes a credential does not belong here, nor how a request carries it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from mcks import metrics
from mcks.errors import AuthError, ConfigError, MCKSError, Unreachable

_LAST_SECONDS = 30.0
"""With less than this left, a caller waits for the next credential."""
_FIRST_BACKOFF, _MAX_BACKOFF = 1.0, 60.0
_LONGEST_WAIT = 3600.0
"""Seconds that a cloud may ask to wait; whatever it says, it is asked again after an hour."""
_QUICK_REJECTION = 60.0
"""A credential refused within this many seconds of its mint says that minting does not help."""


@dataclass(frozen=True)
class Credential:
    """What proves the hub's identity to an API server: the fields of ``ExecCredentialStatus``.

    *client_certificate* (a chain is allowed) and *client_key* are PEM text. *expires_at* is Unix
    seconds, or None if the end is not known.
    """

    token: str | None = field(default=None, repr=False)
    client_certificate: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    def __post_init__(self) -> None:
        """Take blanks and line ends from around the token, as files have them.

        Raises `AuthError` for what no HTTP header can carry.
        """
        if self.token is None:
            return
        token = self.token.strip()
        if not re.fullmatch(r"[\x20-\x7e]*", token):
            raise AuthError(
                "the token holds a line break, or a character that is not ASCII: is it just the "
                "token, and only one?"
            )
        object.__setattr__(self, "token", token)


Mint = Callable[[], Awaitable[Credential]]
"""Makes one credential now. Raises `AuthError` (or another `MCKSError`) when it cannot."""


class _Backoff:
    """1, 2, 4 ... 60 seconds, each up to a tenth longer. Times are monotonic."""

    until = float("-inf")
    wait = 0.0

    def grow(self, now: float, jitter: float, asked: float = 0.0) -> float:
        """Wait longer than before, and *asked* seconds at least; give the seconds."""
        self.wait = min(self.wait * 2, _MAX_BACKOFF) if self.wait else _FIRST_BACKOFF
        pause = max(self.wait, min(asked, _LONGEST_WAIT)) * (1 + 0.1 * jitter)
        self.until = now + pause
        return pause

    def reset(self) -> None:
        self.until, self.wait = float("-inf"), 0.0


class _Minted(NamedTuple):
    """A credential with what the cache knows of it."""

    credential: Credential
    minted_at: float
    """Monotonic."""
    renew_age: float
    """Monotonic seconds after the mint, when it is due by age."""
    renew_at: float
    """Wall time when it is due by expiry."""
    block_at: float
    """Wall time from which a caller waits for the next one."""
    after_rejection: bool


class CredentialCache:
    """One credential, minted once for all who ask and renewed early in the background.

    - At most one mint runs at a time; those who wait share its result and its error. A waiter that
      is cancelled does not cancel it.
    - A renewal starts on the first `get` after the credential became due: *renew_before* seconds
      before it expires (at most half its life) or *max_age* seconds after its mint, each with up
      to a tenth of jitter, so that many clusters do not renew at the same moment.
    - While the old credential is valid a failed renewal is only logged, and tried again after
      1, 2, 4 ... 60 seconds, or when the cloud asked to be asked again. Without a valid one the
      last error is raised until that time.
    - *timeout*: seconds a mint may take.
    - What one cluster refuses (`reject`) stays good for the others that share it.

    *clock* is wall time (expiry), *monotonic* is for ages; *jitter* gives numbers from 0 to 1.
    *name* is the cluster in metrics and logs; *shared_as* names in logs a log-in of several.
    """

    def __init__(
        self,
        mint: Mint,
        *,
        name: str = "",
        shared_as: str = "",
        renew_before: float = 60.0,
        max_age: float | None = None,
        timeout: float = 60.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        log: logging.Logger | None = None,
    ) -> None:
        self._mint = mint
        self._name, self._shared_as = name, shared_as
        self._renew_before, self._max_age, self._timeout = renew_before, max_age, timeout
        self._clock, self._monotonic, self._jitter = clock, monotonic, jitter
        self._log = log or logging.getLogger(__name__)
        self._current: _Minted | None = None
        self._refused_by: set[str] = set()
        """The clusters that do not take the present credential."""
        self._flight: asyncio.Task[_Minted] | None = None
        self._failure: Exception | None = None
        self._mint_backoff = _Backoff()
        self._reject_backoff = _Backoff()
        self._closed = False

    async def get(self, cluster: str = "") -> Credential:
        """Give a credential that is valid now; wait for a mint only if there is none.

        Raises `AuthError` or whatever the mint raised. The error of a shared log-in names
        *cluster*, for which the credential is wanted.
        """
        current = self._current
        if current is not None and self._usable(current, cluster):
            if self._due(current) and self._may_mint():
                self._launch()
            return current.credential
        try:
            return await self._wait_for_next(cluster)
        except MCKSError as exc:
            if cluster and self._shared_as:
                raise _shared_failure(cluster, exc) from exc
            raise

    def reject(self, credential: Credential, cluster: str = "") -> None:
        """Give *credential* to *cluster* (without it: to nobody) no more: 401 was the answer to it.

        Only that very object (``is``): late rejections of an older one change nothing. When fresh
        credentials are refused again and again the re-mints are spaced out, and the refused one
        is handed out meanwhile: the fault is then not the credential's age.
        """
        current = self._current
        if current is None or current.credential is not credential:
            return
        if not self._refused_by:
            now = self._monotonic()
            if current.after_rejection and now - current.minted_at < _QUICK_REJECTION:
                self._reject_backoff.grow(now, self._jitter())
            else:
                self._reject_backoff.reset()
        self._refused_by.add(cluster)

    async def close(self) -> None:
        """Stop a mint under way; those who wait for it get an `AuthError`."""
        self._closed = True
        self._current = None
        flight = self._flight
        if flight is not None:
            flight.cancel()
            await asyncio.wait({flight})

    def _usable(self, minted: _Minted, cluster: str) -> bool:
        if self._refused(cluster) and self._monotonic() >= self._reject_backoff.until:
            return False
        return self._clock() < minted.block_at

    def _refused(self, cluster: str) -> bool:
        return cluster in self._refused_by or "" in self._refused_by

    def _due(self, minted: _Minted) -> bool:
        old = self._monotonic() - minted.minted_at >= minted.renew_age
        return old or self._clock() >= minted.renew_at

    def _may_mint(self) -> bool:
        return self._flight is None and self._monotonic() >= self._mint_backoff.until

    async def _wait_for_next(self, cluster: str) -> Credential:
        if self._closed:
            raise AuthError(f"{self._subject()}: the hub is shutting down")
        if self._flight is None:
            if self._failure is not None and not self._may_mint():
                return self._last_resort(self._failure, cluster)
            self._launch()
        flight = self._flight
        assert flight is not None  # noqa: S101 - _launch sets it
        # asyncio.wait, unlike await, leaves the flight alone when this waiter is cancelled.
        await asyncio.wait({flight})
        if flight.cancelled():
            raise AuthError(f"{self._subject()}: the hub is shutting down")
        failure = flight.exception()
        if failure is None:
            return flight.result().credential
        if not isinstance(failure, Exception):
            raise failure
        return self._last_resort(failure, cluster)

    def _last_resort(self, failure: Exception, cluster: str) -> Credential:
        """Give the old credential if it has some seconds left, else raise *failure*."""
        current = self._current
        if current is not None and not self._refused(cluster):
            expires_at = current.credential.expires_at
            if expires_at is None or self._clock() < expires_at:
                return current.credential
        # One exception object is raised for many: without this its traceback would only grow.
        raise failure.with_traceback(None)

    def _launch(self) -> None:
        self._flight = asyncio.create_task(self._fly(), name=f"mint {self._name}")
        self._flight.add_done_callback(self._landed)

    async def _fly(self) -> _Minted:
        try:
            async with asyncio.timeout(self._timeout):
                credential = await self._mint()
        except TimeoutError as exc:
            raise AuthError(
                f"{self._subject()}: no credential came within {self._timeout:.0f} seconds"
            ) from exc
        return self._stamped(credential)

    def _stamped(self, credential: Credential) -> _Minted:
        now, jitter = self._clock(), self._jitter()
        renew_at = block_at = float("inf")
        if credential.expires_at is not None:
            life = credential.expires_at - now
            if life <= 0:
                raise AuthError(
                    f"{self._subject()}: the new credential ended {-life:.0f} seconds ago; "
                    "is the hub's clock right?"
                )
            # Never before half-life: a metadata server hands out the same token until shortly
            # before its end, and asking again at once would go on without end.
            lead = min(self._renew_before * (1 + 0.1 * jitter), life / 2)
            renew_at = credential.expires_at - lead
            block_at = credential.expires_at - min(_LAST_SECONDS, life / 4)
        return _Minted(
            credential=credential,
            minted_at=self._monotonic(),
            renew_age=float("inf") if self._max_age is None else self._max_age * (1 - 0.1 * jitter),
            renew_at=renew_at,
            block_at=block_at,
            after_rejection=bool(self._refused_by),
        )

    def _landed(self, flight: asyncio.Task[_Minted]) -> None:
        self._flight = None
        if flight.cancelled():
            return
        failure = flight.exception()
        if failure is None:
            self._current = None if self._closed else flight.result()
            self._failure = None
            self._refused_by.clear()
            self._mint_backoff.reset()
            metrics.MINTS.labels(self._name, "ok").inc()
            return
        metrics.MINTS.labels(self._name, "error").inc()
        asked = (failure.retry_after if isinstance(failure, MCKSError) else None) or 0.0
        pause = self._mint_backoff.grow(self._monotonic(), self._jitter(), asked)
        if isinstance(failure, Exception):
            self._failure = failure
        # Only our own errors are known to have texts without secrets.
        text = str(failure) if isinstance(failure, MCKSError) else type(failure).__name__
        self._log.warning(
            "%s: no new credential (next try in %.0f s): %s",
            self._subject(),
            pause,
            text,
        )

    def _subject(self) -> str:
        if self._shared_as:
            return self._shared_as
        return f"cluster {self._name!r}" if self._name else "credential"


def _shared_failure(cluster: str, exc: MCKSError) -> MCKSError:
    kinds: tuple[type[MCKSError], ...] = (ConfigError, Unreachable, AuthError)
    kind = next((kind for kind in kinds if isinstance(exc, kind)), AuthError)
    failure = kind(f"cluster {cluster!r}: cannot log in, as others that share the log-in: {exc}")
    failure.retry_after, failure.user_message = exc.retry_after, exc.user_message
    return failure
