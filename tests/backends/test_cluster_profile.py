"""ClusterProfiles as their managers write them become entries with which the hub logs in."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import yaml
from traitlets.config import Config

from mcks.backends import cluster_profile
from mcks.backends.cluster_profile import NATIVE, entry, providers_of, unhealthy
from mcks.core.clusters.configure import configure
from mcks.errors import ConfigError

OF_GKE_FLEET = """
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ClusterProfile
metadata:
  name: hub-us-central1
  namespace: fleet-cluster-inventory
  labels: {x-k8s.io/cluster-manager: gke-fleet}
spec:
  displayName: hub
  clusterManager: {name: gke-fleet}
status:
  conditions: []
  credentialProviders:
  - name: google
    cluster:
      server: https://gke-0123456789abcdef-123456789012.us-central1.gke.goog
"""

OF_OPEN_CLUSTER_MANAGEMENT = """
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ClusterProfile
metadata:
  name: cluster1
  namespace: cluster-inventory
  labels:
    open-cluster-management.io/cluster-name: cluster1
    x-k8s.io/cluster-manager: open-cluster-management
spec:
  displayName: cluster1
  clusterManager: {name: open-cluster-management}
status:
  accessProviders:
  - name: open-cluster-management
    cluster:
      certificate-authority-data: Q0E=
      server: https://cluster-proxy-addon-user.open-cluster-management-cluster-proxy:9092/cluster1
      extensions:
      - name: client.authentication.k8s.io/exec
        extension: {clusterName: cluster1}
  conditions:
  - type: ControlPlaneHealthy
    status: "True"
    reason: ManagedClusterAvailable
    message: Managed cluster is available
  - type: Joined
    status: "True"
    reason: ManagedClusterJoined
    message: Managed cluster joined
  version: {kubernetes: v1.34.0}
"""

OF_AWS = """
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ClusterProfile
metadata: {name: notebooks, namespace: fleet}
spec: {clusterManager: {name: ours}}
status:
  accessProviders:
  - name: aws
    cluster:
      server: https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com
      certificate-authority-data: Q0E=
      certificate-authority: /etc/passwd
      extensions:
      - name: clusterprofiles.multicluster.x-k8s.io/exec/additional-args
        extension: [--cluster-name, notebooks, --region, eu-west-1]
      - name: clusterprofiles.multicluster.x-k8s.io/exec/additional-envs
        extension: {AWS_PROFILE: hub}
"""

SECRET_READER = {
    "name": "open-cluster-management",
    "execConfig": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/usr/local/bin/cp-creds",
        "args": ["--managed-serviceaccount=hub"],
        "env": [{"name": "PLACE", "value": "own"}],
        "provideClusterInfo": True,
    },
}


def read(text: str) -> dict[str, Any]:
    profile: dict[str, Any] = yaml.safe_load(text)
    return profile


def problems(made: dict[str, Any]) -> list[str]:
    """What the hub itself says of an entry."""
    found = configure("it", {"it": made}, Config(), logging.getLogger("test"))
    return found.backend.problems()


def program(made: dict[str, Any]) -> dict[str, Any]:
    (user,) = made["kubeconfig"]["users"]
    found: dict[str, Any] = user["user"]["exec"]
    return found


def with_provider(provider: dict[str, Any], text: str = OF_AWS) -> dict[str, Any]:
    profile = read(text)
    (one,) = profile["status"]["accessProviders"]
    one["name"] = provider["name"]
    return entry(profile, providers_of([provider]))


def test_a_cluster_of_google_is_served_natively() -> None:
    made = entry(read(OF_GKE_FLEET))
    assert program(made)["command"] == "gke-gcloud-auth-plugin"
    assert made["context"] == "hub-us-central1"
    assert "allowed_exec_plugins" not in made
    assert problems(made) == []
    found = configure("it", {"it": made}, Config(), logging.getLogger("test"))
    assert found.backend.identity() == "the hub's Google identity"


def test_a_cluster_of_aws_is_served_natively_by_the_name_that_its_profile_adds() -> None:
    made = entry(read(OF_AWS))
    more = ["--cluster-name", "notebooks", "--region", "eu-west-1"]
    assert program(made)["args"] == ["eks", "get-token", *more]
    assert program(made)["env"] == []
    (cluster,) = made["kubeconfig"]["clusters"]
    assert "certificate-authority" not in cluster["cluster"], "a file of the hub's own machine"
    assert problems(made) == []


def test_a_cluster_of_azure_is_served_natively() -> None:
    made = entry(read(OF_AWS.replace("name: aws", "name: azure")))
    assert program(made)["command"] == "kubelogin"
    assert problems(made) == []


def test_connect_gateway_is_refused_with_what_to_do_instead() -> None:
    profile = read(OF_GKE_FLEET)
    gateway = "https://us-central1-connectgateway.googleapis.com/v1/projects/1/locations/x"
    profile["status"]["credentialProviders"][0]["cluster"]["server"] = gateway
    (problem,) = problems(entry(profile))
    assert "the Connect Gateway is not served" in problem
    assert "Use the DNS endpoint" in problem


def test_any_other_provider_needs_a_program_that_the_administrator_names() -> None:
    profile = read(OF_OPEN_CLUSTER_MANAGEMENT)
    with pytest.raises(ConfigError) as refused:
        entry(profile)
    assert str(refused.value) == (
        "its access providers are open-cluster-management, and the hub knows google, aws, azure: "
        "say in providers by which program it logs in"
    )
    made = entry(profile, providers_of([SECRET_READER]))
    assert made["allowed_exec_plugins"] == ["/usr/local/bin/cp-creds"]
    assert program(made) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/usr/local/bin/cp-creds",
        "args": ["--managed-serviceaccount=hub"],
        "env": [{"name": "PLACE", "value": "own"}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    (cluster,) = made["kubeconfig"]["clusters"]
    assert cluster["cluster"]["server"].endswith(":9092/cluster1")
    assert cluster["cluster"]["extensions"][0]["extension"] == {"clusterName": "cluster1"}
    assert problems(made) == []


@pytest.mark.parametrize(
    ("policies", "arguments", "variables"),
    [
        ({}, ["own"], {"AWS_PROFILE": "own", "A": "1"}),
        (
            {
                "profileSourcedCLIArgsPolicy": "Append",
                "profileSourcedEnvVarsPolicy": "AppendIfNotExists",
            },
            ["own", "--cluster-name", "notebooks", "--region", "eu-west-1"],
            {"AWS_PROFILE": "own", "A": "1"},
        ),
        ({"profileSourcedEnvVarsPolicy": "Replace"}, ["own"], {"AWS_PROFILE": "hub", "A": "1"}),
    ],
)
def test_what_a_profile_adds_counts_as_the_provider_says(
    policies: dict[str, str], arguments: list[str], variables: dict[str, str]
) -> None:
    own = [{"name": "AWS_PROFILE", "value": "own"}, {"name": "A", "value": "1"}]
    execs = {"command": "/bin/x", "args": ["own"], "env": own}
    made = with_provider({"name": "x", "execConfig": execs, **policies})
    assert program(made)["args"] == arguments
    assert {v["name"]: v["value"] for v in program(made)["env"]} == variables


def test_the_first_provider_that_the_hub_knows_counts_and_the_newer_name_of_the_field() -> None:
    profile = read(OF_AWS)
    status = profile["status"]
    status["credentialProviders"] = [
        {"name": "google", "cluster": {"server": "https://old.example.org"}},
        {"name": "aws", "cluster": {"server": "https://old.example.org"}},
    ]
    assert program(entry(profile))["command"] == "gke-gcloud-auth-plugin"
    reversed_ = tuple(reversed(NATIVE[:2]))
    (cluster,) = entry(profile, reversed_)["kubeconfig"]["clusters"]
    assert cluster["cluster"]["server"].startswith("https://0123456789ABCDEF")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "it has no access provider yet"),
        ({}, "it has no access provider yet"),
        ({"accessProviders": []}, "it has no access provider yet"),
        ({"accessProviders": [{"name": "google"}]}, "its access provider google says no server"),
        (
            {
                "accessProviders": [
                    {
                        "name": "aws",
                        "cluster": {
                            "server": "https://x",
                            "extensions": [
                                {
                                    "name": "clusterprofiles.multicluster.x-k8s.io/exec/"
                                    "additional-args",
                                    "extension": "--cluster-name=x",
                                }
                            ],
                        },
                    }
                ]
            },
            "additional-args is no list",
        ),
    ],
)
def test_a_profile_without_a_way_in_says_so(status: Any, told: str) -> None:
    profile = {**read(OF_AWS), "status": status}
    with pytest.raises(ConfigError, match=told):
        entry(profile)


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (None, ""),
        ([], ""),
        ([{"type": "ControlPlaneHealthy", "status": "True"}], ""),
        ([{"type": "ControlPlaneHealthy", "status": "Unknown"}], ""),
        ([{"type": "Joined", "status": "False"}], ""),
        (
            [{"type": "ControlPlaneHealthy", "status": "False", "message": "etcd is away"}],
            "its manager says that it is not healthy: etcd is away",
        ),
        (
            [{"type": "ControlPlaneHealthy", "status": "False", "reason": "Away"}],
            "its manager says that it is not healthy: Away",
        ),
    ],
)
def test_a_cluster_is_unhealthy_only_if_its_manager_says_so(conditions: Any, told: str) -> None:
    assert unhealthy({"status": {"conditions": conditions}}) == told


GOOD = {"command": "/bin/x"}


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("google", "must be a dict of"),
        ({"name": "x", "execConfig": GOOD, "exec": {}}, "must be a dict of"),
        ({"execConfig": GOOD}, "providers[0] has no name"),
        ({"name": "x"}, "(x): execConfig must be a dict with a command"),
        (
            {"name": "x", "execConfig": {"args": []}},
            "(x): execConfig must be a dict with a command",
        ),
        ({"name": "x", "execConfig": {**GOOD, "args": "a"}}, "execConfig.args must be a list"),
        ({"name": "x", "execConfig": {**GOOD, "env": {"A": "1"}}}, "execConfig.env must be a list"),
        ({"name": "x", "execConfig": {**GOOD, "env": ["A=1"]}}, "a list of names and values"),
        (
            {"name": "x", "execConfig": GOOD, "profileSourcedCLIArgsPolicy": "Replace"},
            "the policy 'Replace' is none of Ignore, Append",
        ),
    ],
)
def test_a_mistake_in_a_provider_is_told(provider: Any, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        providers_of([provider])
    assert told in str(refused.value)


def test_a_program_that_is_no_absolute_path_and_not_known_is_not_run() -> None:
    made = with_provider({"name": "x", "execConfig": {"command": "my-plugin"}})
    (problem,) = problems(made)
    assert "'my-plugin', which mcks neither knows nor may run" in problem


def test_the_entry_is_plain_data() -> None:
    made = entry(read(OF_AWS))
    assert json.loads(json.dumps(made)) == made
    assert read(OF_AWS)["kind"] == cluster_profile.KIND
    assert read(OF_AWS)["apiVersion"] == cluster_profile.API_VERSION
