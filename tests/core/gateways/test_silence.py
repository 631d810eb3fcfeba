"""When a gateway counts as silent."""

from __future__ import annotations

from mcks.core.gateways.silence import Silence


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_gateway_is_silent_after_some_questions_and_some_time() -> None:
    clock = Clock()
    silence = Silence(clock)
    for asked_at in (0.0, 5.0, 9.0):
        assert silence.words == ""
        clock.now = asked_at
        silence.goes_on(asked_at, "ClientConnectorError")
    assert silence.words == "", "it may be about to be replaced"
    clock.now = 12.0
    assert silence.words == "no answer for 12 s (ClientConnectorError)"


def test_one_question_without_an_answer_says_nothing_of_a_gateway() -> None:
    clock = Clock()
    silence = Silence(clock)
    silence.goes_on(0.0, "TimeoutError")
    clock.now = 60.0
    assert silence.words == ""


def test_time_counts_from_when_the_first_of_them_was_asked() -> None:
    clock = Clock()
    clock.now = 10.0
    silence = Silence(clock)
    for asked_at in (1.0, 0.0, 2.0):
        silence.goes_on(asked_at, "TimeoutError")
    assert silence.words == "no answer for 10 s (TimeoutError)"


def test_any_answer_breaks_the_silence() -> None:
    clock = Clock()
    silence = Silence(clock)
    for _ in range(3):
        silence.goes_on(0.0, "TimeoutError")
    clock.now = 20.0
    assert silence.words
    silence.broken()
    assert (silence.words, silence.seconds) == ("", 0.0)
