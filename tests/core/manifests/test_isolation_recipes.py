"""What docs/how-to/security.md recommends beside the switch does what it says, and no more."""

from __future__ import annotations

import re
from pathlib import Path

from mcks.core.manifests.kubectl_yaml import load_all
from tests.core.manifests.isolated import (
    DNS,
    GATEWAY,
    OTHER_SERVER,
    SERVER,
    STRANGER,
    networks,
    one,
    policies,
    rendered,
)
from tests.core.manifests.network_policies import Endpoint, Network

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "security.md"
RECIPES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def recipe(word: str) -> str:
    """The one YAML on the page that has this *word*."""
    (found,) = [text for text in RECIPES if word in text]
    return str(found)


def test_the_recipe_for_a_cloud_identity_opens_its_address_and_no_other() -> None:
    network = Network(policies(rendered(resources={"9": recipe("169.254.170.23")})))
    assert network.passes(SERVER, Endpoint("169.254.170.23"), 80)
    assert not network.passes(SERVER, Endpoint("169.254.169.254"), 80)
    assert not network.passes(SERVER, Endpoint("169.254.170.23"), 443)
    assert not network.passes(OTHER_SERVER, SERVER, 8888)


@networks
def test_the_recipe_for_private_networks_closes_them_but_for_names_and_the_hub(pods: bool) -> None:
    network = Network(policies(rendered(patches={"9": recipe("10.0.0.0/8")})), pods)
    assert network.passes(SERVER, Endpoint("203.0.113.9"), 443)
    assert network.passes(SERVER, Endpoint("10.1.0.5"), 8081)
    assert network.passes(SERVER, DNS, 53, "UDP")
    for closed in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "fd00:ec2::254"):
        assert not network.passes(SERVER, Endpoint(closed), 80), closed
    assert not network.passes(SERVER, STRANGER, 80)
    assert network.passes(GATEWAY, SERVER, 8888)


def test_the_recipe_for_the_level_restricted_says_all_that_it_asks_for() -> None:
    patch = recipe("RuntimeDefault")
    assert load_all(patch.replace("{{key}}", "x"))
    spec = one("Pod", rendered(patches={"9": patch}))["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
