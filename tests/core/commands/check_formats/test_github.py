"""GitHub gets workflow commands that it can read, whatever is in the words."""

from __future__ import annotations

from mcks.core.checking.finding import Finding
from mcks.core.commands.check_formats.github import workflow_commands
from mcks.core.trying.report import Report, Step


def test_a_finding_is_a_command_with_its_file_and_line() -> None:
    found = Finding("MCKS131", "50% of\nit", "profile 'a'", "Mend it", "conf,1:2.py", 7)
    assert workflow_commands([found], []) == (
        "::error file=conf%2C1%3A2.py,line=7,title=MCKS131%3A A patch cannot be applied::"
        "profile 'a': 50%25 of%0Ait. Mend it\n"
    )


def test_severities_have_commands_of_their_own() -> None:
    found = [Finding("MCKS134", "x"), Finding("MCKS140", "y")]
    warning, notice = workflow_commands(found, []).splitlines()
    assert warning.startswith("::warning title=MCKS134%3A")
    assert notice.startswith("::notice title=MCKS140%3A")


def test_steps_that_went_wrong_are_told_with_what_to_do() -> None:
    steps = (Step("mint", "ok", "a token"), Step("connect", "failed", "no answer", "look"))
    told = workflow_commands([], [Report("west", steps)])
    assert told == "::error title=MCKS302%3A cluster west%3A connect::no answer%0Alook\n"
