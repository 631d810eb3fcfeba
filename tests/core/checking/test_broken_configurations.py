"""Each broken configuration of tests/cases/broken_configurations has its code and its words.

A case begins with ``# === what is wrong``, then a line ``# CODE words`` for each finding that must
come, then what is added to GOOD. Nothing else may be wrong with it but for notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcks.backends import registry
from mcks.core.checking import config_check
from mcks.core.checking.codes import CODES
from mcks.core.checking.finding import Finding
from mcks.core.checking.sample import Sample
from mcks.core.clusters.cluster import Cluster
from mcks.core.clusters.configure import trait_names
from mcks.core.manifests import sandbox
from mcks.core.settings import Settings
from tests.core import kubeconfigs
from tests.core.checking.running import configuration

FOLDER = Path(__file__).parents[2] / "cases" / "broken_configurations"
GOOD = """
c = get_config()
c.JupyterHub.spawner_class = "mcks"
c.JupyterHub.hub_connect_url = "https://hub.example.org"
S = c.MultiClusterKubeSpawner
S.clusters = {
    "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"},
    "b": {"context": "ctx-b", "ingress_public_url": "http://192.0.2.2"},
}
S.profile_list = [
    {"display_name": "Small", "cluster": "a"},
    {"display_name": "Large", "cluster": "b", "spawner_override": {"mem_limit": "8G"}},
]
small, large = S.profile_list
a, b = S.clusters.values()
"""
_START = "# === "
_ELSEWHERE = ("MCKS001", "MCKS002", "MCKS109", "MCKS22", "MCKS20", "MCKS3")
"""Codes with cases elsewhere: of files, of a hub in a Pod, of Kubernetes' schemas, of clusters."""


@dataclass(frozen=True)
class Case:
    """One broken configuration: what is wrong, the codes with words that must come, the text."""

    name: str
    expected: tuple[tuple[str, str], ...]
    text: str

    def __str__(self) -> str:
        return self.name


def _cases() -> Iterator[Case]:
    for file in sorted(FOLDER.glob("*.txt")):
        for part in file.read_text().split(_START)[1:]:
            name, *lines = part.splitlines()
            said = [line[2:] for line in lines if line.startswith("# MCKS")]
            expected = [(code, words) for code, _, words in (line.partition(" ") for line in said)]
            yield Case(f"{file.stem}: {name}", tuple(expected), "\n".join(lines))


CASES = [*_cases()]


class Counted:
    """A function, and how often it was called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.calls = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self._function(*args, **kwargs)


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))


def look(directory: Path, extra: str) -> list[Finding]:
    """Return what is found in GOOD with *extra* behind it."""
    return config_check.check(configuration(directory, GOOD + extra)).found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_configuration_is_told_with_code_and_words(case: Case, tmp_path: Path) -> None:
    found = look(tmp_path, case.text)
    told = [(finding.code, str(finding)) for finding in found]
    assert case.expected, "the case says no code"
    for code, words in case.expected:
        assert any(code == one and words in sentence for one, sentence in told), told
    codes = {code for code, _ in case.expected}
    others = [f for f in found if f.severity != "note" and f.code not in codes]
    assert [str(other) for other in others] == []


def test_there_are_many_cases_and_some_have_several_mistakes() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    several = [case for case in CASES if len(case.expected) > 1]
    assert len(CASES) - len(several) >= 120
    assert len(several) >= 20


def test_every_setting_of_mcks_is_broken_in_some_case() -> None:
    text = "".join(case.text for case in CASES)
    settings = {name for name in Settings.class_own_traits() if name != "cluster"}
    settings |= trait_names(Cluster)
    for backend in registry.installed():
        settings |= trait_names(registry.backend_class(backend))
    settings -= {"cluster_name"}
    assert {name for name in settings if name not in text} == set()


def test_each_code_has_a_case() -> None:
    shown = {code for case in CASES for code, _ in case.expected}
    assert shown <= CODES.keys()
    assert {code for code in CODES if not code.startswith(_ELSEWHERE)} - shown == set()


def test_the_good_configuration_gives_nothing_at_all(tmp_path: Path) -> None:
    assert look(tmp_path, "") == []


def test_the_same_mistake_in_many_profiles_is_one_finding_with_how_many(tmp_path: Path) -> None:
    extra = """
S.profile_list += [
    {"display_name": f"P{n}", "cluster": "a", "spawner_override": {"imge": "x"}} for n in range(40)
]
S.patches = {"01": "kind: Pod\\nmetadata: {name: {{kee}}}"}
"""
    override, patch = sorted(look(tmp_path, extra), key=lambda finding: finding.code)
    assert (override.code, override.count) == ("MCKS124", 40)
    assert str(override).startswith("profile 'p0' and 39 more: spawner_override: unknown trait")
    assert (patch.code, patch.count) == ("MCKS131", 42)


def test_the_same_mistake_in_many_clusters_and_entries_is_one_finding(tmp_path: Path) -> None:
    extra = """
S.clusters = {f"c{n}": {"context": "ctx-a"} for n in range(40)}
S.profile_list = [{"display_name": f"P{n}", "cluster": f"c{n}"} for n in range(40)]
S.profile_list += [{"cluster": "c0"} for n in range(40)]
"""
    told = {(finding.code, finding.count): str(finding) for finding in look(tmp_path, extra)}
    assert len(told) == 2
    assert told["MCKS121", 40].startswith("profile_list[40] and 39 more needs a 'display_name'")
    assert told["MCKS105", 40].startswith("cluster 'c0' and 39 more has no ingress_public_url")


def test_what_a_mistake_hides_is_named(tmp_path: Path) -> None:
    found = look(tmp_path, "a['backend'] = 'gkee'")
    hidden = [str(finding) for finding in found if finding.code == "MCKS141"]
    assert hidden == [
        "clusters['a']: what the settings of its backend are worth cannot be said",
        "clusters['a']: the objects of servers there are not made",
    ]


def test_many_profiles_over_many_clusters_read_each_thing_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"ctx-{n}" for n in range(20)]
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", *names)))
    sandbox._compiled.cache_clear()
    backends, spawners = Counted(registry.backend_class), Counted(Sample.spawner)
    monkeypatch.setattr("mcks.core.checking.cluster_settings.backend_class", backends)

    def spawner(*args: Any, **kwargs: Any) -> Any:
        return spawners(*args, **kwargs)

    monkeypatch.setattr(Sample, "spawner", spawner)
    extra = """
S.clusters = {f"c{n}": {"context": f"ctx-{n}", "ingress_public_url": "http://192.0.2.1"}
              for n in range(20)}
S.profile_list = [{"display_name": f"P{n}", "cluster": f"c{n % 20}"} for n in range(60)]
S.patches = {"01": "kind: Pod\\nmetadata: {name: '{{key}}', labels: {team: x}}"}
"""
    assert look(tmp_path, extra) == []
    assert backends.calls == 20
    assert spawners.calls <= 60 + 4
    assert sandbox._compiled.cache_info().misses <= 10
