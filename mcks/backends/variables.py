"""Environment variables of other programs: what a kubeconfig's exec stanza sets.

What they mean does not belong here. No error shows a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mcks.errors import ConfigError

_HARMLESS = (
    *("PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE", "TERM", "COLORTERM", "NO_COLOR", "PAGER", "LESS"),
    *("PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONUTF8"),
)
"""What changes no program's log-in. Not HOME (whose files are read?), no proxy, no CA."""


def last_set(names: Collection[str], environment: Mapping[str, str]) -> str:
    """Give the last of *names* that *environment* sets to something, or ``""``."""
    return next((name for name in reversed([*names]) if environment.get(name)), "")


def refuse_unknown(environment: Mapping[str, str], known: Collection[str]) -> None:
    """Raise `ConfigError` for a variable that would be lost: neither *known* nor harmless."""
    for name in environment:
        if name not in known and name not in _HARMLESS and not name.startswith("LC_"):
            shown = name.partition("=")[0]
            raise ConfigError(
                f"{shown} in exec.env is not understood, and mcks, which logs in without the "
                "program, does not drop it unseen: take it out"
            )
