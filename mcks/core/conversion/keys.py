"""Keys of the patches that a conversion makes: they apply before the administrator's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_PREFIXES = ("00", "!00", "!!", " ")


@dataclass(frozen=True)
class Keys:
    """Names for patches, such that the hub's apply first, then a profile's, then its options'."""

    prefix: str = _PREFIXES[0]

    def of_hub(self, name: str) -> str:
        """Name a patch for all servers."""
        return f"{self.prefix}-hub-{name}"

    @property
    def cmd(self) -> str:
        """Name the patch that says ``cmd``; a profile's takes its place."""
        return self.of_hub("00-cmd")

    def variable(self, name: str) -> str:
        """Name the patch that says one variable of the environment."""
        return self.of_hub(f"99-env-{name}")

    @property
    def profile(self) -> str:
        """Name the patch of a profile."""
        return f"{self.prefix}-profile"

    def option(self, number: int, name: str) -> str:
        """Name the patch of a profile's option, whichever is chosen."""
        return f"{self.prefix}-profile-{number:02}-{name}"


def keys_before(own: Iterable[str]) -> Keys:
    """Return keys that sort before all of the administrator's *own*."""
    lowest = min(own, default="~")
    found = (Keys(prefix) for prefix in _PREFIXES)
    return next((keys for keys in found if f"{keys.profile}-~" < lowest), Keys(" "))
