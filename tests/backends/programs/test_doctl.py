"""DigitalOcean's log-in program, as it writes itself into a kubeconfig."""

from __future__ import annotations

import pytest

from mcks.backends.programs.doctl import DOKS
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import of_exec

UUID = "0d3db13e-a604-4944-9827-7ec2642d32ac"


ARGS = ("kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1")


def test_as_doctl_writes_it() -> None:
    found = of_exec("doctl", *ARGS, "--context=default", UUID)
    assert isinstance(found, DOKS)
    assert found.cluster_id == UUID
    assert "DigitalOcean token" in found.warning


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--sso-issuer-url", "https://i", UUID), "login by browser"),
        (("--api-url=https://evil", UUID), "not sent elsewhere"),
        (("--access-token=x", UUID), "take it out"),
        ((), "name no cluster"),
    ],
)
def test_what_cannot_be_served_is_refused(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        of_exec("doctl", *ARGS, *args)


def test_other_commands_of_doctl_are_unknown() -> None:
    assert of_exec("doctl", "auth", "init") is None
