"""A real kubelet puts values in the place of ``$(NAME)``: from the Secret, and from entries."""

from __future__ import annotations

import asyncio
import json
import textwrap

import pytest

from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.hub.servers import SERVER, Make, pod_of

pytestmark = pytest.mark.cluster

TELL = "import json, os; print('env:', json.dumps(dict(os.environ)), flush=True)\n"
PATCH = """
kind: Pod
metadata: {name: "{{key}}"}
spec:
  containers:
  - name: notebook
    env:
    - {name: OF_PATCH, value: "$(SCRATCH)/patch"}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
"""


async def test_values_that_refer_to_others_arrive_in_the_container(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    spawner = make("ada")
    spawner.cmd = [*spawner.cmd[:2], TELL + textwrap.dedent(SERVER)]
    spawner.patches = {**spawner.patches, "20-env": PATCH}
    spawner.environment = {
        "DEEP": "$(WORK)/deep",
        "WORK": "$(SCRATCH)/work",
        "SCRATCH": "s3://b/$(JUPYTERHUB_USER)",
        "WITH_TOKEN": "https://x/?token=$(JUPYTERHUB_API_TOKEN)",
        "ESCAPED": "$$(JUPYTERHUB_USER)",
        "BESIDE": "$$5 $(JUPYTERHUB_USER)",
        "PASSWORD": "pa$$word",
        "NOWHERE": "$(NO_SUCH_NAME)",
        "AT": "$(NODE)/$(OF_PATCH)",
        "MEMORY": "$(MEM_LIMIT)",
        "CIRCLE": "$(OTHER)",
        "OTHER": "$(CIRCLE)",
    }
    spawner.mem_limit = "512M"
    await spawner.start()
    log = await asyncio.to_thread(api.logs, "jupyter-ada", namespace.name)
    env = json.loads(log.splitlines()[0].removeprefix("env:"))
    node = env["NODE"]
    assert node
    assert {name: env[name] for name in [*spawner.environment, "OF_PATCH"]} == {
        "SCRATCH": "s3://b/ada",
        "WORK": "s3://b/ada/work",
        "DEEP": "s3://b/ada/work/deep",
        "WITH_TOKEN": f"https://x/?token={env['JUPYTERHUB_API_TOKEN']}",
        "ESCAPED": "$(JUPYTERHUB_USER)",
        "BESIDE": "$5 ada",
        "PASSWORD": "pa$$word",
        "NOWHERE": "$(NO_SUCH_NAME)",
        "OF_PATCH": "s3://b/ada/patch",
        "AT": f"{node}/s3://b/ada/patch",
        "MEMORY": str(512 * 2**20),
        "CIRCLE": "$(OTHER)",
        "OTHER": "$(OTHER)",
    }
    assert spawner.api_token not in str(await pod_of(api, namespace))
    await spawner.stop()
