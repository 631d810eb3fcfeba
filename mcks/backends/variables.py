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
"""What changes no program's log-in. Not HOME: whose files are read?"""
_WAY = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"),
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
)
"""How a program reaches its cloud, and whom it trusts there: never as whom it logs in. Those of
the hub count in their place."""


def last_set(names: Collection[str], environment: Mapping[str, str]) -> str:
    """Give the last of *names* that *environment* sets to something, or ``""``."""
    return next((name for name in reversed([*names]) if environment.get(name)), "")


def on_the_way(environment: Mapping[str, str]) -> list[str]:
    """Name the variables of *environment* in whose place those of the hub count."""
    return [name for name in environment if name.upper() in _WAY]


def refuse_lost(
    environment: Mapping[str, str],
    hub: Mapping[str, str],
    *,
    counting: Collection[str],
    harmless: Collection[str] = (),
) -> None:
    """Raise `ConfigError` for a variable of *environment* that would be lost.

    That is one which neither counts nor is harmless, or is empty to hide one of the *hub*, whose
    variables count where a stanza says nothing.
    """
    for name, value in environment.items():
        if name in harmless or name in _HARMLESS or name.startswith("LC_"):
            continue
        if name.upper() in _WAY:
            continue
        if name not in counting:
            shown = name.partition("=")[0]
            raise ConfigError(
                f"{shown} in exec.env is not understood, and mcks, which logs in without the "
                "program, does not drop it unseen: take it out"
            )
        if not value and hub.get(name):
            raise ConfigError(
                f"{name} in exec.env is empty, and would not hide that of the hub's environment: "
                "set it to something, or take one of them out"
            )
