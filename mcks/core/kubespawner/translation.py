"""From KubeSpawner's words and mcks' own objects to the objects that these words describe. Pure.

The shape of a Pod (`pod`) and of a claim (`claim`), and where the words come from, do not belong
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcks.core.kubespawner import pod
from mcks.core.kubespawner.claim import claim, namespace_of_user
from mcks.core.kubespawner.fields import expand_text, fields_of
from mcks.core.kubespawner.slugs import is_label_value, safe_slug
from mcks.core.kubespawner.words import REFUSED
from mcks.core.labels import LIFETIME, SERVERNAME, USERNAME
from mcks.core.objects import Manifest
from mcks.errors import ConfigError

POD_NAME = "jupyter-{user_server}"
CLAIM_NAME = "claim-{user_server}"

_COMPONENT = "app.kubernetes.io/component"


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

    def __post_init__(self) -> None:
        """Refuse the words that cannot be translated."""
        for name, instead in REFUSED.items():
            if self.words.get(name) is not None:
                raise ConfigError(f"c.KubeSpawner.{name} cannot be called here: {instead}")

    def without_words(self) -> Translation:
        """Return the translation of nothing, which changes no object."""
        return replace(self, words={}, complete=False)

    def fields(self, servername: str | None = None) -> dict[str, str]:
        """Return the fields for the user's server *servername*, this one if None."""
        found = self._names(self.servername if servername is None else servername)
        found["pod_name"] = expand_text(self.words.get("pod_name_template", POD_NAME), found)
        found["pvc_name"] = self._claim_name(found, servername)
        return found

    def _claim_name(self, fields: Mapping[str, str], servername: str | None) -> str:
        template = self.words.get("pvc_name_template", CLAIM_NAME)
        name = expand_text(template, fields)
        if not self.remembered:
            return name
        if servername is None or name == expand_text(template, self._names(self.servername)):
            return self.remembered
        return name

    def _names(self, servername: str) -> dict[str, str]:
        return fields_of(
            self.user_id,
            self.username,
            servername,
            scheme=self.words.get("slug_scheme", "safe"),
            hub_namespace=self.hub_namespace,
        )

    @property
    def pod_name(self) -> str:
        """The Pod's name by ``pod_name_template``."""
        return self.fields()["pod_name"]

    @property
    def may_escalate(self) -> frozenset[str]:
        """Containers of which somebody said that nobody decides about their privileges: None."""
        said = self.words.get("allow_privilege_escalation", False)
        return frozenset({pod.CONTAINER} if said is None else ())

    @property
    def user_namespace(self) -> str:
        """The user's own namespace by ``user_namespace_template``."""
        return expand_text(self.words["user_namespace_template"], self.fields())

    def apply(
        self, objects: Sequence[Manifest], *, key: str, namespace: str, servername: str
    ) -> list[Manifest]:
        """Return *objects*, of which the Pod is called *key*, as the words say.

        Raises ConfigError for an unknown field and for a value of the wrong form.
        """
        if not self.words and not self.complete:
            return list(objects)
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
        if kind == "Pod" and name == key:
            skeleton = self._as_theirs(manifest, key) if self.complete else manifest
            return pod.shaped(skeleton, self.words, where)
        if kind == "Service" and name == key and "component_label" in self.words:
            return self._selecting(manifest)
        if kind == "Namespace" and self.complete and name == where["namespace"]:
            return self._namespace(manifest, where)
        return manifest

    def _as_theirs(self, manifest: Manifest, key: str) -> Manifest:
        """What is otherwise in every Pod of KubeSpawner's: one place for each difference."""
        spec = {**manifest["spec"]}
        spec["terminationGracePeriodSeconds"] = self.words["delete_grace_period"]
        if spec.get("serviceAccountName") == key:
            del spec["serviceAccountName"]  # the namespace's own account
        spec["containers"] = [
            {name: value for name, value in c.items() if name != "args" or value}
            for c in spec["containers"]
        ]
        described = self._described(manifest, servername=True)
        return {**described, "spec": spec}

    def _selecting(self, manifest: Manifest) -> Manifest:
        """Let the Service follow the Pod's label."""
        selector = {**(manifest["spec"].get("selector") or {})}
        if _COMPONENT in selector:
            selector[_COMPONENT] = self.words["component_label"]
        return {**manifest, "spec": {**manifest["spec"], "selector": selector}}

    def _described(self, manifest: Manifest, *, servername: bool = False) -> Manifest:
        """Add the labels by which the community's tools find a user's objects."""
        if not self.complete:
            return manifest
        slugs = {USERNAME: safe_slug(self.username, is_valid=is_label_value)}
        if servername:
            slugs[SERVERNAME] = safe_slug(self.servername, is_valid=is_label_value)
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
