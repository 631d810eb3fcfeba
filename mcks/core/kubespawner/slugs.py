"""KubeSpawner 7's names for users and servers, so that what it named is found again. Pure.

Templates with these names in them (`fields`) do not belong here. The rules are KubeSpawner's
documented scheme "safe" (a valid name stays, every other one is shortened and gets a hash) and its
older scheme "escape".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache

from mcks.core.names import escape, is_dns_label

FIELD_LENGTH = 48
"""Characters of one field of a template at most."""
_SHORT = 32
_HASH_LENGTH = 8
_LABEL_VALUE = r"[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?"


def escape_slug(name: str) -> str:
    """Escape *name* as the scheme "escape" does: the original spawner's escaping is the same."""
    return escape(name)


def is_label_value(name: str) -> bool:
    """Whether *name* may be the value of a Kubernetes label; an empty one may."""
    return not name or re.fullmatch(_LABEL_VALUE, name) is not None


@lru_cache(maxsize=1000)  # each start asks for the same several times
def safe_slug(
    name: str, is_valid: Callable[[str], bool] = is_dns_label, max_length: int | None = None
) -> str:
    """Return *name* if it is valid, at most *max_length* long and has no ``--``, else a slug.

    >>> safe_slug("ada"), safe_slug("Ada@example.org")
    ('ada', 'ada-example-org---3b518a08')
    """
    short_enough = max_length is None or len(name) <= max_length
    if "--" not in name and is_valid(name) and short_enough:
        return name
    length = (max_length or _SHORT) - _HASH_LENGTH - 3
    return f"{_stripped(name, length)}---{_digest(name)}"


def server_slug(username: str, servername: str) -> str:
    """Return the slug of a user's server: both slugs, or one for both where these are long."""
    user = safe_slug(username, max_length=FIELD_LENGTH)
    server = safe_slug(servername, max_length=FIELD_LENGTH) if servername else ""
    if len(user) + len(server) + 2 > FIELD_LENGTH:
        length = (FIELD_LENGTH - _HASH_LENGTH - 1) // 2 - 2
        names = "--".join(_stripped(name, length) for name in (username, servername))
        return f"{names}---{_digest(username, servername)}"
    return f"{user}--{server}" if server else user


def _stripped(name: str, length: int) -> str:
    """What of *name* is letters and digits, at most *length*, beginning with a letter."""
    kept = re.sub("[^a-z0-9]+", "-", name.lower()).lstrip("-")[:length].rstrip("-")
    if kept and not "a" <= kept[0] <= "z":
        kept = f"x-{kept[: length - 2]}"
    return kept or "x"


def _digest(*names: str) -> str:
    """Names are joined by a byte that no UTF-8 text has, so that their boundary counts."""
    joined = b"\xff".join(name.encode() for name in names)
    return hashlib.sha256(joined).hexdigest()[:_HASH_LENGTH]
