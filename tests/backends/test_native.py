"""How a stanza calls its program: its variables before those of the hub, and no secret shown."""

from __future__ import annotations

from mcks.backends.native import Invocation

CALL = Invocation(["--token", "s3cr3t"], {"OLD": "s3cr3t", "EMPTY": ""}, {"NEW": "h", "EMPTY": "h"})


def test_a_variable_of_the_stanza_comes_before_those_of_the_hub() -> None:
    assert CALL.variable("OLD") == "s3cr3t"
    assert CALL.variable("NEW") == "h"
    assert CALL.variable("EMPTY") == "h"
    assert not CALL.variable("NOT_THERE")


def test_nothing_of_a_call_is_in_its_repr() -> None:
    assert "s3cr3t" not in repr(CALL)
