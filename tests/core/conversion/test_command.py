"""``cmd`` of KubeSpawner's is a patch that an image's own ENTRYPOINT gets as its arguments."""

from __future__ import annotations

from typing import Any

from mcks.core.conversion.command import patch
from mcks.core.manifests.render import render
from mcks.core.writing.marks import Marks


def args_of(text: Any) -> Any:
    (found,) = render("t", text, {"key": "k", "args": ["--a"], "options": {"o": "{{x}}; rm"}})
    return found["spec"]["containers"][0]["args"]


def test_arguments_follow_the_command() -> None:
    assert args_of(patch(["run", "{username}"], Marks(), with_args=False)) == [
        *("run", "{username}", "--a")
    ]
    assert args_of(patch("run", Marks(), with_args=True)) == ["run", "--a"]


def test_a_users_own_text_is_never_a_template() -> None:
    marks = Marks()
    text = patch(["run", "a" + marks.mark("options.o")], marks, with_args=True)
    assert args_of(text) == ["run", "a{{x}}; rm", "--a"]


def test_without_a_command_there_are_no_arguments_either() -> None:
    assert patch(None, Marks(), with_args=False) is None
    assert args_of(patch([], Marks(), with_args=True)) is None
