"""What the environment of a server may hold: Secrets' names and sizes, the kernel's longest text.

Pure. Messages name variables and never say their values.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any

from mcks.errors import ConfigError, Tell, at_once

LONGEST = 128 * 1024
"""Bytes of ``NAME=value`` and the zero after it that Linux hands to a program (MAX_ARG_STRLEN)."""
SECRET = 1024 * 1024
"""Bytes of all values of a Secret together (MaxSecretSize)."""
_NAME = re.compile(r"(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}")


def check(
    secret: Mapping[str, Any], entries: Collection[Mapping[str, Any]], tell: Tell = at_once
) -> None:
    """Raise ConfigError for the first variable that cannot reach the container, or *tell* each.

    *secret* is the server's, filled; *entries* are ours of the container's ``env``.
    """
    texts: Mapping[Any, Any] = secret.get("stringData") or {}
    data: Mapping[Any, Any] = secret.get("data") or {}
    sizes = {n: _checked(n, _decoded(v), tell) for n, v in data.items() if n not in texts}
    if data or not _are_few_and_plain(texts):
        sizes |= {n: _checked(n, _size(n, v, tell), tell) for n, v in texts.items()}
    for entry in entries:
        name = entry.get("name")
        _checked(name, _size(name, entry.get("value"), tell), tell)
    if (total := sum(sizes.values())) > SECRET:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        text = (
            f"environment: all values together have {total} bytes, and a Secret holds {SECRET}: "
            f"put files into a volume instead. The largest: {', '.join(largest)}"
        )
        tell(ConfigError(text))


def _are_few_and_plain(texts: Mapping[Any, Any]) -> bool:
    """Whether *texts*, looked at together, are as most are: then nothing is wrong with any."""
    try:
        names, values = "".join(texts), "".join(texts.values())
    except TypeError:  # not all of them are texts
        return False
    size = len(names) + len(values) + len("=\0")
    plain = values.isascii() and "\0" not in values
    return plain and size <= LONGEST and all(map(_NAME.fullmatch, texts))


def _checked(name: Any, size: int, tell: Tell) -> int:
    """Return *size*, the bytes of what *name* holds, and tell if one of them is not good."""
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        text = (
            f"environment: {name!r} cannot be a variable's name here, because a Secret cannot hold "
            "it: use letters, digits, '_', '-' and '.'"
        )
        tell(ConfigError(text))
    if (whole := size + len(f"{name}=\0")) > LONGEST:
        text = (
            f"environment[{name!r}] has {whole} bytes with its name, and no program starts with "
            f"more than {LONGEST} in one variable: put it into a file of a volume instead"
        )
        tell(ConfigError(text))
    return size


def _size(name: Any, value: Any, tell: Tell) -> int:
    if value is None:  # it comes from elsewhere
        return 0
    text = str(value)
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        tell(ConfigError(f"environment[{name!r}] has characters that are no Unicode text"))
        return 0
    if "\0" in text:
        tell(ConfigError(f"environment[{name!r}] has a zero byte, at which a variable ends"))
    return size


def _decoded(value: Any) -> int:
    try:
        return len(base64.b64decode(str(value)))
    except ValueError:  # the API server says best what is wrong with it
        return 0
