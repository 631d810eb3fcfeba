"""DigitalOcean's log-in program, as it writes itself into a kubeconfig."""

from __future__ import annotations

import pytest

from mcks.backends.programs.doctl import DOKS
from mcks.errors import ConfigError
from tests.backends.exec_stanzas import of_exec
from tests.backends.refusals import shown_by

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


@pytest.mark.parametrize("context", [(), ("--context=default",), ("--context", "Default")])
def test_a_token_of_the_stanza_is_used(context: tuple[str, ...]) -> None:
    found = of_exec("doctl", *ARGS, *context, UUID, DIGITALOCEAN_ACCESS_TOKEN="SECRET")
    assert found == DOKS(UUID, "SECRET")
    assert found.identity() == "the owner of the kubeconfig's DigitalOcean token"
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize(
    ("args", "env", "message"),
    [
        (("--context=prod",), {"DIGITALOCEAN_ACCESS_TOKEN": "SECRET"}, "another context than"),
        (
            (),
            {"DIGITALOCEAN_ACCESS_TOKEN": "SECRET", "DIGITALOCEAN_CONTEXT": "prod"},
            "another context than",
        ),
        ((), {"DIGITALOCEAN_API_URL": "https://SECRET"}, "DIGITALOCEAN_API_URL .* not sent"),
        ((), {"DIGITALOCEAN_TOKEN": "SECRET"}, "DIGITALOCEAN_TOKEN in exec.env is not understood"),
        ((), {"XDG_CONFIG_HOME": "SECRET"}, "XDG_CONFIG_HOME in exec.env is not understood"),
    ],
)
def test_variables_that_would_be_lost_are_refused(
    args: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        of_exec("doctl", *ARGS, *args, UUID, **env)
    assert "SECRET" not in shown_by(caught.value)


def test_another_context_and_configuration_are_warned_about() -> None:
    found = of_exec(
        "doctl", *ARGS, UUID, DIGITALOCEAN_CONTEXT="prod", DIGITALOCEAN_CONFIG="/c.yaml"
    )
    assert found == of_exec("doctl", *ARGS, "--context=prod", "-c", "/c.yaml", UUID)
    assert isinstance(found, DOKS)
    assert "not that of doctl's configuration" in found.warning
