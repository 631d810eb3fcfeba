"""What mcks logs in with instead of a cloud's program: the promise of each recognised stanza.

Knows no cloud: those are in `mcks.backends.programs`. Finding them is in `mcks.backends.stanzas`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mcks.auth.credential import Credential


class NativeLogIn(Protocol):
    """One recognised stanza, as a value: it says what was asked for, and how it is done."""

    @property
    def warning(self) -> str:
        """What differs from the program's own log-in, for the hub's log; or nothing."""

    async def mint(self) -> Credential:
        """Make a credential.

        Raises `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`.
        """

    def renewal(self) -> tuple[float, float | None]:
        """Give seconds before the end, and the age, at which the credential is renewed."""

    def credential_key(self) -> Hashable | None:
        """Give what a token is bound to, where it serves several clusters; else None."""

    def identity(self) -> str:
        """Say as whom the hub logs in."""


ReadArguments = Callable[[Sequence[str], Mapping[str, str]], NativeLogIn | None]
"""Reads a program's arguments and environment; None if it is called for something else.

Raises `ConfigError` for what cannot be served, or would be lost.
"""

ReadConfig = Callable[[Mapping[str, object]], NativeLogIn]
"""Reads the ``config`` of an ``auth-provider``. Raises `ConfigError`."""


@dataclass(frozen=True)
class Known:
    """What one module of `mcks.backends.programs` reads, by the names in kubeconfig files."""

    commands: Mapping[str, ReadArguments] = field(default_factory=dict)
    auth_providers: Mapping[str, ReadConfig] = field(default_factory=dict)
