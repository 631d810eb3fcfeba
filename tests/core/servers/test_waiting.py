"""How long a start waits for a place, and which requests that costs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.pods.patience import ENDLESS, Patience
from mcks.errors import StartFailed
from tests.fakes.live_watches import LiveWatches, Start, running, unscheduled
from tests.fakes.loopback_servers import LoopbackHub, until

NO_MEMORY = "0/1 nodes are available: 1 Insufficient memory."
NO_MEMORY_SAID = "No place in the cluster yet, still looking: no machine has enough free memory"
FOREVER = 3600.0


@pytest.fixture
def watches(loopback_hub: LoopbackHub) -> LiveWatches:
    return LiveWatches(loopback_hub)


async def failed(start: Start) -> StartFailed:
    async with asyncio.timeout(30):
        with pytest.raises(StartFailed) as caught:
            await start.task
    return caught.value


async def test_a_pod_for_which_there_is_no_place_in_time_is_given_up_with_the_schedulers_words(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=0.3))
    await start.made()
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    failure = await failed(start)
    assert (failure.reason, failure.elsewhere) == ("no-place", True)
    assert failure.user_message == (
        "The cluster has no place for your server: no machine has enough free memory. Try again "
        "later, or choose another profile."
    )
    assert failure.details.startswith(NO_MEMORY)
    assert NO_MEMORY_SAID in start.said
    assert watches.opened["events"] == 1


async def test_a_pod_that_no_scheduler_looks_at_is_given_up_too_and_asks_for_no_events(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=0.3))
    await start.made()
    failure = await failed(start)
    assert failure.reason == "no-place"
    assert "no scheduler 'default-scheduler' has looked at the pod" in failure.details
    assert watches.opened["events"] == 0


async def test_a_pod_that_gets_its_place_at_once_costs_no_request_whatever_the_patience(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    asked = {}
    for patience in (ENDLESS, Patience(FOREVER, FOREVER, FOREVER, FOREVER)):
        loopback_hub.server.objects.clear()
        before = len(loopback_hub.server.seen)
        start = Start(loopback_hub, patience)
        await start.made()
        await watches.tell_pod(conditions=[{"type": "PodScheduled", "status": "True"}])
        await watches.tell_pod(**running())
        await start.task
        changes = [one for one in loopback_hub.server.seen[before:] if one[0] != "GET"]
        asked[patience] = tuple(sorted(changes))
        assert watches.opened["events"] == 0
        await watches.tell_pod("DELETED")
    assert len(set(asked.values())) == 1


async def test_who_has_no_other_cluster_waits_on_whatever_the_autoscaler_says_and_does_not_ask_it(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, ENDLESS)
    await start.made()
    await watches.tell_event("NotTriggerScaleUp", "1 max node group size reached")
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    await start.told(NO_MEMORY_SAID)
    await watches.tell_pod(**unscheduled("0/1 nodes are available: 1 Insufficient cpu."))
    await start.told(NO_MEMORY_SAID.replace("memory", "CPU"))
    assert not start.task.done()
    await watches.tell_pod(**running())
    await start.task
    assert watches.opened["events"] == 0


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached"),
        ("FailedScheduling", "Failed to schedule pod, no instance type has enough resources"),
    ],
)
async def test_what_the_autoscaler_will_not_add_ends_the_wait_as_soon_as_that_is_known(
    loopback_hub: LoopbackHub, watches: LiveWatches, reason: str, message: str
) -> None:
    start = Start(loopback_hub, Patience(place=FOREVER))
    await start.made()
    await watches.tell_event("NotTriggerScaleUp", "an older Pod", uid="another")
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    await until(lambda: watches.opened["events"])
    assert not start.task.done()
    await watches.tell_event(reason, message)
    failure = await failed(start)
    assert failure.reason == "no-place"
    assert "no machine has enough free memory, and no machine is added." in failure.user_message
    assert f"{reason}: {message}" in failure.details
    assert watches.opened["events"] == 1


async def test_a_machine_that_is_being_added_is_waited_for_and_the_page_says_so(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    began = asyncio.get_running_loop().time()
    start = Start(loopback_hub, Patience(place=0.5, scale_up=1.0))
    await start.made()
    await watches.tell_event("TriggeredScaleUp", "pod triggered scale-up: [{group 1->2 (max: 2)}]")
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    failure = await failed(start)
    assert asyncio.get_running_loop().time() - began >= 1.5
    assert failure.reason == "no-place"
    assert "the machine that is being added did not come in time" in failure.user_message
    assert "The cluster is adding a machine, which may take some minutes" in start.said
    assert "It may take up to 1 s more" in start.said


async def test_a_machine_that_comes_ends_the_wait_with_a_server(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=20.0, scale_up=FOREVER))
    await start.made()
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    await watches.tell_event("Nominated", "Pod should schedule on: nodeclaim/gpu-ljvhl")
    await start.told("The cluster is adding a machine, which may take some minutes")
    await watches.tell_pod(**running())
    assert await start.task == watches.pod["metadata"]["uid"]


GATES = [{"name": "kueue.x-k8s.io/admission"}]


async def test_a_queue_has_a_time_out_of_its_own_in_which_that_for_a_place_does_not_run(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=0.0, queue=0.5))
    labels = {"kueue.x-k8s.io/queue-name": "gpu-queue"}
    made = loopback_hub.server.put

    def gated(path: str, body: dict[str, Any], **more: float) -> dict[str, Any]:
        """What Kueue's webhook does to a Pod."""
        if body.get("kind") == "Pod":
            body["spec"]["schedulingGates"] = GATES
            body["metadata"]["labels"].update(labels)
        return made(path, body, **more)

    loopback_hub.server.put = gated  # type: ignore[method-assign]
    failure = await failed(start)
    assert (failure.reason, failure.elsewhere) == ("queue", True)
    assert failure.user_message.startswith("Your server was still in the queue of gpu-queue when")
    assert "scheduling gates: kueue.x-k8s.io/admission; queue of Kueue: gpu-queue" in str(failure)
    assert "In the queue of gpu-queue" in start.said
    assert watches.opened["events"] == 0


async def test_a_node_that_was_found_but_does_not_take_the_pod_is_given_up(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=0.5))
    await start.made()
    placed = [{"type": "PodScheduled", "status": "True"}]
    await watches.tell_pod(spec={"nodeName": "node-7"}, conditions=placed)
    failure = await failed(start)
    assert failure.reason == "no-place"
    assert failure.details.startswith("its node node-7 has not begun with the pod")


@pytest.mark.parametrize(("refused", "most"), [(403, 1), (500, 5), (None, 5)])
async def test_events_that_cannot_be_seen_are_asked_for_a_few_times_and_change_nothing(
    loopback_hub: LoopbackHub, watches: LiveWatches, refused: int | None, most: int
) -> None:
    if refused:
        watches.refused["events"] = refused
    else:
        watches.broken.add("events")
    start = Start(loopback_hub, Patience(place=0.5))
    await start.made()
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    failure = await failed(start)
    assert "no machine has enough free memory. Try again" in failure.user_message
    asked = [path for _, path in loopback_hub.server.seen if path.endswith("/events")]
    assert 1 <= watches.opened["events"] <= most
    assert len(asked) <= most * 3 + 1  # the client tries anew what failed, and lists once at last


async def test_a_cluster_that_is_away_is_not_said_to_have_no_place(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=1.5), doubt=0.3)
    await start.made()
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    await start.told(NO_MEMORY_SAID)
    loopback_hub.server.tokens = set()  # nobody is let in any more
    watches.cut()
    failure = await failed(start)
    assert (failure.reason, failure.elsewhere) == ("no-answer", True)


async def test_a_pod_that_its_clusters_node_took_along_is_evicted_even_if_it_goes_at_once(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, ENDLESS)
    await start.made()
    await watches.tell_pod(**unscheduled(NO_MEMORY))
    await start.told(NO_MEMORY_SAID)
    lost = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
    gone = {"phase": "Failed", "conditions": [{**lost, "message": "PodGC: node no longer exists"}]}
    await watches.tell_pods(("MODIFIED", dict(gone)), ("DELETED", {}))
    failure = await failed(start)
    assert (failure.reason, failure.elsewhere) == ("evicted", True)
    assert failure.user_message.startswith("The cluster lost the machine that the server was on.")
    assert "DisruptionTarget DeletionByPodGC: PodGC: node no longer exists" in failure.details


async def test_a_pod_that_is_gone_for_no_reason_was_removed(
    loopback_hub: LoopbackHub, watches: LiveWatches
) -> None:
    start = Start(loopback_hub, Patience(place=FOREVER))
    await start.made()
    await watches.tell_pod("DELETED")
    failure = await failed(start)
    assert (failure.reason, failure.elsewhere) == ("gone", False)


@pytest.mark.parametrize("others", [True, False])
async def test_a_server_on_its_way_in_a_cluster_that_goes_away_is_given_up_if_there_is_another(
    loopback_hub: LoopbackHub, watches: LiveWatches, others: bool
) -> None:
    start = Start(loopback_hub, Patience(place=FOREVER) if others else ENDLESS, doubt=0.1)
    await start.made()
    await watches.tell_pod(conditions=[{"type": "PodScheduled", "status": "True"}])
    await start.told("The cluster has accepted the server")
    loopback_hub.server.tokens = set()
    watches.cut()
    if others:
        failure = await failed(start)
        assert (failure.reason, failure.elsewhere) == ("no-answer", True)
        return
    done, _ = await asyncio.wait({start.task}, timeout=0.7)
    assert not done
    start.task.cancel()
