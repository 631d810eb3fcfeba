"""What may differ after a conversion is a list, which the page has, too."""

from __future__ import annotations

from pathlib import Path

from mcks.core.conversion.sameness import UNAVOIDABLE, comparable

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "command.md"


def pod(**spec: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    return comparable([one]) == comparable([other])


def test_empty_lists_and_nulls_are_the_same_as_none() -> None:
    plain = {"name": "notebook", "image": "x"}
    assert same(
        pod(containers=[{**plain, "args": [], "command": None}], volumes=[]),
        pod(containers=[plain]),
    )
    assert not same(pod(containers=[plain], a=[1]), pod(containers=[plain]))


def test_a_whole_number_is_the_same_with_a_fraction() -> None:
    whole, half, integer = ({"name": "x", "cpu": cpu} for cpu in (1.0, 1.5, 1))
    assert same(pod(containers=[whole]), pod(containers=[integer]))
    assert not same(pod(containers=[whole]), pod(containers=[half]))


def test_the_order_of_variables_is_free_but_not_that_of_containers() -> None:
    a, b = ({"name": name, "value": "v"} for name in "ab")
    first, second = ({"name": "notebook", "env": env} for env in ([a, b], [b, a]))
    assert same(pod(containers=[first]), pod(containers=[second]))
    assert not same(pod(containers=[first, {"name": "x"}]), pod(containers=[{"name": "x"}, first]))
    other = {"name": "x", "env": [a, b]}
    assert not same(pod(containers=[other]), pod(containers=[{**other, "env": [b, a]}]))


def test_the_page_has_each_difference_with_its_reason() -> None:
    rows = [f"| {difference.what} | {difference.why} |" for difference in UNAVOIDABLE]
    page = PAGE.read_text()
    assert [row for row in rows if row not in page] == []
