"""A finding gets the line of the configuration on which its names stand."""

from __future__ import annotations

import pytest

from mcks.core.checking.finding import Finding
from mcks.core.checking.places import with_lines

SOURCE = """
S = c.MultiClusterKubeSpawner
S.clusters = {
    "west": {
        "context": "x",
        "rute": "ingress",
    },
    "east": {"context": "x"},
}
S.patchs = {}
S.profile_list = [
    {"display_name": "Big One", "cluster": "west"},
    {"display_name": "Other", "cluster": "wst"},
]
"""


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("MCKS101", "unknown key 'rute'. Did you mean 'x'?", "clusters['west']"), 6),
        (Finding("MCKS012", "unknown trait 'patchs'", "c.MultiClusterKubeSpawner"), 10),
        (Finding("MCKS126", "unknown cluster 'wst'", "profile 'other'"), 13),
        (Finding("MCKS132", "no Secret", "profile 'big-one'"), 12),
        (Finding("MCKS101", "unknown key 'computed'", "clusters['east']"), 8),
        (Finding("MCKS132", "nothing that is written", ""), None),
    ],
)
def test_the_line_is_that_of_the_most_telling_name(finding: Finding, line: int | None) -> None:
    (placed,) = with_lines([finding], "config.py", SOURCE)
    assert (placed.file, placed.line) == ("config.py", line)


def test_a_place_that_is_known_stays() -> None:
    known = Finding("MCKS001", "no Python", file="other.py", line=3)
    assert with_lines([known], "config.py", "if True") == [known]
