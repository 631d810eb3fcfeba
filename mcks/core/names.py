"""DNS-safe, stable names for users and servers. Rendering templates does not belong here.

The escaping is the original spawner's, byte for byte, so that objects made by it
(PersistentVolumeClaims above all) keep their names.
"""

from __future__ import annotations

import hashlib
import re
import string
from functools import lru_cache

import escapism

CONTAINER = "notebook"
"""The container of a Pod that is the server itself."""
KUEUE_QUEUE = "kueue.x-k8s.io/queue-name"
"""Label of a Pod that names the LocalQueue in which Kueue has it wait."""

_SAFE = frozenset(string.ascii_lowercase + string.digits)
_DNS_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
MAX_LABEL = 63
"""Longest DNS label (RFC 1035), which also bounds Service names and label values."""
_HASH_LENGTH = 10


@lru_cache(maxsize=1000)  # each start asks for the same several times
def escape(name: str) -> str:
    """Make *name* safe inside a DNS label; distinct names stay distinct.

    >>> escape("Ada.L")
    '-41da-2e-4c'
    """
    return str(escapism.escape(name, safe=_SAFE, escape_char="-")).lower()


def is_dns_label(name: str) -> bool:
    """Whether *name* may name a Pod, a Service and a label value: RFC 1035, at most 63."""
    return len(name) <= MAX_LABEL and re.fullmatch(_DNS_LABEL, name) is not None


def dns_label(wanted: str, identity: tuple[str, ...]) -> str:
    """Return *wanted* if it is a DNS label, else the start of it and a hash of *identity*.

    *identity* is what must stay apart (hub, user, server): two identities whose wanted names
    are cut at the same place still get two names. The mark ``-h`` before the hash cannot stand
    in an escaped name, where a single ``-`` is always followed by a hexadecimal digit.
    """
    wanted = wanted.rstrip("-")
    if is_dns_label(wanted):
        return wanted
    digest = hashlib.sha256("\xff".join(identity).encode()).hexdigest()[:_HASH_LENGTH]
    start = re.sub(r"[^-a-z0-9]", "-", wanted.lower()).lstrip("-0123456789") or "server"
    return f"{start[: MAX_LABEL - _HASH_LENGTH - 2].rstrip('-')}-h{digest}"
