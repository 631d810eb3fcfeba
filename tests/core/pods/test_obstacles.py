"""What keeps a Pod off all nodes, by the words of real schedulers."""

from __future__ import annotations

import pytest

from mcks.core.pods.obstacles import of_message

NOT_HELPFUL = "Preemption is not helpful for scheduling."
NO_VICTIMS = "No preemption victims found for incoming pod."

CAPACITY = {
    f"0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 "
    f"{NO_VICTIMS}": "no machine has enough free memory",
    "0/8 nodes are available: 1 Insufficient cpu, 3 Insufficient memory, 8 Insufficient "
    f"nvidia.com/gpu. preemption: 0/8 nodes are available: 8 {NO_VICTIMS}": (
        "no machine has enough free CPU, memory and GPUs"
    ),
    "0/15 nodes are available: 10 node(s) didn't match Pod's node affinity/selector, 5 "
    "Insufficient nvidia.com/gpu. preemption: 0/15 nodes are available: 10 Preemption is not "
    f"helpful for scheduling, 5 {NO_VICTIMS}": "no machine that it may use has enough free GPUs",
    "0/3 nodes are available: 1 node(s) had untolerated taint {CriticalAddonsOnly: true}, 2 Too "
    "many pods.": "no machine that it may use has enough free places for servers",
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had volume node affinity conflict. "
    "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 "
    f"{NOT_HELPFUL}": "no machine that it may use has enough free CPU",
    "0/6 nodes are available: 6 Insufficient cpu, 6 Insufficient ephemeral-storage, 6 Insufficient "
    f"memory. preemption: 0/6 nodes are available: 6 {NO_VICTIMS}.": (
        "no machine has enough free CPU, disk space and memory"
    ),
    "0/2 nodes are available: 2 node(s) exceed max volume count.": (
        "no machine has enough free connections for volumes"
    ),
    "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: "
    f"0/2 nodes are available: 2 {NO_VICTIMS}": "no machine has enough free devices",
    "0/1 nodes are available: 1 Insufficient google.com/tpu, 1 Insufficient hugepages-2Mi.": (
        "no machine has enough free TPUs and huge pages"
    ),
    "0/1 nodes are available: 1 Insufficient habana.ai/gaudi.": (
        "no machine has enough free 'habana.ai/gaudi'"
    ),
    "Failed to schedule pod, no instance type has enough resources, requirements=karpenter.sh/"
    "capacity-type In [on-demand]": "no machine has enough free room",
}
FAR = "no machine that it may use reaches the server's volume"
NOT_THERE = "the server's volume is not there yet"
IN_USE = "the server's volume is in use elsewhere"
NOT_READY = "the cluster's machines are not ready at the moment"
RESERVED = "the machines are reserved for other work"
NO_KIND = "no machine is of the kind that this profile asks for"
NEITHER = "no machine of the kind that this profile asks for is free for it, if there is one"
NEIGHBOURS = "the profile's rules on what may run side by side leave it no machine"

OTHERS = {
    "0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, "
    f"1 node(s) had volume node affinity conflict. preemption: 0/2 nodes are available: 2 "
    f"{NOT_HELPFUL}.": FAR,
    "0/3 nodes are available: 3 node(s) had no available volume zone.": FAR,
    "0/5 nodes are available: 5 node(s) didn't match PersistentVolume's node affinity.": FAR,
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 "
    f"nodes are available: 1 {NOT_HELPFUL}": NOT_THERE,
    'running "VolumeBinding" filter plugin for pod "p-0": pod has unbound immediate '
    "PersistentVolumeClaims": NOT_THERE,
    f'0/1 nodes are available: 1 persistentvolumeclaim "home" not found. preemption: 0/1 nodes '
    f"are available: 1 {NOT_HELPFUL}": NOT_THERE,
    "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.": (
        NOT_THERE
    ),
    'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded': NOT_THERE,
    "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with "
    "ReadWriteOncePod access mode already in-use by another pod.": IN_USE,
    "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/network-"
    "unavailable: }, 2 node(s) didn't match Pod's node affinity/selector.": NOT_READY,
    "0/4 nodes are available: 4 node(s) were unschedulable.": NOT_READY,
    "0/1 nodes are available: 1 node(s) had untolerated taint {ebs.csi.aws.com/agent-not-ready: "
    "NoExecute}.": NOT_READY,
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/"
    f"control-plane: }}, 2 node(s) had untolerated taint {{hub.jupyter.org/dedicated: user}}. "
    f"preemption: 0/3 nodes are available: 3 {NOT_HELPFUL}": RESERVED,
    "0/2 nodes are available: 2 node(s) had untolerated taint(s).": RESERVED,
    "0/1 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the "
    "pod didn't tolerate.": RESERVED,
    "0/1 nodes are available: 1 node(s) had taints that the pod didn't tolerate.": RESERVED,
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: "
    f"0/3 nodes are available: 3 {NOT_HELPFUL}": NO_KIND,
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/"
    "control-plane: }, 2 node(s) didn't match node selector.": NO_KIND,
    "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 node(s) didn't match Pod's "
    f"node affinity/selector. no new claims to deallocate, preemption: 0/4 nodes are available: 4 "
    f"{NOT_HELPFUL}": NEITHER,
    "Failed to schedule pod, incompatible requirements, key karpenter.sh/nodepool, "
    "karpenter.sh/nodepool In [none] not in karpenter.sh/nodepool In [standard]": NO_KIND,
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/"
    "control-plane: }, 2 node(s) didn't match pod anti-affinity rules.": NEIGHBOURS,
    "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.": NEIGHBOURS,
    "no nodes available to schedule pods": "it has no machines at the moment",
    "0/0 nodes are available: .": "it has no machines at the moment",
    "0/1 nodes are available: 1 what nobody has ever said.": "",
    "": "",
}


@pytest.mark.parametrize(("message", "why"), [*CAPACITY.items(), *OTHERS.items()])
def test_schedulers_words_become_a_clause_for_the_user(message: str, why: str) -> None:
    assert of_message(message).why == why


def test_what_the_user_may_do_depends_on_whether_it_passes() -> None:
    advice = {why: of_message(message).advice for message, why in OTHERS.items()}
    later = {why for why, said in advice.items() if said.startswith("Try again later")}
    assert later == {
        NOT_THERE,
        IN_USE,
        NOT_READY,
        NEIGHBOURS,
        "it has no machines at the moment",
        "",
    }
    assert all(of_message(message).advice.startswith("Try again") for message in CAPACITY)
    assert advice[NO_KIND].startswith("Choose another profile, or tell the administrators")


def test_another_node_helps_neither_a_volume_that_is_not_there_nor_nodes_that_are_not_ready() -> (
    None
):
    helped = {why: of_message(message).a_node_helps for message, why in OTHERS.items()}
    assert {why for why, is_so in helped.items() if not is_so} == {NOT_THERE, IN_USE, NOT_READY}
    assert all(of_message(message).a_node_helps for message in CAPACITY)
