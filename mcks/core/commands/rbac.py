"""``mcks rbac``: print the least Role that the hub's identity needs."""

from __future__ import annotations

import argparse
import logging

from mcks.core.commands.configuration import chosen_subject
from mcks.core.commands.render import as_yaml
from mcks.core.trying import hub_role


def run(arguments: argparse.Namespace) -> int:
    """Print Role and RoleBinding as YAML."""
    if arguments.serviceaccount:
        place, _, name = arguments.serviceaccount.rpartition(":")
        subject = {"kind": "ServiceAccount", "name": name, "namespace": place or "default"}
    else:
        kind, name = ("User", arguments.user) if arguments.user else ("Group", arguments.group)
        subject = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    namespace: str | None = arguments.namespace or "default"
    needs = hub_role.Needs(isolates=True)  # as far as is known of no cluster
    if arguments.cluster:
        chosen = chosen_subject(arguments)
        configured = chosen.configure(logging.getLogger("mcks"))
        namespace = arguments.namespace or configured.namespace
        needs = chosen.needs(configured.cluster)
    objects = hub_role.role_and_binding(arguments.name, namespace, subject, needs)
    if arguments.classes:
        objects += hub_role.class_readers(arguments.name, subject)
    arguments.answer.write(as_yaml(objects))
    return 0
