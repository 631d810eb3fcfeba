"""A name that a patch adds is told if it is nearly another's, and not if it only counts."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.checking.kubernetes.near_names import look


def pod(**spec: Any) -> list[dict[str, Any]]:
    return [{"kind": "Pod", "metadata": {"name": "x"}, "spec": spec}]


BEFORE = pod(
    containers=[{"name": "notebook", "ports": [{"name": "http"}, {"name": "metrics"}]}],
    volumes=[{"name": "data-1"}],
)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (BEFORE, []),
        (pod(containers=[{"name": "notebook"}, {"name": "notebok"}]), ["container 'notebok'"]),
        (pod(containers=[{"name": "notebook"}, {"name": "sidecar"}]), []),
        (pod(volumes=[{"name": "data-1"}, {"name": "data-2"}]), []),
        (pod(volumes=[{"name": "data-1"}, {"name": "dta-1"}]), ["volume 'dta-1'"]),
        (pod(volumes=[{"name": "scratch"}, {"name": "scrach"}]), ["volume 'scrach'"]),
        (
            pod(containers=[{"name": "notebook", "ports": [{"name": "metrcs"}]}]),
            ["port 'metrcs'"],
        ),
        (pod(containers="no list"), []),
    ],
)
def test_names_that_are_nearly_others_are_told(after: Any, told: list[str]) -> None:
    found = [finding.what for finding in look(BEFORE, after, "profile 'a'")]
    assert len(found) == len(told)
    assert all(words in what for words, what in zip(told, found, strict=True))
