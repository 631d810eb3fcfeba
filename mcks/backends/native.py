"""What mcks logs in with instead of a cloud's program: the promise of each recognised stanza.

Knows no cloud: those are in `mcks.backends.programs`. Finding them is in `mcks.backends.stanzas`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, Protocol

from mcks.auth.credential import Credential
from mcks.auth.shared import SharedLogin
from mcks.backends.variables import refuse_lost


class NativeLogIn(Protocol):
    """One recognised stanza, as a dataclass: it says what was asked for, and how it is done."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def warning(self) -> str:
        """What differs from the program's own log-in, for the hub's log; or nothing."""

    async def mint(self) -> Credential:
        """Make a credential.

        Raises `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`.
        """

    def renewal(self) -> tuple[float, float | None]:
        """Give seconds before the end, and the age, at which the credential is renewed."""

    def credential_key(self) -> SharedLogin | None:
        """Give the log-in, where one token of it serves several clusters; else None."""

    def identity(self) -> str:
        """Say as whom the hub logs in."""


@dataclass(frozen=True)
class Invocation:
    """How an exec stanza calls its program; *hub* is the environment that this would inherit."""

    arguments: Sequence[str] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    hub: Mapping[str, str] = field(default_factory=dict, repr=False)

    def variable(self, name: str) -> str:
        """Give the variable *name* of the stanza, else that of the hub, or ``""``."""
        return self.environment.get(name) or self.hub.get(name, "")

    def refuse_lost(self, counting: Collection[str], harmless: Collection[str] = ()) -> None:
        """Raise `ConfigError` for a variable that neither counts nor is harmless."""
        refuse_lost(self.environment, self.hub, counting=counting, harmless=harmless)


ReadInvocation = Callable[[Invocation], NativeLogIn | None]
"""Reads how a program is called; None if it is called for something else.

What the stanza says counts as in the program itself; the hub's environment fills what it leaves
open. Raises `ConfigError` for what cannot be served, or would be lost.
"""

ReadConfig = Callable[[Mapping[str, object]], NativeLogIn]
"""Reads the ``config`` of an ``auth-provider``. Raises `ConfigError`."""


@dataclass(frozen=True)
class Known:
    """What one module of `mcks.backends.programs` reads, by the names in kubeconfig files."""

    commands: Mapping[str, ReadInvocation] = field(default_factory=dict)
    auth_providers: Mapping[str, ReadConfig] = field(default_factory=dict)
