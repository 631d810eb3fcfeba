"""The package that the page *Write a backend* builds works, in a virtual environment of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import site
import subprocess
import sysconfig
import venv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import SERVER

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-backend.md"
_FILE = re.compile(r"`(?P<name>[\w.]+\.(?:toml|py))`:\n\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)


def run(*command: str, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTEST_"))}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    for found in _FILE.finditer(PAGE.read_text("utf-8")):
        (folder / found["name"]).write_text(found["text"])
    return folder


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A new environment that sees what is installed here, and nothing else."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True, symlinks=True)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    here = [*site.getsitepackages(), str(PAGE.parents[2])]
    (inside / "here.pth").write_text(
        "\n".join(f"import site; site.addsitedir({p!r})" for p in here)
    )
    return str(home / "bin" / "python")


def test_the_page_holds_the_whole_package(package: Path) -> None:
    assert sorted(path.name for path in package.iterdir()) == [
        "mcks_token_broker.py",
        "pyproject.toml",
        "test_mcks_token_broker.py",
    ]


def install(package: Path, python: str) -> None:
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run(python, "-m", "pip", "install", *options, ".", cwd=package)


@pytest.mark.slow
def test_it_installs_is_found_by_its_name_and_passes_the_contract(
    package: Path, python: str
) -> None:
    install(package, python)
    code = "from mcks.backends.registry import *; print(backend_class('token-broker').__module__)"
    assert run(python, "-c", code, cwd=package.parent).strip() == "mcks_token_broker"
    (package / "mcks_token_broker.py").unlink()
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    assert " passed" in run(python, "-m", "pytest", *options, cwd=package)


SPAWN = """
import asyncio, json, sys
from traitlets.config import Config
from mcks.core.checking.sample import sample_spawner
from mcks.core.hub.sharing import fleet_of

async def main():
    spawner = sample_spawner(Config(json.load(open(sys.argv[1]))), "ada")
    print(await spawner.start(), await spawner.poll())
    await spawner.stop()
    await fleet_of(spawner).close()

asyncio.run(main())
"""


@pytest.fixture
async def broker(clusters: Clusters, namespace: Namespace) -> AsyncIterator[str]:
    """The token broker of the page, which knows one real cluster. Yields its URL."""
    kubeconfig = json.loads(namespace.kubeconfig.read_text())
    name = clusters["a"].context
    (cluster,) = (c["cluster"] for c in kubeconfig["clusters"] if c["name"] == name)
    (user,) = (u["user"] for u in kubeconfig["users"] if u["name"] == name)

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer hub-key"
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        told = {"endpoint": {"server": cluster["server"], "ca": ca}}
        told["token"] = {"token": user["token"], "expires_at": None}
        return web.json_response(told[request.match_info["what"]])

    app = web.Application()
    app.router.add_get("/clusters/campus-1/{what}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.cluster
@pytest.mark.slow
async def test_a_server_starts_with_it(  # noqa: PLR0917
    package: Path,
    python: str,
    broker: str,
    clusters: Clusters,
    namespace: Namespace,
    tmp_path: Path,
) -> None:
    await asyncio.to_thread(install, package, python)
    (tmp_path / "key").write_text("hub-key")
    notebook = Path(clusters.notebook_command()[0]).with_name("python")
    spawner = {
        "clusters": {
            "campus": {
                "backend": "token-broker",
                "broker_url": broker,
                "cluster": "campus-1",
                "key_file": str(tmp_path / "key"),
                "namespace": namespace.name,
                "ingress_public_url": clusters["a"].gateway_url,
            }
        },
        "cmd": [str(notebook), "-c", SERVER],
        "patches": {"10-notebook": clusters.notebook_patch()},
    }
    config = tmp_path / "config.json"
    hub = {"base_url": f"/{namespace.name}/"}
    config.write_text(json.dumps({"JupyterHub": hub, "MultiClusterKubeSpawner": spawner}))
    said = await asyncio.to_thread(run, python, "-c", SPAWN, str(config), cwd=tmp_path)
    assert said.split() == [clusters["a"].gateway_url, "None"]
