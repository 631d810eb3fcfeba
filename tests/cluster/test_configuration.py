"""What is written for the clusters' programs."""

from __future__ import annotations

import io
import json
import ssl
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import images, kubeconfig, network, notebook, pki
from tests.cluster.containerd import Containerd
from tests.cluster.control_plane import ControlPlane
from tests.cluster.dns import NameServer
from tests.cluster.gateway import Gateway
from tests.cluster.gateway_binary import GatewayBinaries, without_descriptions
from tests.cluster.kubelet import Kubelet
from tests.cluster.names import cluster_names
from tests.cluster.state import PORTS, ClusterState

NAME, OTHER = cluster_names("t1")
STATE = ClusterState(
    name="a",
    node_ip="10.200.0.1",
    pod_subnet="10.200.0.0/24",
    service_subnet="10.200.1.0/24",
    service_ip="10.200.1.1",
    ports={port: 20_000 + number for number, port in enumerate(PORTS)},
    api_flags=["--extra=1"],
)
DIRECTORY = Path("/state/t1/a")


def _files(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read() for name, file in members.items() if file is not None}


def test_the_api_server_has_the_extra_flags_last() -> None:
    plane = ControlPlane(NAME, STATE, DIRECTORY, Path("/bin"))

    assert plane.apiserver()[-1] == "--extra=1"
    assert f"--secure-port={STATE.ports['apiserver']}" in plane.apiserver()


def test_controllers_listen_on_loopback_only() -> None:
    plane = ControlPlane(NAME, STATE, DIRECTORY, Path("/bin"))

    assert "--bind-address=127.0.0.1" in plane.kcm()
    assert "--bind-address=127.0.0.1" in plane.scheduler()


def test_pods_leave_by_their_cable_to_the_bridge() -> None:
    pods = Containerd(NAME, STATE, DIRECTORY).network()["plugins"][0]

    assert pods["master"] == NAME.cable
    assert pods["ipam"]["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.200.0.1"}]


def test_containerd_keeps_everything_in_its_directory() -> None:
    text = Containerd(NAME, STATE, DIRECTORY).config(Path("/usr/lib/cni"))
    paths = [line.split('"')[1] for line in text.splitlines() if ' = "/' in line]

    assert len(paths) > 5
    outside = [path for path in paths if not path.startswith("/state/t1/a/")]
    assert outside == ["/usr/lib/cni"]


def test_the_kubelet_listens_on_the_bridge_and_evicts_nothing() -> None:
    config = Kubelet(NAME, STATE, DIRECTORY, Path("/bin"), Path("/c.sock")).config()

    assert config["address"] == STATE.node_ip
    assert config["cgroupRoot"] == "/t1-a"
    assert set(config["evictionHard"].values()) == {"0%"}


def test_pods_ask_their_own_node_for_names() -> None:
    server = NameServer(STATE, DIRECTORY, Path("/bin/coredns"))
    config = Kubelet(NAME, STATE, DIRECTORY, Path("/bin"), Path("/c.sock")).config()

    assert config["clusterDNS"] == [STATE.node_ip]
    assert f"bind {STATE.node_ip}\n" in server.config()
    assert f"kubernetes {config['clusterDomain']} {{" in server.config()


def test_pods_reach_their_own_bridge_and_no_other_network() -> None:
    forward = network.rules([(NAME, STATE)])["filter"]

    assert forward == [
        ("-i", "t1-a", "-o", "t1-a", "-j", "ACCEPT"),
        ("-i", "t1-a", "-j", "REJECT"),
        ("-o", "t1-a", "-j", "REJECT"),
    ]


def test_the_gateway_listens_on_loopback_at_its_port() -> None:
    gateway = Gateway(NAME, STATE, DIRECTORY, GatewayBinaries(Path("c"), Path("e"), []))
    listener = next(m for m in gateway.manifests() if m["kind"] == "Gateway")["spec"]["listeners"]

    assert listener[0]["port"] + 8000 == STATE.ports["gateway"]
    assert "--envoy-service-http-address=127.0.0.1" in gateway.contour()
    assert gateway.url == f"http://127.0.0.1:{STATE.ports['gateway']}"


def test_texts_leave_a_schema_but_properties_of_that_name_stay() -> None:
    schema = {"description": "text", "properties": {"description": {"type": "string"}}}

    assert without_descriptions([schema]) == [{"properties": {"description": {"type": "string"}}}]


def test_certificates_are_issued_for_the_right_names(tmp_path: Path) -> None:
    pki.create(tmp_path, NAME, STATE)
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))

    for name in pki.identities(NAME, STATE):
        trust.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
    assert STATE.service_ip in pki.identities(NAME, STATE)["apiserver"].names
    assert pki.identities(NAME, STATE)["node"].organization == "system:nodes"
    assert (tmp_path / "sa.pub").read_text().startswith("-----BEGIN PUBLIC KEY")


def test_a_kubeconfig_has_a_context_for_each_cluster(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("ca")
    contexts = [
        kubeconfig.Context(name, f"https://{name}", tmp_path / "ca.crt", {"token": "t"}, "ns")
        for name in ("local-a", "local-b")
    ]
    kubeconfig.write(tmp_path / "config", contexts)
    document = yaml.safe_load((tmp_path / "config").read_text())

    assert document["current-context"] == "local-a"
    assert [c["name"] for c in document["contexts"]] == ["local-a", "local-b"]
    assert document["contexts"][1]["context"]["namespace"] == "ns"
    assert "token" not in repr(contexts)


def test_an_image_is_an_archive_that_containerd_can_import() -> None:
    image = images.Image("localhost/x:1", ["/bin/sh"], {"bin/sh": "busybox"}, busybox=True)
    files = _files(images.archive(image, b"program"))
    manifest = json.loads(files["manifest.json"])[0]
    layer = _files(files[manifest["Layers"][0]])

    assert manifest["RepoTags"] == ["localhost/x:1"]
    assert json.loads(files[manifest["Config"]])["config"]["Cmd"] == ["/bin/sh"]
    assert layer["bin/busybox"] == b"program"
    assert b"jovyan:x:1000" in layer["etc/passwd"]


def test_an_image_is_the_same_each_time() -> None:
    image = images.Image("localhost/x:1", ["/bin/sh"], {"lib": "usr/lib"}, busybox=False)

    assert images.archive(image, None) == images.archive(image, None)


def test_the_notebook_patch_mounts_this_machines_programs_read_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notebook, "environment", lambda: Path("/cache/venv"))
    patch: dict[str, Any] = yaml.safe_load(notebook.patch())
    container = patch["spec"]["containers"][0]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}

    assert patch["metadata"]["name"] == "{{key}}"
    assert container["imagePullPolicy"] == "Never"
    assert mounts["notebook"] == {
        "name": "notebook",
        "mountPath": "/cache/venv",
        "readOnly": True,
    }
    assert [name for name, mount in mounts.items() if not mount.get("readOnly")] == ["home"]
    assert patch["spec"]["volumes"][0] == {"name": "home", "emptyDir": {}}
    assert notebook.command() == ["/cache/venv/bin/jupyterhub-singleuser"]
