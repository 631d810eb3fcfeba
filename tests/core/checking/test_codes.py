"""The table of codes is complete, in order, and what the reference says."""

from __future__ import annotations

import re

from mcks.core.checking.codes import CODES
from tests.generate.check_codes import PAGE, page


def test_the_reference_is_made_of_the_table() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.generate.check_codes"


def test_codes_look_alike_and_stand_in_order() -> None:
    assert all(re.fullmatch(r"MCKS[0-3]\d\d", name) for name in CODES)
    assert list(CODES) == sorted(CODES)


def test_each_code_has_a_title_a_cause_and_a_remedy_of_its_own() -> None:
    titles = [code.title for code in CODES.values()]
    assert len(titles) == len(set(titles))
    for name, code in CODES.items():
        assert code.severity in ("error", "warning", "note")
        assert not code.title.endswith("."), name
        assert code.cause.endswith("."), name
        assert code.remedy.endswith("."), name
