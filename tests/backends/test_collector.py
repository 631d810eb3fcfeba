"""Python's collector of garbage is paused for a moment, and no longer."""

from __future__ import annotations

import gc

import pytest

from mcks.backends.collector import paused


def test_it_looks_at_nothing_in_the_block_and_looks_again_after_it() -> None:
    assert gc.isenabled()
    with paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_looks_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="no JSON"), paused():
        raise ValueError("no JSON")
    assert gc.isenabled()


def test_what_the_administrator_has_turned_off_stays_off() -> None:
    gc.disable()
    try:
        with paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
