"""An isolated server on a real cluster: what its Pod may not do, and a policy that goes with it.

The local clusters' network enforces no policies; whom they let through is told, by the rules of
Kubernetes, in tests/core/manifests/test_isolation.py.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from mcks.core.objects import Manifest
from tests.cluster.api import APIAnswer, KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.core.manifests.isolated import rendered
from tests.core.manifests.test_isolation_recipes import recipe
from tests.demo import kernel
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import Make, pod_of, until

pytestmark = pytest.mark.cluster

POLICY = ("networking.k8s.io/v1", "NetworkPolicy")
LOOK = """
import json, pathlib
status = pathlib.Path("/proc/self/status").read_text()
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
print(json.dumps([status.split("NoNewPrivs:")[1].split()[0], account.exists()]))
"""


@pytest.mark.parametrize(("isolate", "seen"), [(True, ["1", False]), (False, ["0", True])])
async def test_a_users_own_program_cannot_gain_privileges_and_finds_no_token(
    start_hub: Start, api: KubernetesAPI, namespace: Namespace, isolate: bool, seen: list[str]
) -> None:
    async with start_hub(f"c.Cluster.isolate = {isolate}\n") as hub:
        said = await start_server(hub, "ada", "a")
        assert said[-1].get("ready"), (said, hub.log.read_text()[-8000:])
        assert json.loads(await kernel.run(hub, "ada", LOOK)) == seen
        await stop_server(hub, "ada")


async def test_the_policy_belongs_to_the_server_and_goes_with_its_pod(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    async def policy(user: str = "ada") -> Manifest | None:
        name = f"jupyter-{user}"
        return await asyncio.to_thread(api.find, *POLICY, name, namespace.name)

    async def gone() -> bool:
        return await policy() is None

    ada, bob = make(), make("bob")
    for spawner in (ada, bob):
        spawner.clusters = {"a": {**spawner.clusters["a"], "isolate": True}}
        await spawner.start()
    found = await policy()
    assert found is not None
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Secret", "jupyter-ada")
    pods = api.list("v1", "Pod", namespace.name)
    selected = found["spec"]["podSelector"]["matchLabels"].items()
    assert [p["metadata"]["name"] for p in pods if selected <= p["metadata"]["labels"].items()] == [
        "jupyter-ada"
    ]
    # by another's hand, as a node that is drained does it
    await asyncio.to_thread(api.delete, "v1", "Pod", "jupyter-ada", namespace.name)
    await until(gone)
    assert await policy("bob") is not None
    await ada.start()  # nothing is in its way
    assert await policy() is not None
    await ada.stop()
    await bob.stop()
    await until(gone)


async def test_a_policy_that_a_killed_start_left_is_replaced(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    ada = make()
    ada.clusters = {"a": {**ada.clusters["a"], "isolate": True}}
    labels = {"mcks.hub.jupyter.org/key": "jupyter-ada"}
    meta = {"name": "jupyter-ada", "labels": labels}
    left = {"apiVersion": POLICY[0], "kind": POLICY[1], "metadata": meta}
    api.apply({**left, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}}, namespace.name)
    await ada.start()
    found = api.get(*POLICY, "jupyter-ada", namespace.name)
    assert found["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert found["metadata"]["ownerReferences"]
    assert await pod_of(api, namespace) is not None
    await ada.stop()


def admitted(api: KubernetesAPI, namespace: str, level: str, pod: Manifest) -> str:
    """Why the API server does not admit *pod* where *level* is enforced, "" if it does."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    meta = {"name": namespace, "labels": labels}
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    spec = {k: v for k, v in pod["spec"].items() if k != "serviceAccountName"}
    path = api.path("v1", "Pod", namespace)
    try:
        api.request("POST", path, {**pod, "spec": spec}, query={"dryRun": "All"})
    except APIAnswer as refused:
        return str(refused)
    return ""


def pod_with(patches: dict[str, str]) -> Manifest:
    (pod,) = [m for m in rendered(patches=patches) if m["kind"] == "Pod"]
    return pod


def test_an_isolated_servers_pod_is_admitted_by_the_standards_that_the_page_names(
    api: KubernetesAPI, namespace: Namespace
) -> None:
    plain = pod_with({})
    assert admitted(api, namespace.name, "baseline", plain) == ""
    refused = admitted(api, namespace.name, "restricted", plain)
    assert "violates PodSecurity" in refused
    assert "allowPrivilegeEscalation" not in refused
    stricter = pod_with({"9": recipe("RuntimeDefault")})
    assert admitted(api, namespace.name, "restricted", stricter) == ""


def test_a_privileged_container_is_taken_as_it_is(api: KubernetesAPI, namespace: Namespace) -> None:
    said = "{privileged: true}", "{capabilities: {add: [CAP_SYS_ADMIN]}}"
    for context in said:
        patch = f"""
            kind: Pod
            metadata: {{name: "{{{{key}}}}"}}
            spec: {{containers: [{{name: notebook, securityContext: {context}}}]}}
        """
        assert admitted(api, namespace.name, "privileged", pod_with({"1": patch})) == ""
