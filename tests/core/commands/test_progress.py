"""A line of progress is for people who wait at a terminal."""

from __future__ import annotations

import io

from mcks.core.commands.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_shown_in_the_first_seconds_and_the_line_goes_at_the_end() -> None:
    stream, clock = Terminal(), Clock()
    line = Progress(stream, clock)
    line.say("Checking profiles", 1, 300)
    assert stream.getvalue() == ""
    clock.now = 2.5
    line.say("Checking profiles", 200, 300)
    line.say("Checking profiles", 201, 300)
    assert stream.getvalue() == "\r\x1b[KChecking profiles: 200 of 300"
    line.end()
    assert stream.getvalue().endswith("300\r\x1b[K")


def test_a_pipe_gets_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    line = Progress(stream, clock)
    clock.now = 60.0
    line.say("Checking profiles", 1, 300)
    line.end()
    assert stream.getvalue() == ""
