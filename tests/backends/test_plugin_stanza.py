"""Exec stanzas whose program is run: which may be, and what is said of others."""

from __future__ import annotations

import pytest

from mcks.auth.exec_plugin import Plugin
from mcks.backends.plugin_stanza import may_run, plugin_of
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import BETA, user


@pytest.mark.parametrize(
    ("command", "allowed", "may"),
    [
        ("/opt/login", ["/opt/login"], True),
        ("/opt/login", [], False),
        ("/opt/login", ["/opt/other", "login"], False),
        ("/opt/../opt/login", ["/opt/login"], False),
        ("login", ["login"], False),
        ("", [""], False),
    ],
)
def test_a_command_may_run_if_its_absolute_path_is_allowed_as_it_is_written(
    command: str, allowed: list[str], may: bool
) -> None:
    assert may_run(user({"exec": {"command": command}}), allowed) is may


def test_an_allowed_stanza_is_taken_as_it_is() -> None:
    stanza = {
        "apiVersion": BETA,
        "command": "/opt/login",
        "args": ["--token=s3cr3t"],
        "env": [{"name": "TOKEN", "value": "s3cr3t"}],
    }
    found = plugin_of(user({"exec": stanza}), user({}), ["/opt/login"])
    assert found == Plugin("/opt/login", ("--token=s3cr3t",), {"TOKEN": "s3cr3t"}, BETA)
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/opt/my tools/login --token=SECRET", "'login'"),
        ("/opt/login SECRET", "'login'"),
        ("login -t/SECRET", "'login'"),
        ("", "'(no command)'"),
    ],
)
def test_no_value_that_stands_in_an_unknown_command_is_in_a_message(
    command: str, shown: str
) -> None:
    with pytest.raises(ConfigError, match="mcks neither knows nor may run") as caught:
        plugin_of(user({"exec": {"command": command, "args": ["SECRET"]}}), user({}), [])
    assert shown in str(caught.value)
    assert "SECRET" not in str(caught.value)
