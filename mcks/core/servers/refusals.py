"""What an API server refused although the hub may ask for it -> what to tell whom. Pure.

Quotas and policies are the cluster's own rules, and ranges of addresses its size: the user can do
something about them, or wants to know that they are meant. What a Pod does once it is accepted does
not belong here (failures.py).
"""

from __future__ import annotations

import re

from mcks.errors import APIError, StartFailed

_OVER_QUOTA = r"exceeded quota: |status unknown for quota: "
_UNDECLARED = r"failed quota: "
_RANGE_FULL = r"failed to allocate .*: range is full"
_POLICY = (
    r"admission webhook .* denied the request|violates PodSecurity"
    r"|ValidatingAdmissionPolicy .* denied request"
    r"|unable to validate against any security context constraint"
    r"|(?:minimum|maximum) \S+ usage per \w+|limit to request ratio per \w+"
)
_NO_ROOM = (
    "This cluster's quota has no room for your server at the moment. Stop a server that you do not "
    "need, choose a smaller profile, try again later, or tell the administrators of this hub."
)
_NO_ADDRESS = (
    "This cluster has no address left for another server. Choose another cluster, try again later, "
    "or tell the administrators of this hub."
)
_INCOMPLETE = (
    "This cluster has a quota of things that this profile does not say how much of it needs. "
    "Choose another profile, or tell the administrators of this hub."
)
_NOT_ALLOWED = (
    "A rule of this cluster does not allow this server. Choose another profile, or tell the "
    "administrators of this hub."
)


def explained(refusal: APIError) -> StartFailed | None:
    """Return *refusal* in words for the user if a quota or a policy speaks, else None."""
    said = str(refusal)
    if re.search(_OVER_QUOTA, said):
        return StartFailed(_NO_ROOM, details=said, reason="quota")
    if re.search(_UNDECLARED, said):
        return StartFailed(_INCOMPLETE, details=said, reason="quota")
    if re.search(_RANGE_FULL, said):
        return StartFailed(_NO_ADDRESS, details=said, reason="no-place")
    if re.search(_POLICY, said, re.DOTALL):
        return StartFailed(_NOT_ALLOWED, details=said, reason="policy")
    return None
