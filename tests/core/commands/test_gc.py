"""What ``mcks gc`` found, as its reader sees it. What there is to find: tests/hub."""

from __future__ import annotations

import json

from mcks.core.commands.gc import Finding, Report, as_json, table
from mcks.core.knowledge.orphans import Orphan
from mcks.core.objects import Ref

POD = Orphan(Ref("v1", "Pod", "jupyter-ada", "ns"), "u", "jupyter-ada", "ada", "", age=7200)
HOME = Orphan(
    Ref("v1", "PersistentVolumeClaim", "home", "ns"), "v", "k", "bob", "two", 90000.4, is_data=True
)
FOUND = Report("gcp", [Finding(POD, "deleted"), Finding(HOME, "data")])
AWAY = Report("aws", problem="no answer")


def test_each_orphan_has_a_line_and_the_last_one_counts_them() -> None:
    heading, pod, home, problem, last = table([FOUND, AWAY]).splitlines()
    assert heading.split() == ["cluster", "object", "user", "server", "age"]
    assert pod.split() == ["gcp", *str(POD.where).split(), "ada", "2", "h", "deleted"]
    assert home.split() == ["gcp", *str(HOME.where).split(), "bob", "two", "1", "d", "data"]
    assert pod.index("deleted") == home.index("data")
    assert problem == "aws: cannot be looked at: no answer"
    assert last == "2 orphans"


def test_where_nothing_is_found_there_are_no_headings() -> None:
    assert table([Report("gcp")]) == "0 orphans\n"


def test_programs_get_the_same_with_ages_in_seconds() -> None:
    found, away = json.loads(as_json([FOUND, AWAY]))
    assert away == {"cluster": "aws", "problem": "no answer", "orphans": []}
    assert [o["age"] for o in found["orphans"]] == [7200, 90000]
    assert found["orphans"][1] == {
        "kind": "PersistentVolumeClaim",
        "name": "home",
        "namespace": "ns",
        "user": "bob",
        "server": "two",
        "age": 90000,
        "data": True,
        "result": "data",
    }


def test_a_cluster_is_clean_if_all_that_was_found_is_deleted() -> None:
    assert Report("gcp", [Finding(POD, "deleted")]).clean
    assert not FOUND.clean
    assert not AWAY.clean
