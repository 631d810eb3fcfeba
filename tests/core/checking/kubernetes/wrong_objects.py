"""Objects with one mistake each, and right ones that look like mistakes.

Each is a change of the plain object of its kind: a path, and the value that is put there.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

Path = tuple[str | int, ...]

PLAIN: dict[str, dict[str, Any]] = {
    "Pod": {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "labels": {"a": "b"}, "annotations": {}},
        "spec": {
            "volumes": [{"name": "home", "emptyDir": {}}],
            "containers": [
                {
                    "name": "notebook",
                    "image": "example.org/x:1",
                    "ports": [{"name": "http", "containerPort": 8888}],
                    "env": [{"name": "A", "value": "b"}],
                    "volumeMounts": [{"name": "home", "mountPath": "/home/jovyan"}],
                    "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "500m"}},
                }
            ],
        },
    },
    "PersistentVolumeClaim": {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "x"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    },
    "Service": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8888}]},
    },
    "Secret": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}},
    "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}},
    "Role": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "x"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    },
    "Ingress": {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "x"},
        "spec": {
            "rules": [
                {
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "x", "port": {"number": 80}}},
                            }
                        ]
                    }
                }
            ]
        },
    },
}


class Case(NamedTuple):
    """What is put where, and the words that tell of it; no words for what is right."""

    kind: str
    path: Path
    value: Any
    words: str = ""

    @property
    def manifest(self) -> dict[str, Any]:
        """The changed object."""
        made: Any = copy.deepcopy(PLAIN[self.kind])
        place = made
        for step, following in zip(self.path[:-1], self.path[1:], strict=True):
            if isinstance(place, dict) and step not in place:
                place[step] = [] if isinstance(following, int) else {}
            place = place[step]
        if isinstance(place, list) and self.path[-1] == len(place):
            place.append(self.value)
        else:
            place[self.path[-1]] = self.value
        return dict(made)

    def __str__(self) -> str:
        told = repr(self.value)
        return f"{self.kind} {'.'.join(map(str, self.path))} {told[:30]}"


_SPEC: Path = ("spec",)
_NOTEBOOK: Path = ("spec", "containers", 0)
_PORT: Path = (*_NOTEBOOK, "ports", 0)
_MOUNT: Path = (*_NOTEBOOK, "volumeMounts", 0)
_LIMITS: Path = (*_NOTEBOOK, "resources", "limits")
_HTTP: Path = ("spec", "rules", 0, "http", "paths", 0)

WRONG = [
    Case("Pod", ("specc",), {}, "did you mean 'spec'"),
    Case("Pod", (*_SPEC, "volume"), [], "did you mean 'volumes'"),
    Case("Pod", (*_NOTEBOOK, "resource"), {}, "did you mean 'resources'"),
    Case("Pod", (*_NOTEBOOK, "resources", "limit"), {}, "did you mean 'limits'"),
    Case("Pod", (*_NOTEBOOK, "gibberish"), 1, "Kubernetes would drop it"),
    Case("Pod", (*_NOTEBOOK, "env", 0, "val"), "x", "did you mean 'value'"),
    Case("Pod", (*_SPEC, "volumes", 0, "emptydir"), {}, "did you mean 'emptyDir'"),
    Case("Pod", (*_SPEC, "tolerations"), {"key": "a"}, "is a mapping, not a list"),
    Case("Pod", (*_SPEC, "nodeSelector"), ["a"], "is a list, not a mapping"),
    Case("Pod", (*_SPEC, "nodeSelector"), {"a": "b c"}, "is no label value"),
    Case("Pod", (*_SPEC, "hostNetwork"), "yes", 'is a text "yes", not true or false'),
    Case("Pod", (*_SPEC, "terminationGracePeriodSeconds"), "10", "not a whole number"),
    Case("Pod", (*_SPEC, "terminationGracePeriodSeconds"), 1.5, "not a whole number"),
    Case("Pod", (*_SPEC, "restartPolicy"), "never", "did you mean 'Never'"),
    Case("Pod", (*_SPEC, "dnsPolicy"), "Cluster", "did you mean"),
    Case("Pod", (*_SPEC, "containers"), [], "needs at least one container"),
    Case("Pod", (*_SPEC, "containers", 0), {"image": "x"}, "name is missing"),
    Case("Pod", (*_SPEC, "containers", 1), {"name": "notebook", "image": "x"}, "two containers"),
    Case("Pod", (*_SPEC, "volumes", 1), {"name": "home", "emptyDir": {}}, "two volumes"),
    Case("Pod", (*_SPEC, "volumes", 1), {"name": "Home", "emptyDir": {}}, "is no valid name"),
    Case("Pod", (*_NOTEBOOK, "name"), "note_book", "is no valid name"),
    Case("Pod", (*_NOTEBOOK, "name"), "n" * 64, "at most 63"),
    Case("Pod", (*_NOTEBOOK, "imagePullPolicy"), "always", "did you mean 'Always'"),
    Case("Pod", (*_NOTEBOOK, "command"), "sh -c x", 'is a text "sh -c x", not a list'),
    Case("Pod", (*_NOTEBOOK, "args"), [1], "is a whole number 1, not a text"),
    Case("Pod", (*_NOTEBOOK, "env"), {"A": "b"}, "is a mapping, not a list"),
    Case("Pod", (*_NOTEBOOK, "env", 0, "name"), "A=B", "without '='"),
    Case("Pod", (*_NOTEBOOK, "env", 0, "value"), 1, "not a text"),
    Case("Pod", (*_PORT, "containerPort"), "http", "not a whole number"),
    Case("Pod", (*_PORT, "containerPort"), 70000, "is no port"),
    Case("Pod", (*_PORT, "name"), "HTTP", "is no valid name"),
    Case("Pod", (*_PORT, "name"), "a-much-too-long-name", "at most 15"),
    Case("Pod", (*_PORT, "protocol"), "http", "write TCP, UDP or SCTP"),
    Case("Pod", (*_MOUNT, "name"), "hom", "did you mean 'home'"),
    Case("Pod", (*_MOUNT, "name"), "other", "add it under spec.volumes"),
    Case("Pod", _MOUNT, {"name": "home"}, "mountPath is missing"),
    Case(
        "Pod",
        (*_NOTEBOOK, "volumeMounts", 1),
        {"name": "home", "mountPath": "/home/jovyan"},
        "is mounted twice",
    ),
    Case("Pod", (*_MOUNT, "mountPropagation"), "Both", "write None"),
    Case("Pod", (*_LIMITS, "memory"), "2GB", "write 2Gi (powers of 1024) or 2G (of 1000)"),
    Case("Pod", (*_LIMITS, "memory"), "2 Gi", "write 2Gi"),
    Case("Pod", (*_LIMITS, "memory"), "512mb", "write 512Mi"),
    Case("Pod", (*_LIMITS, "memory"), "100b", "without a unit, 100"),
    Case("Pod", (*_LIMITS, "memory"), "much", "write a number"),
    Case("Pod", (*_LIMITS, "memory"), True, "is true or false true"),
    Case("Pod", (*_LIMITS, "cpu"), "100m", "is more than the limit"),
    Case("Pod", ("metadata", "labels"), {"a b": "x"}, "is no valid key"),
    Case("Pod", ("metadata", "labels"), {"a": "x" * 64}, "is no label value"),
    Case("Pod", ("metadata", "labels"), {"a": "-x"}, "is no label value"),
    Case("Pod", ("metadata", "labels"), {"a": 1}, "is a whole number 1, not a text"),
    Case("Pod", ("metadata", "annotations"), {"/a": "x"}, "is no valid key"),
    Case("Pod", ("metadata", "annotations"), {"a": "x" * 262144}, "262145 bytes"),
    Case("Pod", ("metadata", "name"), "Ada", "is no valid name"),
    Case("Pod", ("kind",), "Podd", "Did you mean 'Pod'"),
    Case("Pod", ("apiVersion",), "apps/v1", "write v1"),
    Case("PersistentVolumeClaim", (*_SPEC, "accessModes"), ["RWO"], "write ReadWriteOnce"),
    Case("PersistentVolumeClaim", (*_SPEC, "accessModes"), "ReadWriteOnce", "not a list"),
    Case("PersistentVolumeClaim", (*_SPEC, "storageClass"), "x", "'storageClassName'"),
    Case(
        "PersistentVolumeClaim",
        (*_SPEC, "resources", "requests", "storage"),
        "10 GB",
        "write 10Gi",
    ),
    Case("Service", ("metadata", "name"), "1x", "a letter first"),
    Case("Service", (*_SPEC, "type"), "Clusterip", "did you mean 'ClusterIP'"),
    Case("Service", (*_SPEC, "ports", 0, "port"), 0, "is no port"),
    Case("Service", (*_SPEC, "ports", 0, "targetport"), 1, "did you mean 'targetPort'"),
    Case("Secret", ("data",), {"a": "a b!"}, "is not base64"),
    Case("Secret", ("stringdata",), {"a": "b"}, "did you mean 'stringData'"),
    Case("Secret", ("stringData",), {"a": "x" * (2**20 + 1)}, "1048577 bytes"),
    Case("ConfigMap", ("data",), {"a": "x" * (2**20 + 1)}, "1048577 bytes"),
    Case("ConfigMap", ("data",), {"a": {"b": "c"}}, "is a mapping, not a text"),
    Case("Role", ("rules", 0, "verb"), ["get"], "did you mean 'verbs'"),
    Case("Role", ("metadata", "name"), "a/b", "leave out '/'"),
    Case("Ingress", (*_HTTP, "pathType"), "prefix", "did you mean 'Prefix'"),
    Case("Ingress", (*_HTTP, "backend", "serviceName"), "x", "there is no field 'serviceName'"),
    Case("Ingress", ("apiVersion",), "extensions/v1beta1", "write networking.k8s.io/v1"),
]

WRONG_FOR_THE_NODE = [
    Case("Pod", (*_NOTEBOOK, "image"), "https://example.org/x", "leave out https://"),
    Case("Pod", (*_NOTEBOOK, "image"), "Example/X:1", "in lower case"),
    Case("Pod", (*_NOTEBOOK, "image"), "x: 1", "leave out the blanks"),
    Case("Pod", (*_NOTEBOOK, "image"), "x:", "write a tag"),
]
"""What an API server takes, and a node does not: the Pod stays in InvalidImageName."""

RIGHT = [
    *(Case(kind, ("metadata", "name"), "x") for kind in PLAIN),
    Case("Pod", ("metadata", "name"), "a.b"),
    Case("Pod", ("metadata", "labels"), {"example.org/a_b.c": "", "A": "x.y_z-1"}),
    Case("Pod", (*_LIMITS, "memory"), 1073741824),
    Case("Pod", (*_LIMITS, "memory"), "1.5G"),
    Case("Pod", (*_LIMITS, "memory"), "12e6"),
    Case("Pod", (*_LIMITS, "memory"), "1E"),
    Case("Pod", (*_LIMITS, "cpu"), 2.5),
    Case("Pod", (*_LIMITS, "memory"), "+1Ki"),
    Case("Pod", (*_LIMITS, "memory"), ".5Gi"),
    Case("Pod", (*_NOTEBOOK, "env", 0, "name"), "a.b-c d"),
    Case("Pod", (*_NOTEBOOK, "env", 0, "value"), None),
    Case("Pod", (*_NOTEBOOK, "image"), "localhost:5000/a/b__c:v1"),
    Case("Pod", (*_NOTEBOOK, "image"), "Registry.example.org/a@sha256:" + "0" * 64),
    Case("Pod", (*_NOTEBOOK, "image"), "[fd00::1]:5000/a"),
    Case("Pod", (*_SPEC, "tolerations"), [{"operator": "Exists"}]),
    Case("Pod", (*_SPEC, "securityContext"), None),
    Case("Service", (*_SPEC, "ports", 0, "targetPort"), "http"),
    Case("Secret", ("data",), {"a": "eA=="}),
    Case("Role", ("metadata", "name"), "system:x"),
]
