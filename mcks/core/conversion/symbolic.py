"""KubeSpawner's own translation, with expressions where a user's names would be. Pure.

What it makes of words is not repeated here: the objects before and after it are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mcks.core.conversion import names
from mcks.core.kubespawner.translation import VARIABLES, Translation
from mcks.core.kubespawner.words import HOOKS, WORDS
from mcks.core.labels import KEY_LABEL
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest
from mcks.core.writing.difference import UNKNOWN
from mcks.core.writing.marks import Marks

Words = Mapping[str, Any]
OF_CLAIM = frozenset(name for name in WORDS if name.startswith("storage_") or name == "delete_pvc")
_COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Symbolic(Translation):
    """The translation for any server of any user."""

    marks: Marks = field(default_factory=Marks)

    def fields(self, servername: str | None = None) -> dict[str, str]:
        """Return the fields as marks of what they are in a template."""
        return dict(names.fields_of(self.marks, self.words))

    def variables(self, servername: str) -> dict[str, str]:
        """Return the variables as marks of themselves."""
        known = (*VARIABLES, "username_label", "servername_label", "hub_namespace")
        return {name: self.marks.mark(name) for name in known}


class Objects(NamedTuple):
    """What a server is made of, as far as KubeSpawner's words change it."""

    pod: Manifest
    service: Manifest
    namespace: Manifest
    claim: Manifest | None = None


def objects(words: Words, marks: Marks, *, complete: bool) -> Objects:
    """Return what *words* make of a server's own objects. Raises ConfigError.

    *complete*: KubeSpawner's defaults hold, too; *words* must have all of them then.
    """
    translatable = {name: value for name, value in words.items() if name not in HOOKS}
    made = _made(translatable, marks, complete=complete)
    found = {manifest["kind"]: manifest for manifest in made}
    return Objects(
        pod=found["Pod"],
        service=found["Service"],
        namespace=found["Namespace"],
        claim=found.get("PersistentVolumeClaim"),
    )


def _made(translatable: Words, marks: Marks, *, complete: bool) -> list[Manifest]:
    translation = Symbolic(
        translatable,
        complete,
        user_id=0,
        username="",
        servername="",
        hub_namespace="",
        marks=marks,
    )
    key, namespace = marks.mark(names.KEY), marks.mark(names.NAMESPACE)
    return translation.apply(
        [_pod(key), _service(key), _namespace(namespace)],
        key=key,
        namespace=namespace,
        servername="",
    )


def untranslated(marks: Marks) -> Objects:
    """Return the same objects as mcks makes them by itself."""
    return Objects(*_made({}, marks, complete=False))


def _pod(key: str) -> Manifest:
    """What of a Pod translations look at; what other settings decide is UNKNOWN."""
    container = {
        "name": CONTAINER,
        "image": UNKNOWN,
        "args": [UNKNOWN],
        "ports": [{"containerPort": UNKNOWN}],
        "resources": {UNKNOWN: UNKNOWN, "limits": {}, "requests": {}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": key, "labels": {_COMPONENT: "singleuser-server"}, "annotations": {}},
        "spec": {
            "serviceAccountName": key,
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
        },
    }


def _service(key: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": key},
        "spec": {"selector": {KEY_LABEL: key, _COMPONENT: "singleuser-server"}},
    }


def _namespace(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {}, "annotations": {}},
    }
