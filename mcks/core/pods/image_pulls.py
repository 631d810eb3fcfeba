"""A container runtime's words about an image that it could not pull -> does that pass? Pure.

The kubelet tries for ever, so a start must know what is worth waiting for. The words are those of
containerd, CRI-O and cri-dockerd, and of the registries that they quote. What a Pod's status is
besides does not belong here (failures.py).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

REASONS = frozenset(
    {
        "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "InvalidImageName",
        "ErrImageNeverPull", "ImageInspectError", "SignatureValidationFailed",
    }
)  # fmt: skip
"""The kubelet's reasons for a container that waits for its image."""


class Outlook(Enum):
    """What to expect of the next try."""

    PASSES = "passes"
    LASTS = "lasts"
    UNKNOWN = "unknown"


class Pull(NamedTuple):
    """A pull that failed. *why* is a clause for the user, empty if nothing is known."""

    outlook: Outlook
    why: str = ""


_ADDRESSES = r'"[^"]*"|https?://\S+|(?<!\S)(?!i/o\b|net/http:)[^\s/]+/\S+'
"""Names of images and addresses of registries: a repository may be called ``denied``."""
_BACK_OFF = r"^Back-off pulling image\s*(?::\s*)?(?:ErrImagePull\s*:?\s*)?"
_STATUS = r"(?:status(?: code)?:? ?|^|: |\s)"


def _any(*words: str) -> str:
    return "|".join(words)


_PASSING = {
    "its registry has been asked too often and wants a pause": _any(
        r"toomanyrequests", r"too many requests", r"rate (?:limit|exceeded)", rf"{_STATUS}429\b",
        r"pull QPS exceeded",
    ),
    "the name of its registry is not found at the moment": _any(
        r"\blookup\b", r"no such host", r"server misbehaving", r"name resolution"
    ),
    "its registry does not answer": _any(
        r"i/o timeout", r"handshake timeout", r"timed out", r"deadline ?exceeded",
        r"Client\.Timeout", r"connection (?:refused|reset)", r"no route to host",
        r"(?:network|host) is (?:unreachable|down)", r"\bEOF\b", r"broken pipe",
        r"context canceled", r"request canceled", r"server closed", r"http2: ", r"stream error",
        r"registry is unavailable",
        r"code = (?:Unavailable|Canceled|Aborted)\b",
    ),
    "its registry has a fault of its own": _any(
        rf"{_STATUS}5\d\d [A-Z]", r"status(?: code)?:? ?5\d\d\b", r"internal server error",
        r"bad gateway", r"service unavailable", r"gateway time-?out",
    ),
    "what came from its registry was not whole": _any(
        r"failed size validation", r"unexpected commit (?:digest|size)"
    ),
    "the cluster's machine has no room for it at the moment": _any(
        r"no space left on device", r"disk quota exceeded"
    ),
}  # fmt: skip
_LASTING = {
    "its registry cannot be trusted (certificate)": _any(
        r"x509", r"certificate", r"HTTP response to HTTPS client"
    ),
    "there is none for the kind of this cluster's machines": _any(
        r"no match for platform", r"no matching manifest",
        r"no image found in (?:image index|manifest list)",
    ),
    "its registry does not give it to this cluster, or does not have it": _any(
        r"insufficient_scope", r"authorization failed", r"unauthorized", r"unauthenticated",
        r"authentication required", r"forbidden", r"(?<!permission )\bdenied\b",
        rf"{_STATUS}40[13]\b", r"no basic auth credentials", r"invalid username/password",
        r"code = PermissionDenied\b",
    ),
    "its registry does not have it": _any(
        r"not found", r"(?:manifest|name|blob) unknown", r"does not exist",
        rf"{_STATUS}404\b", r"code = NotFound\b",
    ),
    "its name is not valid": _any(
        r"invalid reference", r"name invalid", r"couldn't parse", r"could not parse",
        r"must be lowercase", rf"{_STATUS}400\b", r"code = InvalidArgument\b",
    ),
}  # fmt: skip
_BY_REASON = {
    "RegistryUnavailable": Pull(Outlook.PASSES, "its registry does not answer"),
    "InvalidImageName": Pull(Outlook.LASTS, "its name is not valid"),
    "ErrImageNeverPull": Pull(Outlook.LASTS, "the cluster's machines are not to fetch it"),
    "SignatureValidationFailed": Pull(Outlook.LASTS, "its signature is not valid"),
}


def judge(reason: str, message: str) -> Pull:
    """Say what becomes of a container that waits with *reason* and *message*.

    What the kubelet only tries again without a word about the cause may pass; so may a cause that
    is not known, but only until the kubelet takes to longer pauses.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    said = re.sub(_BACK_OFF, "", re.sub(_ADDRESSES, "", message)).strip(' :."')
    for outlook, causes in ((Outlook.PASSES, _PASSING), (Outlook.LASTS, _LASTING)):
        for why, words in causes.items():
            if re.search(words, said, re.IGNORECASE):
                return Pull(outlook, why)
    silent = reason == "ImagePullBackOff" and not said
    return Pull(Outlook.PASSES if silent or reason == "ErrImagePull" else Outlook.UNKNOWN)
