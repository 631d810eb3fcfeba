"""A converted configuration needs no word of KubeSpawner's and makes the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcks.core.checking import config_check
from tests.core import kubeconfigs
from tests.core.conversion.converting import USERS, Rendered, after, piece_of, without_functions
from tests.core.kubespawner.configurations import ALONE, WHOLE, Values
from tests.core.kubespawner.side_by_side import configuration

ALL = {**ALONE, **WHOLE}


@pytest.mark.parametrize("name", ALL)
async def test_each_configuration_makes_the_same_objects(name: str) -> None:
    await _makes_the_same_objects(name, USERS if name in WHOLE else USERS[1:2])


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
async def test_each_trait_alone_makes_the_same_objects_of_every_user(name: str) -> None:
    await _makes_the_same_objects(name, USERS)


async def _makes_the_same_objects(name: str, users: Sequence[str]) -> None:
    config = configuration(without_functions(ALL[name]))
    piece = piece_of(config)
    assert piece.left == []
    converted = after(config, piece)
    for username in users:
        before, now = Rendered(config, username), Rendered(converted, username)
        for servername in ("", "Großer Server") if "@" in username else ("",):
            assert await now(servername) == await before(servername)


@pytest.mark.parametrize(
    "name", [*WHOLE, *(pytest.param(n, marks=pytest.mark.slow) for n in ALONE)]
)
def test_each_converted_configuration_passes_the_check_without_a_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "x")))
    config = configuration(ALL[name])
    converted = after(config, piece_of(config))
    converted.JupyterHub.spawner_class = "mcks"
    converted.JupyterHub.hub_connect_url = "https://hub.example.org"
    found = config_check.check(converted)
    assert (found.problems, found.warnings, found.notes) == ([], [], [])


def _joined(names: list[str]) -> Values:
    whole: Values = {}
    for name in names:
        whole |= without_functions(ALL[name])
    return whole


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=8, unique=True).map(_joined),
    username=st.sampled_from([*USERS, "a--b", "1st", "a_b", "a-"]),
    servername=st.sampled_from(["", "gpu", "s" * 50, "-x-"]),
)
async def test_any_combination_makes_the_same_objects(
    values: Values, username: str, servername: str
) -> None:
    config = configuration(values)
    converted = after(config, piece_of(config))
    before, now = Rendered(config, username), Rendered(converted, username)
    assert await now(servername) == await before(servername)
