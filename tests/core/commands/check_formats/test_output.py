"""What ``mcks check`` found out, as its reader sees it."""

from __future__ import annotations

from mcks.core.commands.check_formats.output import table
from mcks.core.trying.report import Report, Step


def test_the_table_is_compact_and_obeys_no_clouds_escape_sequences() -> None:
    good = Report("one", (Step("mint", "ok", "a token"),))
    bad = Report("another", (Step("mint", "failed", "no\x1b[31m\nlogin", "log in"),))
    assert table([good, bad]).splitlines() == [
        "CLUSTER  STEP  RESULT  WHAT",
        "one      mint  ok      a token",
        "another  mint  FAILED  no[31m login",
        "                       -> log in [MCKS301]",
        "",
        "1 of 2 clusters can be used",
    ]
