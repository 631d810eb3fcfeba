"""From KubeSpawner's words and mcks' own objects to the objects that these words describe. Pure.

The shape of a Pod (`pod`) and of a claim (`claim`), and where the words come from, do not belong
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mcks.core.kubespawner import pod
from mcks.core.kubespawner.claim import claim, namespace_of_user
from mcks.core.kubespawner.fields import check_scheme, expand_word, fields_of, safe_names
from mcks.core.kubespawner.models import check_objects
from mcks.core.kubespawner.slugs import is_label_value, safe_slug
from mcks.core.kubespawner.words import OBJECTS
from mcks.core.labels import LIFETIME, SERVERNAME, USERNAME
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest
from mcks.errors import ConfigError

POD_NAME = "jupyter-{user_server}"
CLAIM_NAME = "claim-{user_server}"

VARIABLES = ("safe_username", "safe_servername", "safe_user_server")
"""The fields that are variables of mcks' own templates, too."""

_COMPONENT = "app.kubernetes.io/component"
_FOUND_BY = {
    "app": "jupyterhub",
    "component": "singleuser-server",
    "app.kubernetes.io/name": "jupyterhub",
    _COMPONENT: "singleuser-server",
}
"""Labels of Pods by which dashboards and other tools find users' servers.

A chart's NetworkPolicy for its own Pods selects by these and by its release, so neither ``release``
nor the release's name as ``app.kubernetes.io/instance`` may be among them: a gateway that such a
policy does not know could not reach the server.
"""
_INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True)
class Translation:
    """What KubeSpawner's *words* make of one server's objects.

    *complete*: all its words are there, defaults included; else only those that were said.
    *remembered*: the claim's name at an earlier start, "" if there was none.
    """

    words: Mapping[str, Any]
    complete: bool
    user_id: int
    username: str
    servername: str
    hub_namespace: str
    remembered: str = ""

    def without_words(self) -> Translation:
        """Return the translation of nothing, which changes no object."""
        return replace(self, words={}, complete=False)

    def fields(self, servername: str | None = None) -> dict[str, str]:
        """Return the fields for the user's server *servername*, this one if None."""
        found = self._names(self.servername if servername is None else servername)
        found["pod_name"] = _expanded("pod_name_template", self.words, POD_NAME, found)
        found["pvc_name"] = self._claim_name(found, servername)
        return found

    def _claim_name(self, fields: Mapping[str, str], servername: str | None) -> str:
        name = self._claim_named(fields)
        if not self.remembered:
            return name
        if servername is None or name == self._claim_named(self._names(self.servername)):
            return self.remembered
        return name

    def _claim_named(self, fields: Mapping[str, str]) -> str:
        return _expanded("pvc_name_template", self.words, CLAIM_NAME, fields)

    def _names(self, servername: str) -> dict[str, str]:
        return fields_of(
            self.user_id,
            self.username,
            servername,
            scheme=self._scheme,
            hub_namespace=self.hub_namespace,
        )

    @property
    def _scheme(self) -> str:
        return str(self.words.get("slug_scheme", "safe"))

    def variables(self, servername: str) -> dict[str, str]:
        """Return what templates know of KubeSpawner's names for the user's server *servername*."""
        if servername == self.servername:
            return {**self._own_variables}
        return self._variables(servername)

    @cached_property
    def _own_variables(self) -> dict[str, str]:
        return self._variables(self.servername)

    def _variables(self, servername: str) -> dict[str, str]:
        check_scheme(self._scheme)
        names = safe_names(self.username, servername)
        return dict(zip(VARIABLES, names, strict=True)) | {
            "username_label": _label(self.username),
            "servername_label": _label(servername),
            "hub_namespace": self.hub_namespace,
            "remembered_claim": self.remembered,
        }

    @property
    def pod_name(self) -> str:
        """The Pod's name by ``pod_name_template``."""
        return self.fields()["pod_name"]

    @property
    def may_escalate(self) -> frozenset[str]:
        """Containers of which somebody said that nobody decides about their privileges: None."""
        said = self.words.get("allow_privilege_escalation", False)
        return frozenset({CONTAINER} if said is None else ())

    @property
    def user_namespace(self) -> str:
        """The user's own namespace by ``user_namespace_template``."""
        return _expanded("user_namespace_template", self.words, "", self.fields())

    def apply(
        self,
        objects: Sequence[Manifest],
        *,
        key: str,
        namespace: str,
        servername: str,
        hub_id: str = "",
    ) -> list[Manifest]:
        """Return *objects*, of which the Pod is called *key*, as the words say.

        The Pod has labels by which the community's tools find it, also without any word. Raises
        ConfigError for an unknown field and for a value of the wrong form.
        """
        objects = [self._found(m, hub_id) if _is_pod(m, key) else m for m in objects]
        for name in OBJECTS if self.words else ():
            if said := self.words.get(name):
                check_objects(name, said)
        if not self.words and not self.complete:
            return objects
        own = servername == self.servername
        where = self.fields(None if own else servername)
        where |= {"pod_name": key, "namespace": namespace}
        made = [self._translated(manifest, key, where) for manifest in objects]
        if self.words.get("storage_pvc_ensure"):
            if not self.words.get("storage_capacity"):
                raise ConfigError(
                    "storage_pvc_ensure is set, but storage_capacity is not: write the claim's "
                    "size, such as '10Gi'"
                )
            made.insert(0, self._described(claim(self.words, where)))
        return made

    def _translated(self, manifest: Manifest, key: str, where: Mapping[str, str]) -> Manifest:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if _is_pod(manifest, key):
            skeleton = self._as_theirs(manifest, key) if self.complete else manifest
            return pod.shaped(skeleton, self.words, where)
        if kind == "Service" and name == key and "component_label" in self.words:
            return self._selecting(manifest)
        if kind == "Namespace" and self.complete and name == where["namespace"]:
            return self._namespace(manifest, where)
        return manifest

    def _as_theirs(self, manifest: Manifest, key: str) -> Manifest:
        """What is otherwise in every Pod of KubeSpawner's: one place for each difference."""
        spec = {**(manifest.get("spec") or {})}
        spec["terminationGracePeriodSeconds"] = self.words["delete_grace_period"]
        if spec.get("serviceAccountName") == key:
            del spec["serviceAccountName"]  # the namespace's own account
        spec["containers"] = [
            {name: value for name, value in c.items() if name != "args" or value}
            for c in spec.get("containers") or ()
        ]
        return {**manifest, "spec": spec}

    def _found(self, pod: Manifest, hub_id: str) -> Manifest:
        """Return *pod* with labels for the community's tools; those that it has stay."""
        names = self.variables(self.servername)
        labels = {USERNAME: names["username_label"], SERVERNAME: names["servername_label"]}
        if not self.complete:  # else KubeSpawner's common_labels say the others
            instance = f"{hub_id}-servers" if hub_id else "mcks-servers"
            labels |= {**_FOUND_BY, _INSTANCE: _label(instance)}
        meta = pod["metadata"]
        return {**pod, "metadata": {**meta, "labels": {**labels, **(meta.get("labels") or {})}}}

    def _selecting(self, manifest: Manifest) -> Manifest:
        """Let the Service follow the Pod's label."""
        selector = {**(manifest["spec"].get("selector") or {})}
        if _COMPONENT in selector:
            selector[_COMPONENT] = self.words["component_label"]
        return {**manifest, "spec": {**manifest["spec"], "selector": selector}}

    def _described(self, manifest: Manifest) -> Manifest:
        """Add the label by which the community's tools find a user's claim."""
        if not self.complete:
            return manifest
        slugs = {USERNAME: self.variables(self.servername)["username_label"]}
        meta = manifest["metadata"]
        return {**manifest, "metadata": {**meta, "labels": {**slugs, **(meta.get("labels") or {})}}}

    def _namespace(self, manifest: Manifest, where: Mapping[str, str]) -> Manifest:
        if not self.words.get("enable_user_namespaces"):
            return manifest
        theirs = namespace_of_user(self.words, where)["metadata"]
        meta = manifest["metadata"]
        labels = {**theirs["labels"], **(meta.get("labels") or {})}
        annotations = {**(meta.get("annotations") or {}), **theirs["annotations"], LIFETIME: "keep"}
        return {**manifest, "metadata": {**meta, "labels": labels, "annotations": annotations}}


def _label(name: str) -> str:
    return safe_slug(name, is_valid=is_label_value)


def _is_pod(manifest: Manifest, key: str) -> bool:
    return bool(manifest["kind"] == "Pod" and manifest["metadata"]["name"] == key)


def _expanded(word: str, words: Mapping[str, Any], default: str, fields: Mapping[str, str]) -> str:
    return str(expand_word(word, words.get(word, default), fields))
