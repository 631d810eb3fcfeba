"""The recipes of docs/how-to/choose-a-cluster.md do in each cluster what their words say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from traitlets.config import Config

from mcks.core.cli import main
from mcks.core.placement import quota
from mcks.errors import Refused
from tests.core import kubeconfigs

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "choose-a-cluster.md"
RECIPES = dict(
    re.findall(
        r"^### ([^\n]+)\n.*?^```python\n(.*?)^```$",
        PAGE.read_text().partition("\n## Recipes\n")[2],
        re.MULTILINE | re.DOTALL,
    )
)
GPU, FILES, SPOT, DEPARTMENTS = RECIPES
Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Render:
    """Return what ada's server is made of by a recipe's profile in a cluster."""
    path = kubeconfigs.write(tmp_path / "kubeconfig", "west", "east", "costly")
    monkeypatch.setenv("KUBECONFIG", str(path))
    config = tmp_path / "jupyterhub_config.py"

    def rendered(recipe: str, profile: str, cluster: str, *more: str) -> list[dict[str, Any]]:
        config.write_text(f'c.JupyterHub.spawner_class = "mcks"\n{RECIPES[recipe]}')
        what = ["--profile", profile, "--option", f"cluster={cluster}", *more]
        code = main(["render", "-f", str(config), "--user", "ada", *what])
        answer = capsys.readouterr()
        assert code == 0, answer.err
        return [one for one in yaml.safe_load_all(answer.out) if one]

    return rendered


def pod_of(objects: list[dict[str, Any]]) -> Any:
    return next(one["spec"] for one in objects if one["kind"] == "Pod")


def kinds(objects: list[dict[str, Any]]) -> set[str]:
    return {one["kind"] for one in objects}


def test_a_gpu_is_asked_for_in_the_words_of_each_cluster(render: Render) -> None:
    west, east = (pod_of(render(GPU, "gpu", cluster)) for cluster in ("west", "east"))
    assert west["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert east["nodeSelector"] == {"eks.amazonaws.com/nodegroup": "gpu"}
    for pod in (west, east):
        assert pod["containers"][0]["resources"] == {"limits": {"nvidia.com/gpu": 1}}
    assert "nodeSelector" not in pod_of(render(GPU, "cpu-only", "west"))


def test_files_are_mounted_by_whoever_works_with_them(render: Render) -> None:
    objects = render(FILES, "my-files", "east")
    assert "PersistentVolumeClaim" in kinds(objects)
    (home,) = pod_of(objects)["volumes"]
    assert home["persistentVolumeClaim"] == {"claimName": "jupyter-ada"}
    tutorial = render(FILES, "tutorial", "east")
    assert "PersistentVolumeClaim" not in kinds(tutorial)
    assert "volumes" not in pod_of(tutorial)


def test_spot_nodes_are_those_of_the_first_cluster_alone(render: Render) -> None:
    assert pod_of(render(SPOT, "notebook", "any"))["nodeSelector"] == {
        "cloud.google.com/gke-spot": "true"
    }
    assert "nodeSelector" not in pod_of(render(SPOT, "notebook", "east"))


def test_the_costly_cluster_is_for_two_departments(render: Render) -> None:
    assert pod_of(render(DEPARTMENTS, "notebook", "costly", "--group", "physics"))
    assert pod_of(render(DEPARTMENTS, "notebook", "any"))
    with pytest.raises(AssertionError, match="may not use"):
        render(DEPARTMENTS, "notebook", "costly")


async def test_a_department_without_hours_goes_on_elsewhere() -> None:
    left = {"physics": 12, "geology": 0}

    async def hours(request: web.Request) -> web.Response:
        return web.json_response({"left": left[request.match_info["department"]]})

    application = web.Application()
    application.router.add_get("/{department}", hours)
    async with TestServer(application) as server:
        url = str(server.make_url("")).rstrip("/")
        config = Config()
        exec(RECIPES[DEPARTMENTS].replace("https://hours.example.org", url), {"c": config})
        ask = config.MultiClusterKubeSpawner.quota
        assert await quota.asked(member(ask, "physics"), "costly") == "12 hours left for physics"
        assert await quota.asked(member(ask, "geology"), "east") == ""
        with pytest.raises(Refused, match=r"No hours are left for geology\.") as refused:
            await quota.asked(member(ask, "geology"), "costly")
        assert refused.value.elsewhere


def member(ask: Any, department: str) -> Any:
    groups = [SimpleNamespace(name="students"), SimpleNamespace(name=department)]
    return SimpleNamespace(quota=ask, user=SimpleNamespace(name="ada", groups=groups))
