"""An isolated server: whom its NetworkPolicy lets in and out, and what its Pod may not do."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.labels import KEY_LABEL
from mcks.core.manifests import isolation
from mcks.core.servers import plan
from tests.core import kubernetes_schemas
from tests.core.manifests.isolated import (
    DNS,
    ENTRY,
    GATEWAY,
    LOAD_BALANCER,
    OTHER_SERVER,
    PART_OF_IT,
    SERVER,
    SERVERS,
    STRANGER,
    networks,
    one,
    policies,
    rendered,
)
from tests.core.manifests.network_policies import Endpoint, Network


@networks
@pytest.mark.parametrize(
    ("source", "port", "passes"),
    [
        (GATEWAY, 8888, True),
        (GATEWAY, 22, False),
        (PART_OF_IT, 5432, True),
        (OTHER_SERVER, 8888, False),
        (OTHER_SERVER, 5432, False),
        (DNS, 8888, False),
        (STRANGER, 8888, False),
        (LOAD_BALANCER, 8888, False),
    ],
)
def test_requests_come_from_the_gateway_only(
    source: Endpoint, port: int, passes: bool, pods: bool
) -> None:
    network = Network(policies(rendered()), pods)
    assert network.passes(source, SERVER, port) is passes


METADATA = [
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.252", "169.254.42.42"),
    *("169.254.0.23", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"),
    *("fe80::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200"),
]


@networks
@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("port", [80, 443, 988, 32526])
def test_no_metadata_address_can_be_asked(address: str, port: int, pods: bool) -> None:
    network = Network(policies(rendered()), pods)
    assert not network.passes(SERVER, Endpoint(address), port)


@networks
@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize(
    "server",
    [
        DNS,
        *(Endpoint(a) for a in ("10.96.0.10", "169.254.20.10", "169.254.169.254", "8.8.8.8")),
        *(Endpoint(a) for a in ("168.63.129.16", "169.254.169.253", "fd00:ec2::253")),
    ],
    ids=lambda server: server.address,
)
def test_names_are_resolved_wherever_the_cluster_does_it(
    server: Endpoint, protocol: str, pods: bool
) -> None:
    assert Network(policies(rendered()), pods).passes(SERVER, server, 53, protocol)


@networks
@pytest.mark.parametrize(
    ("to", "port"),
    [
        (Endpoint("203.0.113.9"), 443),
        (Endpoint("2001:db8::9"), 443),
        (Endpoint("192.168.7.7"), 8081),  # a hub in a private network
        (STRANGER, 8786),
        (PART_OF_IT, 5432),
    ],
)
def test_everything_else_can_be_asked(to: Endpoint, port: int, pods: bool) -> None:
    assert Network(policies(rendered()), pods).passes(SERVER, to, port)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("35.191.0.0/16", LOAD_BALANCER),
        ("35.191.0.7", LOAD_BALANCER),
        ("elsewhere", STRANGER),
        ({"ipBlock": {"cidr": "35.191.0.0/16"}}, LOAD_BALANCER),
        (
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}},
                "podSelector": {},
            },
            STRANGER,
        ),
    ],
)
def test_a_gateway_elsewhere_is_let_in_if_the_cluster_says_so_and_then_no_other(
    said: Any, source: Endpoint
) -> None:
    network = Network(policies(rendered({"accept_from": [said]})))
    assert network.passes(source, SERVER, 8888)
    assert not network.passes(GATEWAY, SERVER, 8888)
    assert not network.passes(OTHER_SERVER, SERVER, 8888)


def test_pods_of_the_servers_own_namespace_are_let_in_by_their_labels() -> None:
    said = {"podSelector": {"matchLabels": {"app": "envoy"}}}
    network = Network(policies(rendered({"accept_from": [said]})))
    assert network.passes(Endpoint("10.1.0.9", SERVERS, {"app": "envoy"}), SERVER, 8888)
    assert not network.passes(OTHER_SERVER, SERVER, 8888)


def test_the_pods_of_a_gateway_are_in_its_namespace() -> None:
    route = {"route": "httproute", "route_gateway": "gateways/public", "route_class": ""}
    network = Network(policies(rendered(route)))
    assert network.passes(Endpoint("10.1.3.3", "gateways"), SERVER, 8888)
    assert not network.passes(GATEWAY, SERVER, 8888)


def test_the_policy_follows_the_servers_port() -> None:
    network = Network(policies(rendered(port=9999)))
    assert network.passes(GATEWAY, SERVER, 9999)
    assert not network.passes(GATEWAY, SERVER, 8888)


def test_each_server_of_a_user_has_its_own_policy() -> None:
    (policy,) = policies(rendered())
    assert policy["metadata"]["name"] == "jupyter-ada"
    assert policy["metadata"]["labels"][KEY_LABEL] == "jupyter-ada"
    assert policy["spec"]["podSelector"] == {"matchLabels": {KEY_LABEL: "jupyter-ada"}}


def test_kubernetes_knows_all_fields_of_an_isolated_servers_objects() -> None:
    for manifest in rendered():
        kubernetes_schemas.validate(manifest)


def test_without_the_switch_nothing_is_added() -> None:
    objects = rendered({"isolate": False})
    assert policies(objects) == []
    spec = one("Pod", objects)["spec"]
    assert "securityContext" not in spec["containers"][0]
    assert "automountServiceAccountToken" not in spec


def test_isolation_is_one_object_more() -> None:
    assert len(rendered()) == len(rendered({"isolate": False})) + 1


def test_patches_of_the_policy_win_and_none_in_its_place_leaves_it_out() -> None:
    patch = "kind: NetworkPolicy\nmetadata: {name: '{{key}}'}\nspec: {policyTypes: [Ingress]}"
    (policy,) = policies(rendered(patches={"1": patch}))
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    objects = rendered(resources={isolation.POLICY_KEY: None})
    assert policies(objects) == []
    assert one("Pod", objects)["spec"]["automountServiceAccountToken"] is False


# -- the Pod ----------------------------------------------------------------------------------

POD = "kind: Pod\nmetadata: {{name: '{{{{key}}}}'}}\nspec: {}"


def spec_with(*specs: str, **spawner: Any) -> Any:
    """The Pod's spec after patches with these *specs*."""
    patches = {str(number): POD.format(spec) for number, spec in enumerate(specs)}
    return one("Pod", rendered(patches=patches, **spawner))["spec"]


def test_no_container_gains_privileges_patched_in_ones_and_init_containers_included() -> None:
    spec = spec_with(
        "{containers: [{name: second, image: 'i:1'}], initContainers: [{name: first, image: i:1}]}"
    )
    found = [*spec["containers"], *spec["initContainers"]]
    assert [c["securityContext"] for c in found] == [{"allowPrivilegeEscalation": False}] * 3


@pytest.mark.parametrize(
    "said",
    [
        "{allowPrivilegeEscalation: true}",
        "{privileged: true}",
        "{capabilities: {add: [SYS_ADMIN]}}",
        "{capabilities: {add: [NET_ADMIN, CAP_SYS_ADMIN]}}",
    ],
)
def test_a_container_that_says_otherwise_stays_as_it_is(said: str) -> None:
    spec = spec_with(f"{{containers: [{{name: notebook, securityContext: {said}}}]}}")
    (context,) = [c["securityContext"] for c in spec["containers"]]
    assert context.get("allowPrivilegeEscalation") is not False


def test_what_a_container_says_besides_stays() -> None:
    spec = spec_with("{containers: [{name: notebook, securityContext: {runAsUser: 7}}]}")
    context = {"runAsUser": 7, "allowPrivilegeEscalation": False}
    assert spec["containers"][0]["securityContext"] == context


BINDING = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: "{{key}}"}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: dask}
    subjects: [{kind: ServiceAccount, name: "{{key}}", namespace: "{{namespace}}"}]
"""


def test_there_is_no_token_for_the_kubernetes_api() -> None:
    assert spec_with()["automountServiceAccountToken"] is False


@pytest.mark.parametrize("said", ["serviceAccountName: analyst", "serviceAccount: analyst"])
def test_an_account_that_is_named_has_its_token(said: str) -> None:
    own = "serviceAccountName: null, " if "Name" not in said else ""
    assert "automountServiceAccountToken" not in spec_with(f"{{{own}{said}}}")


def test_an_account_that_an_object_binds_has_its_token() -> None:
    assert "automountServiceAccountToken" not in spec_with(resources={"10-dask": BINDING})
    others = BINDING.replace('name: "{{key}}", namespace', "name: other, namespace")
    assert spec_with(resources={"10-dask": others})["automountServiceAccountToken"] is False


def test_a_patch_that_wants_the_token_has_it() -> None:
    assert spec_with("{automountServiceAccountToken: true}")["automountServiceAccountToken"] is True


def test_other_pods_among_the_objects_keep_their_powers() -> None:
    other = "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec: {containers: [{name: c}]}"
    found = [m for m in rendered(resources={"9": other}) if m["metadata"]["name"] == "other"]
    assert [m["spec"] for m in found] == [{"containers": [{"name": "c"}]}]


# -- KubeSpawner's words ----------------------------------------------------------------------


def by_words(**words: Any) -> Any:
    config = Config(KubeSpawner=words)
    config.MultiClusterKubeSpawner.clusters = {"west": ENTRY}
    config.MultiClusterKubeSpawner.read_kubespawner = True
    sample = sample_spawner(config, "ada")
    configured = configure("west", sample.clusters, config, logging.getLogger("test"))
    return one("Pod", list(plan.make(sample, configured).objects))["spec"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"allow_privilege_escalation": True}, True),
        ({"allow_privilege_escalation": None}, None),
    ],
)
def test_kubespawners_word_on_privileges_keeps_its_meaning(said: Any, expected: Any) -> None:
    (container,) = by_words(**said)["containers"]
    found = (container.get("securityContext") or {}).get("allowPrivilegeEscalation")
    assert found is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"service_account": "analyst"}, None),
        ({"automount_service_account_token": True}, True),
        ({"service_account": "analyst", "automount_service_account_token": False}, False),
    ],
)
def test_kubespawners_words_on_the_token_keep_their_meaning(said: Any, expected: Any) -> None:
    assert by_words(**said).get("automountServiceAccountToken") is expected


def test_an_init_container_that_blocks_the_metadata_address_stays_privileged() -> None:
    block = {
        "name": "block-cloud-metadata",
        "image": "quay.io/jupyterhub/k8s-network-tools:4.0.0",
        "command": ["iptables", "--append", "OUTPUT", "--destination", "169.254.169.254"],
        "securityContext": {"privileged": True, "runAsUser": 0},
    }
    assert by_words(init_containers=[block])["initContainers"] == [block]
