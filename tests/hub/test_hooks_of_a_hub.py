"""A real hub whose hooks, groups and functions were written for KubeSpawner, or fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.plain_hub import Running, serving

pytestmark = pytest.mark.slow

_MORE = """
def hook(spawner):
    spawner.node_selector = {"disk": "ssd"}
    spawner.volumes.append({"name": "x"})
    spawner.events_enabled = False
    spawner.mem_limit = "1G"


def environment(spawner):
    if spawner.user.name == "eve":
        raise ValueError("s3cret")
    return "x"


c.Spawner.pre_spawn_hook = hook
c.Spawner.environment = {"OF_A_FUNCTION": environment}
c.Spawner.consecutive_failure_limit = 0
c.Spawner.group_overrides = {
    "1": {
        "groups": ["staff"],
        "spawner_override": {
            "extra_labels": {"a": "b"},
            "dns_name_template": "x",
            "mem_limt": {"a": "b"},
        },
    }
}
"""


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with serving(tmp_path, unused_tcp_port, _MORE) as running:
        yield running


async def test_kubespawners_names_are_told_in_the_log_and_end_no_start(hub: Running) -> None:
    status, message = await hub.api("bob", {})
    log = hub.log.read_text()
    assert (status, "does not answer" in message) == (400, True), (message, log[-4000:])
    for name in ("events_enabled", "dns_name_template"):
        assert log.count(f"no effect here: {name!r} is") + log.count(f"no effect: {name!r} is") == 1
    assert "group_overrides has what has no effect: unknown trait 'mem_limt'" in log
    await hub.api("bob", {})
    assert hub.log.read_text().count("no effect here: 'events_enabled' is KubeSpawner's") == 2


async def test_a_function_that_fails_ends_the_start_with_a_reference_and_one_line_in_the_log(
    hub: Running,
) -> None:
    status, message = await hub.api("eve", {})
    assert status == 400
    assert "Reference: " in message
    assert "s3cret" not in message
    log = hub.log.read_text()
    line = next(line for line in log.splitlines() if "environment['OF_A_FUNCTION']" in line)
    assert "the function environment raised ValueError" in line
    assert "jupyterhub_config.py, line" in line
    assert "Traceback" not in log


async def test_a_hub_that_checks_its_configuration_loads_and_logs_as_ever(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    more = (
        "c.Spawner.environment = {'T': lambda spawner: spawner.userdata['t']}\n"
        "import mcks\nmcks.check_config(c)\n"
    )
    async with serving(tmp_path, unused_tcp_port, more) as hub:
        status, _ = await hub.api("bob", {})
        log = hub.log.read_text()
    assert status == 400
    assert "environment['T']: the function <lambda> raised AttributeError" in log
    assert "JupyterHub is now running" in log
