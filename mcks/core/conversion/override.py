"""What one profile, choice or user's own text says in KubeSpawner's words, as patches. Pure.

A level's patches apply on top of whatever lower levels say, so they state all that was said, also
what happens to be the same below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcks.core.clusters.layers import merge_value
from mcks.core.conversion.hub import (
    CLAIM_KEY,
    changes,
    claim,
    patched,
    template,
    translatable,
)
from mcks.core.conversion.names import key_template
from mcks.core.conversion.symbolic import Objects, Words, objects
from mcks.core.kubespawner import models
from mcks.core.kubespawner.words import UNSAID
from mcks.core.writing.difference import UNKNOWN
from mcks.core.writing.marks import Marks
from mcks.core.writing.yaml_text import Commented

_UNKNOWN_NUMBER = -(2**31)
_NUMBERS = {"uid", "gid", "fs_gid"}
NAMES = {"slug_scheme", "pod_name_template", "pvc_name_template", "remember_pvc_name"}
"""Words of which other values' fields are made."""
_ELEMENTS: dict[str, list[Any]] = {
    "volumes": [{"name": UNKNOWN}],
    "volume_mounts": [{"name": UNKNOWN, "mountPath": UNKNOWN}],
    "init_containers": [{"name": UNKNOWN}],
    "image_pull_secrets": [UNKNOWN],
    "supplemental_gids": [_UNKNOWN_NUMBER],
    "storage_access_modes": [UNKNOWN],
}


def joined(lower: Words, said: Words) -> dict[str, Any]:
    """Return *lower* words with those that a level has *said* on top, as profiles merge them."""
    return {**lower} | {
        name: merge_value(lower.get(name, UNSAID[name]), value) for name, value in said.items()
    }


class Level:
    """What one level says, relative to the *lower* words.

    *complete*: KubeSpawner's defaults hold below. *sidecars* are names of containers that other
    levels may have added.
    """

    def __init__(
        self,
        lower: Words,
        said: Words,
        marks: Marks,
        *,
        complete: bool,
        sidecars: Iterable[str] = (),
    ) -> None:
        self.words = translatable(joined(lower, said))
        self.lower = translatable(lower)
        self._said, self._marks, self._complete = said, marks, complete
        self._sidecars = sidecars

    def patch(self) -> Commented | None:
        """Return the patches as one template, None if nothing changes. Raises ConfigError."""
        unknown = {name: self._unknown(name, value) for name, value in self._said.items()}
        new = self._objects(self.words)
        stated = list(changes(self._objects({**self.lower, **unknown}), new))
        known = patched(self._objects(self.lower), stated)
        documents = [*stated, *changes(known, new)]
        if not documents:
            return None
        return template(documents, self._marks, self._said)

    def resources(self) -> dict[str, Commented | None]:
        """Return the claim's template if there is another one, None for it if there is none."""
        old, new = self._claim(self.lower), self._claim(self.words)
        if (old is None) == (new is None) and self._claim_name(self.lower) == self._claim_name(
            self.words
        ):
            return {}
        return {CLAIM_KEY: new}

    def traits(self) -> dict[str, Any]:
        """Return what becomes a trait of mcks' own: the key's template."""
        if "pod_name_template" in self._said or (self._complete and "slug_scheme" in self._said):
            return {"key_template": key_template(self._marks, self.words)}
        return {}

    def _objects(self, words: Words) -> Objects:
        return objects(words, self._marks, complete=self._complete)

    def _claim(self, words: Words) -> Commented | None:
        return claim(words, self._marks, complete=self._complete)

    def _claim_name(self, words: Words) -> str | None:
        made = self._objects(words).claim
        return None if made is None else str(made["metadata"]["name"])

    def _unknown(self, name: str, said: Any) -> Any:
        """Return a value of *name* that is another one in all that is *said*."""
        lower = self.lower.get(name, UNSAID[name])
        default, after = UNSAID[name], self.words[name]
        if name in NAMES or name == "storage_pvc_ensure":
            return lower
        if name == "extra_containers":
            known = {str(item["name"]) for item in models.objects(lower)} | {*self._sidecars}
            return [{"name": other, UNKNOWN: UNKNOWN} for other in sorted(known)]
        if isinstance(default, bool) or isinstance(after, bool):
            return not after
        if isinstance(said, Mapping) and (isinstance(lower, Mapping) or default == {}):
            return _unknown_items(default, lower, said)
        if isinstance(default, list):
            return _ELEMENTS.get(name, [{UNKNOWN: UNKNOWN}])
        return _UNKNOWN_NUMBER if name in _NUMBERS else UNKNOWN


def _unknown_items(default: Any, lower: Any, said: Mapping[str, Any]) -> Any:
    """Return a dict that differs in each key that is *said*; a list in that form keeps its items,
    so that what others add to it stays."""
    if isinstance(default, list):
        return lower
    below = lower if isinstance(lower, Mapping) else {}
    stated = (key for key in said if said[key] is not None or key in below)
    return {**below, **dict.fromkeys(stated, UNKNOWN)}
