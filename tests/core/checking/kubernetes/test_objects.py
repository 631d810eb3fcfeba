"""The objects of a start are compared with the schemas, and each mistake names who said it."""

from __future__ import annotations

import sys

import pytest

from mcks.core.checking.finding import Finding
from mcks.core.checking.kubernetes import objects, schemas
from tests.core.checking.kubernetes.wrong_objects import Case

PATCH = """
kind: Pod
metadata: {name: x}
spec:
  containers:
  - name: notebook
    resources:
      limit: {}
"""


def test_a_mistake_names_the_patch_and_no_users_object() -> None:
    pod = Case("Pod", ("spec", "containers", 0, "resources", "limit"), {}).manifest
    [told] = objects.findings([pod], {}, {"10-gpu": PATCH})
    assert told == Finding(
        "MCKS200",
        "there is no field 'limit': did you mean 'limits'?",
        "patch '10-gpu', line 8: Pod at spec.containers[0].resources.limit",
    )


def test_a_mistake_that_nobody_wrote_down_names_kind_and_field() -> None:
    claim = Case("PersistentVolumeClaim", ("spec", "accessModes"), ["RWO"]).manifest
    [told] = objects.findings([claim], {}, {})
    assert str(told).startswith("PersistentVolumeClaim at spec.accessModes[0]: 'RWO' is not known")


def test_objects_are_judged_by_the_version_that_is_asked_for() -> None:
    newer = Case("Pod", ("spec", "resources"), {"limits": {"cpu": "1"}}).manifest
    assert list(objects.findings([newer], {}, {})) == []
    [told] = objects.findings([newer], {}, {}, "v1.29.1")
    assert "there is no field 'resources'" in str(told)


def test_without_the_extra_one_note_says_that_nothing_was_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schemas.schemas.cache_clear()
    monkeypatch.setitem(sys.modules, "kubernetes_validate", None)
    wrong = Case("Pod", ("specc",), {}).manifest
    [told] = objects.findings([wrong, wrong], {}, {})
    assert (told.code, told.severity) == ("MCKS220", "note")
    assert "pip install 'mcks[check]'" in str(told)
