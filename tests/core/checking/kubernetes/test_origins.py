"""A mistake in an object is told with the template or patch that says it, and the line."""

from __future__ import annotations

import pytest

from mcks.core.checking.kubernetes.origins import origin

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{key}}
spec:
  containers:
  - name: notebook
    resources:
      limits: {{ resources.limits | toyaml }}
---
apiVersion: v1
kind: Service
metadata: {name: "{{key}}"}
spec:
  ports:
  - {name: http, port: {{port}}}
"""
GPU = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      # resources: of the notebook
      containers:
      - name: notebook
        {% if options.gpu %}
        resources:
          limit: {nvidia.com/gpu: {{options.gpu}}}
        {% endif %}
"""
FLOW = "{kind: Pod, metadata: {name: x}, spec: {'dnsPolicyy': x, \"containers\": [{name: y}]}}"
TEMPLATES = {"01-pod": POD}
PATCHES = {"10-gpu": GPU, "20-flow": FLOW}

CONTAINERS = ("spec", "containers", 0)


@pytest.mark.parametrize(
    ("kind", "path", "place"),
    [
        ("Pod", (*CONTAINERS, "resources", "limit"), "patch '10-gpu', line 10"),
        ("Pod", (*CONTAINERS, "resources", "limit", "nvidia.com/gpu"), "patch '10-gpu', line 10"),
        ("Pod", (*CONTAINERS, "resources", "limits"), "template '01-pod', line 9"),
        ("Pod", ("spec", "dnsPolicyy"), "patch '20-flow', line 1"),
        ("Pod", (*CONTAINERS, "name"), "patch '20-flow', line 1"),
        ("Service", ("spec", "ports", 0, "port"), "template '01-pod', line 16"),
        ("Service", ("spec", "ports", 0, "prot"), "None"),
        ("Pod", ("spec", "priority"), "None"),
        ("Secret", ("metadata",), "None"),
    ],
)
def test_the_last_text_that_writes_the_field_is_its_origin(
    kind: str, path: tuple[str | int, ...], place: str
) -> None:
    assert str(origin(kind, path, TEMPLATES, PATCHES)) == place


def test_a_name_that_only_ends_like_the_fields_is_another() -> None:
    patch = "kind: Pod\nspec:\n  myvolumes: []\n"
    assert origin("Pod", ("spec", "volumes"), {}, {"a": patch}) is None
