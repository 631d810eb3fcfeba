"""The claim and the namespace of a user are those that KubeSpawner makes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mcks.core.kubespawner.claim import claim
from mcks.core.kubespawner.fields import expand_text, fields_of
from mcks.core.labels import LIFETIME
from mcks.core.objects import Manifest
from tests.core.kubespawner.side_by_side import USER, as_sent, theirs
from tests.core.kubespawner.test_pod import words_of

SIZE = {"storage_capacity": "10Gi"}
CASES: dict[str, dict[str, Any]] = {
    "size": {},
    "class": {"storage_class": "fast"},
    "no class": {"storage_class": ""},
    "modes": {"storage_access_modes": ["ReadWriteMany"]},
    "labels": {"storage_extra_labels": {"user": "{escaped_username}"}},
    "annotations": {"storage_extra_annotations": {"x/y": "{unescaped_username}"}},
    "selector": {"storage_selector": {"matchLabels": {"u": "{username}"}}},
    "common": {"common_labels": {"app": "jupyterhub"}, "component_label": "x"},
    "name": {"pvc_name_template": "home-{username}-{servername}"},
    "escape": {"slug_scheme": "escape", "pvc_name_template": "claim-{username}--{servername}"},
}


def compared(made: Manifest) -> Manifest:
    made = copy.deepcopy(made)
    for kind in ("labels", "annotations"):
        kept = made["metadata"][kind].items()
        made["metadata"][kind] = {
            k: v for k, v in kept if not k.startswith("hub.jupyter.org/") and k != LIFETIME
        }
    return made


@pytest.mark.parametrize("servername", ["", "gpu", "Großer Server"])
@pytest.mark.parametrize("name", CASES)
def test_the_claim_is_the_same(name: str, servername: str) -> None:
    spawner = theirs({**SIZE, **CASES[name]}, servername=servername)
    where = fields_of(7, USER, servername, scheme=spawner.slug_scheme, hub_namespace="default")
    where["pvc_name"] = expand_text(spawner.pvc_name_template, where)
    assert compared(claim(words_of(spawner), where)) == compared(
        as_sent(spawner.get_pvc_manifest())
    )


@pytest.mark.parametrize(("delete_pvc", "lifetime"), [(True, "user"), (False, "keep")])
def test_a_claim_goes_with_its_user_or_stays(delete_pvc: bool, lifetime: str) -> None:
    words = {**SIZE, "delete_pvc": delete_pvc}
    assert claim(words, {"pvc_name": "c"})["metadata"]["annotations"][LIFETIME] == lifetime
