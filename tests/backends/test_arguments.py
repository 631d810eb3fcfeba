"""Command lines of other programs: every way to write an option, and no value in an error."""

from __future__ import annotations

import pytest

from mcks.backends.arguments import Arguments, harmless, parse, spelled
from mcks.errors import ConfigError

VALUES = spelled({"token": "--token -t", "level": "--level -l"}) | harmless("--output")
FLAGS = spelled({"quick": "--quick -q"}) | harmless("--verbose -v")


def parsed(*arguments: str) -> Arguments:
    return parse(arguments, values=VALUES, flags=FLAGS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--token", "x"),
        ("--token=x",),
        ("-t", "x"),
        ("-tx",),
        ("-t=x",),
        ("-vt", "x"),
        ("-vtx",),
        ("-t", "y", "-t", "x"),
        ("--output", "json", "--token=x", "--verbose"),
    ],
)
def test_a_value_is_found_however_it_is_written(arguments: tuple[str, ...]) -> None:
    assert parsed(*arguments).get("token") == "x"


def test_a_value_may_look_like_an_option() -> None:
    assert parsed("--token", "-q").get("token") == "-q"
    assert parsed("--token=a=b").get("token") == "a=b"


@pytest.mark.parametrize(
    ("arguments", "there"),
    [
        (("--quick",), True),
        (("-q",), True),
        (("-vq",), True),
        (("--quick=true",), True),
        (("-q=1",), True),
        (("--quick=false",), False),
        (("--quick", "--quick=F"), False),
        (("-v",), False),
    ],
)
def test_a_flag_may_be_switched_off_again(arguments: tuple[str, ...], there: bool) -> None:
    assert ("quick" in parsed(*arguments).flags) is there


def test_words_are_what_is_left_and_all_behind_two_dashes() -> None:
    assert parsed("a", "-q", "-", "--", "--token", "-v").words == ("a", "-", "--token", "-v")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tok=SECRET",), "the option --tok is not understood"),
        (("--tok", "SECRET"), "the option --tok is not understood"),
        (("-xSECRET",), "the option -x is not understood"),
        (("-vxSECRET",), "the option -x is not understood"),
        (("--token SECRET",), "the option --token and its value are one argument: make two"),
        (("--tok SECRET",), "the option --tok is not understood"),
        (("--=SECRET",), "the option without a name is not understood"),
        (("---SECRET",), "the option without a name is not understood"),
        (("--quick=SECRET",), "the option --quick is neither true nor false"),
        (("-q=SECRET",), "the option -q is neither true nor false"),
        (("SECRET", "--token"), "the option --token has no value"),
    ],
)
def test_an_error_names_the_option_and_shows_no_value(
    arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parsed(*arguments)
    assert "SECRET" not in str(caught.value) + repr(caught.value)


def test_a_value_is_not_in_the_repr_either() -> None:
    assert "SECRET" not in repr(parsed("--token=SECRET", "SECRET"))
