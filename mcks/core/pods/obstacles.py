"""A scheduler's words about the nodes of a cluster -> what keeps a Pod off them. Pure.

The words are kube-scheduler's, of its versions since 1.20, and Karpenter's. Which Pods wait, and
for what else (scheduling.py), does not belong here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LATER = "Try again later, or choose another profile."
_OTHERWISE = "Choose another profile, or tell the administrators of this hub."


class Obstacle(NamedTuple):
    """What keeps a Pod without a node. *why* is a clause for the user, empty if nobody knows;
    *advice* what to do; *a_node_helps* whether another node of a usual kind could take the Pod."""

    why: str
    advice: str = LATER
    a_node_helps: bool = True


_UNKNOWN = Obstacle("", LATER)
_NO_NODES = Obstacle("it has no machines at the moment")
_IN_USE = Obstacle("the server's volume is in use elsewhere", a_node_helps=False)
_NO_VOLUME = Obstacle("the server's volume is not there yet", a_node_helps=False)
_NEIGHBOURS = Obstacle("the profile's rules on what may run side by side leave it no machine")
_FAR_VOLUME = Obstacle("no machine that it may use reaches the server's volume", _OTHERWISE)
_NOT_READY = Obstacle("the cluster's machines are not ready at the moment", a_node_helps=False)
_RESERVED = Obstacle("the machines are reserved for other work", _OTHERWISE)
_NO_KIND = Obstacle("no machine is of the kind that this profile asks for", _OTHERWISE)
_NEITHER = Obstacle(
    "no machine of the kind that this profile asks for is free for it, if there is one", _OTHERWISE
)

_CONDITION_TAINTS = (
    r"node\.kubernetes\.io/|node\.cloudprovider\.kubernetes\.io/|[^}]*-not-ready\b"
    r"|ToBeDeletedByClusterAutoscaler|karpenter\.sh/(?:unregistered|disrupt)"
)
"""Taints that pass: of nodes that begin, end, or are ill."""
_CONTROL_PLANE = r"node-role\.kubernetes\.io/(?:control-plane|master)\b"

_VOLUME_WORDS = (
    r"unbound immediate PersistentVolumeClaims|find available persistent volumes to bind"
    r"|persistentvolumeclaim \"|bound to non-existent pv|ephemeral volume controller"
    r"|binding volumes"
)
_KIND_WORDS = (
    r"node affinity|node selector|requested node name|affinity terms conflict"
    r"|incompatible requirements"
)
_BY_WORDS = {
    r"ReadWriteOncePod access mode already in-use|no available disk": _IN_USE,
    _VOLUME_WORDS: _NO_VOLUME,
    r"anti-affinity rules|pod affinity rules|topology spread constraints": _NEIGHBOURS,
    r"volume node affinity conflict|PersistentVolume's node affinity|volume zone": _FAR_VOLUME,
    rf"taint \{{(?:{_CONDITION_TAINTS})": _NOT_READY,
    r"were unschedulable|unknown condition|were not ready": _NOT_READY,
    rf"taint \{{(?!{_CONTROL_PLANE})|did not tolerate taint": _RESERVED,
    r"taint(?:\(s\)|s that).* (?:node affinity|node selector)": _NEITHER,
    _KIND_WORDS: _NO_KIND,
    r"\btaints?\b": _RESERVED,
}
"""In the order in which they tell more: the first that is said of any node counts. The control
plane's taint tells least, as many clusters have such nodes beside the others; of taints without
their names (since 1.34) nobody knows which are meant."""

_LACKS = (
    r"Insufficient (?P<resource>[^\s,]*[^\s,.])"
    r"|(?P<pods>Too many pods)|(?P<volumes>exceed max volume count)"
    r"|(?P<storage>did not have enough free storage)|(?P<ports>didn't have free ports)"
    r"|(?P<devices>cannot allocate all claims)"
    r"|(?P<anything>no instance type (?:has enough|satisfied) resources"
    r"|instance types exceed limits)"
)
_OF_GROUP = {
    "pods": "places for servers",
    "volumes": "connections for volumes",
    "storage": "storage for its volume",
    "ports": "network ports",
    "devices": "devices",
    "anything": "room",
}
_RESOURCES = {
    "cpu": "CPU",
    "memory": "memory",
    "ephemeral-storage": "disk space",
    "pods": "places for servers",
}
_NO_NODE_AT_ALL = r"no nodes available to schedule pods|^0/0 nodes"
_PREEMPTION = r"[.,]? preemption: .*"
"""What more the scheduler says: whether it helps to end other Pods."""


def of_message(message: str) -> Obstacle:
    """Say what keeps a Pod off all nodes, by what its scheduler said.

    Each node has reasons of its own. What a node lacks counts before what it is: a Pod of a GPU
    profile waits for GPUs, not for the nodes without GPUs to become others.
    """
    said = re.sub(_PREEMPTION, "", message, flags=re.DOTALL)
    if re.search(_NO_NODE_AT_ALL, said):
        return _NO_NODES
    others = [obstacle for words, obstacle in _BY_WORDS.items() if re.search(words, said)]
    if lacking := _lacking(said):
        which = "no machine that it may use" if others else "no machine"
        return Obstacle(f"{which} has enough free {lacking}")
    return others[0] if others else _UNKNOWN


def _lacking(said: str) -> str:
    names = []
    for found in re.finditer(_LACKS, said):
        resource = found["resource"]
        name = _resource(resource) if resource else _OF_GROUP[str(found.lastgroup)]
        if name not in names:
            names.append(name)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def _resource(name: str) -> str:
    """Call a resource of nodes as people do.

    >>> _resource("nvidia.com/mig-1g.5gb"), _resource("google.com/tpu"), _resource("habana.ai/g")
    ('GPUs', 'TPUs', "'habana.ai/g'")
    """
    if "gpu" in name or name.startswith("nvidia.com/"):
        return "GPUs"
    if "tpu" in name:
        return "TPUs"
    if name.startswith("hugepages-"):
        return "huge pages"
    return _RESOURCES.get(name, repr(name))
