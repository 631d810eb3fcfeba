"""The words are KubeSpawner's: each trait is one, with KubeSpawner's own default, or is named."""

from __future__ import annotations

from typing import Any

from kubespawner import KubeSpawner
from traitlets import Any as Anything
from traitlets import default

from mcks.core.kubespawner.speaking import SpeaksKubeSpawner
from mcks.core.kubespawner.words import (
    CALLED,
    EXPANDED,
    HOOKS,
    WITHOUT_EFFECT,
    WORDS,
    KubeSpawnerWords,
)
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core.kubespawner.side_by_side import configuration, theirs

OURS = set(MultiClusterKubeSpawner.class_trait_names(config=True))


def test_every_trait_of_kubespawner_is_a_word_or_ours_or_has_no_effect() -> None:
    everything = set(KubeSpawner.class_trait_names(config=True))
    assert everything == (everything & OURS) | WORDS | WITHOUT_EFFECT
    assert not WORDS & WITHOUT_EFFECT
    assert not OURS & (WORDS | WITHOUT_EFFECT)


def test_every_word_has_kubespawners_own_default() -> None:
    spawner, ours = theirs({}), KubeSpawnerWords()
    said = {name: getattr(spawner, name) for name in WORDS - {"namespace"}}
    assert {name: getattr(ours, name) or None for name in said} == {
        name: value or None for name, value in said.items()
    }


def test_what_may_be_expanded_called_are_words() -> None:
    assert EXPANDED - {"environment"} <= WORDS
    assert CALLED | HOOKS <= WORDS


def test_every_word_takes_what_kubespawners_trait_takes() -> None:
    samples: tuple[object, ...] = ({}, [], "x", 1, True, None, len)
    for name in WORDS:
        taken = [sample for sample in samples if _takes(KubeSpawner, name, sample)]
        assert [s for s in taken if not _takes(KubeSpawnerWords, name, s)] == [], name


def _takes(cls: type, name: str, value: object) -> bool:
    trait = getattr(cls, name)
    try:
        trait._validate(KubeSpawnerWords(), value)
    except Exception:  # traitlets raises several kinds
        return False
    return True


def test_a_configuration_of_all_words_at_once_is_taken() -> None:
    assert configuration({"uid": 1}).KubeSpawner.uid == 1


class _Own(SpeaksKubeSpawner):
    """A subclass may have functions as defaults, said by a trait or made by a method."""

    uid = Anything(lambda _spawner: 7)

    @default("pod_security_context")
    def _own_context(self) -> Any:
        return dict

    def _gid_default(self) -> Any:
        return len


def test_functions_are_what_is_said_and_the_defaults_of_a_subclass() -> None:
    class Plain(SpeaksKubeSpawner):
        pass

    plain, own = Plain(), _Own()
    assert plain.functions() == {}
    plain.fs_gid = max
    assert plain.functions() == {"fs_gid": max}
    assert list(own.functions()) == ["gid", "pod_security_context", "uid"]
