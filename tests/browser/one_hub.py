"""The hub of the browser's tests: profiles for all that may happen to a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from tests.cluster.fixtures import Clusters
from tests.core import kubeconfigs
from tests.demo.hub import Hub, hub

MORE = """
c.JupyterHub.load_groups = {{"staff": {{"users": ["sam"]}}}}
c.MultiClusterKubeSpawner.clusters["c"] = {{
    "context": "nowhere",
    "kubeconfig": {kubeconfig!r},
    "ingress_public_url": "http://127.0.0.1:9",
}}
c.MultiClusterKubeSpawner.clusters["b"]["capacity"] = lambda cluster: "3 GPUs free"
BROKEN = '''
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec:
      containers:
      - {{name: notebook, image: "localhost/no-such-image:1"}}
'''
GPU = '''
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec: {{nodeSelector: {{example.org/gpu: "yes"}}}}
'''
c.MultiClusterKubeSpawner.profile_list += [
    {{
        "display_name": "Choose the size",
        "slug": "size",
        "description": "A notebook with as much memory as you need",
        "cluster": "b",
        "spawner_override": {{"default_url": "/api/status"}},
        "profile_options": {{
            "memory": {{
                "display_name": "Memory",
                "choices": {{
                    "1": {{"display_name": "1 GB", "spawner_override": {{"mem_limit": "1G"}}}},
                    "2": {{"display_name": "2 GB", "spawner_override": {{"mem_limit": "2G"}}}},
                }},
            }},
        }},
    }},
    {{
        "display_name": "Old image",
        "description": "Its image is not there any more",
        "cluster": "a",
        "spawner_override": {{"patches": {{"99-broken": BROKEN}}}},
    }},
    {{
        "display_name": "GPU",
        "description": "With a graphics card",
        "cluster": "b",
        "spawner_override": {{"patches": {{"99-gpu": GPU}}}},
    }},
    {{"display_name": "Far away", "slug": "away", "cluster": "c"}},
    {{
        "display_name": "Staff",
        "cluster": "a",
        "allowed_groups": ["staff"],
        "spawner_override": {{"default_url": "/api/status"}},
    }},
]
"""


FANCY = """
from jupyterhub_fancy_profiles import setup_ui

setup_ui(c)
"""


async def running_hub(
    clusters: Clusters, namespace: str, directory: Path, *, base_url: str, extra: str = ""
) -> AsyncIterator[Hub]:
    kubeconfig = directory / "hub.kubeconfig"
    clusters.write_hub_kubeconfig(kubeconfig, namespace)
    away = kubeconfigs.write(directory / "nowhere", "nowhere")
    more = MORE.format(kubeconfig=str(away)) + extra
    made = hub(clusters, kubeconfig, directory, namespace=namespace, base_url=base_url, extra=more)
    async with made as started:
        yield started
