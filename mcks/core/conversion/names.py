"""KubeSpawner's fields as variables of mcks' templates. Pure.

Their values (kubespawner/fields.py, manifests/variables.py) do not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcks.core.kubespawner.fields import SCHEMES, Fields, expand_text
from mcks.core.kubespawner.translation import CLAIM_NAME, POD_NAME
from mcks.core.writing.marks import Marks
from mcks.errors import ConfigError

_SAME = {
    "userid": "userid",
    "unescaped_username": "unescaped_username",
    "unescaped_servername": "unescaped_servername",
    "safe_username": "safe_username",
    "safe_servername": "safe_servername",
    "safe_user_server": "safe_user_server",
    "escaped_username": "username",
    "escaped_servername": "servername",
    "escaped_user_server": "username ~ '--' ~ servername",
    "hubnamespace": "hub_namespace if hub_namespace != 'default' else 'user'",
}
_OF_SCHEME = {
    "safe": {
        "username": "safe_username",
        "servername": "safe_servername",
        "user_server": "safe_user_server",
    },
    "escape": {
        "username": "username",
        "servername": "servername",
        "user_server": "username ~ '--' ~ servername if servername else username",
    },
}
_OPEN_ENDED = {
    *("servername", "unescaped_username", "unescaped_servername", "safe_servername"),
    *("escaped_servername", "escaped_user_server"),
}
KEY, NAMESPACE = "key", "namespace"
_OBJECTS = {"pod_name": KEY, "namespace": NAMESPACE}


def fields_of(marks: Marks, words: Mapping[str, Any]) -> Fields:
    """Return the fields of any server, each a mark of what it is in a template.

    *words* say which scheme there is, and how a claim is called. Raises ConfigError.
    """
    scheme = words.get("slug_scheme", "safe")
    if scheme not in SCHEMES:
        raise ConfigError(f"slug_scheme {scheme!r} must be one of: {', '.join(SCHEMES)}")
    known = {**_SAME, **_OF_SCHEME[scheme]}
    found = {
        name: marks.field(expression, open_ended=name in _OPEN_ENDED)
        for name, expression in known.items()
    }
    claim = marks.expression(expand_text(words.get("pvc_name_template", CLAIM_NAME), found))
    if words.get("remember_pvc_name", True):
        claim = f"remembered_claim or {claim}"
    objects = {name: marks.field(expression) for name, expression in _OBJECTS.items()}
    return {**found, **objects, "pvc_name": marks.field(claim)}


def key_template(marks: Marks, words: Mapping[str, Any]) -> str:
    """Return what ``pod_name_template`` is as ``key_template``. Raises ConfigError."""
    return marks.text(
        expand_text(words.get("pod_name_template", POD_NAME), fields_of(marks, words))
    )


def user_namespace(marks: Marks, words: Mapping[str, Any]) -> str:
    """Return what ``user_namespace_template`` is as a cluster's ``namespace``."""
    return marks.text(expand_text(words["user_namespace_template"], fields_of(marks, words)))
