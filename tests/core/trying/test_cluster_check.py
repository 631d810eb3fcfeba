"""``mcks check`` goes the way of a start and tells for each step what to do."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from traitlets.config import Config

from mcks.core.cli import main
from mcks.core.commands.check_formats.output import as_json, table
from mcks.core.trying import cluster_check, hub_role
from mcks.core.trying.report import STEPS, Step
from mcks.core.trying.subjects import subjects
from tests.core.trying.common import HUB, TOKEN, Cluster, checked, kubeconfig
from tests.fakes.loopback import Fault, Handler

DASK_ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{key}}-dask
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [create]
"""


def results(steps: dict[str, Step]) -> list[str]:
    assert list(steps) == list(STEPS)
    return [step.result for step in steps.values()]


async def test_a_cluster_that_can_be_used_passes_all_steps(
    config: Config, cluster: Cluster, gateway: str
) -> None:
    steps = await checked(config)
    assert results(steps) == ["ok"] * 6
    assert steps["discover"].what == cluster.url
    assert "token" in steps["mint"].what
    assert steps["connect"].what == f"Kubernetes v1.34.1, which knows the hub as {HUB}"
    assert steps["gateway"].what == f"{gateway}: HTTP 404"


@pytest.mark.parametrize(("isolates", "quotas"), [(True, False), (False, True)])
async def test_exactly_the_verbs_of_the_least_role_are_asked_for(
    config: Config, cluster: Cluster, isolates: bool, quotas: bool
) -> None:
    config.Cluster.isolate = isolates
    config.Cluster.capacity = "resource-quota" if quotas else ""
    assert ("cannot be asked" in (await checked(config))["authorise"].what) is isolates
    asked = {
        (r["verb"], r["group"], "/".join(filter(None, [r["resource"], r.get("subresource", "")])))
        for r in cluster.reviews
        if r["verb"] != "*"
    }
    assert asked == {
        (verb, rule["apiGroups"][0], resource)
        for rule in hub_role.hub_role_rules(hub_role.Needs(isolates=isolates, quotas=quotas))
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {r.get("namespace") for r in cluster.reviews if r["verb"] != "*"} == {"jhub"}


async def test_with_a_namespace_for_each_user_the_rights_must_hold_in_all_namespaces(
    config: Config, cluster: Cluster
) -> None:
    config.Cluster.namespace = "jupyter-{{username}}"
    steps = await checked(config)
    assert steps["authorise"].what == "all that is needed in all namespaces"
    asked = [r for r in cluster.reviews if r["verb"] != "*"]
    assert not [r for r in asked if "namespace" in r]
    verbs = {r["verb"] for r in asked if r["resource"] == "namespaces"}
    assert verbs == {"create", "delete", "get"}


async def test_what_the_hub_may_not_do_is_told_with_the_command_that_helps(
    config: Config, cluster: Cluster
) -> None:
    cluster.denied = {("patch", "secrets"), ("create", "ingresses"), ("delete", "ingresses")}
    step = (await checked(config))["authorise"]
    assert step.result == "failed"
    assert step.what == (
        "in namespace jhub the hub may not patch secrets; "
        "create, delete ingresses.networking.k8s.io"
    )
    assert step.to_do == "mcks rbac one --serviceaccount jhub:hub | kubectl apply -f -"


async def test_another_identity_is_named_as_a_user(config: Config, cluster: Cluster) -> None:
    cluster.user, cluster.denied = "hub@example.org", {("watch", "events")}
    to_do = (await checked(config))["authorise"].to_do
    assert to_do == "mcks rbac one --user 'hub@example.org' | kubectl apply -f -"


async def test_a_missing_namespace_is_told_to_those_who_may_see_it(
    config: Config, cluster: Cluster
) -> None:
    del cluster.objects["/api/v1/namespaces/jhub"]
    step = (await checked(config))["authorise"]
    assert (step.result, step.what) == ("failed", "there is no namespace jhub")


async def test_a_hub_that_may_do_everything_is_warned(config: Config, cluster: Cluster) -> None:
    cluster.almighty = True
    step = (await checked(config))["authorise"]
    assert step.result == "warning"
    assert "everything" in step.what
    assert step.to_do.startswith("mcks rbac one ")


async def test_rights_of_users_that_reach_other_users_are_warned_of(config: Config) -> None:
    config.MultiClusterKubeSpawner.objects.update({"10-dask": DASK_ROLE})
    step = (await checked(config))["authorise"]
    assert step.result == "warning"
    assert step.what.endswith("but Role jupyter-ada-dask lets users create pods")
    assert "namespace of the user's own" in step.to_do


async def test_a_refused_credential_ends_the_way_at_connect(
    config: Config, cluster: Cluster
) -> None:
    cluster.tokens = {"another"}
    steps = await checked(config)
    assert results(steps) == ["ok", "ok", "failed", "skipped", "skipped", "ok"]
    assert "Unauthorized" in steps["connect"].what
    assert "know this identity" in steps["connect"].to_do


async def test_a_wrong_ca_is_told_as_such(
    config: Config, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Cluster()
    stranger.url = cluster.url
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "other", good=stranger))
    steps = await checked(config)
    assert results(steps) == ["ok", "ok", "failed", "skipped", "skipped", "ok"]
    assert "its certificate was refused" in steps["connect"].what


async def test_a_cluster_that_is_not_found_still_has_its_gateway_asked(config: Config) -> None:
    config.MultiClusterKubeSpawner.clusters["one"]["context"] = "gone"
    steps = await checked(config)
    assert results(steps)[0] == "failed"
    assert results(steps) == [
        "failed",
        "skipped",
        "skipped",
        "skipped",
        "skipped",
        "ok",
    ]  # said once
    assert "'gone'" in steps["discover"].what
    assert steps["discover"].to_do


async def test_settings_that_cannot_be_read_fail_at_the_first_step(config: Config) -> None:
    config.MultiClusterKubeSpawner.clusters["one"]["contxt"] = "x"
    steps = await checked(config)
    assert results(steps) == ["failed", "skipped", "skipped", "skipped", "skipped", "skipped"]
    assert "Did you mean 'context'" in steps["discover"].what


async def test_a_silent_gateway_fails_alone(config: Config, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    config.MultiClusterKubeSpawner.clusters["one"]["ingress_public_url"] = url
    steps = await checked(config)
    assert results(steps) == ["ok", "ok", "ok", "ok", "ok", "failed"]
    assert steps["gateway"].what.startswith(f"{url}: no answer")
    assert "ingress_public_url" in steps["gateway"].to_do


async def test_a_gateway_that_redirects_to_another_address_is_a_warning(
    config: Config, redirecting_gateway: str
) -> None:
    config.MultiClusterKubeSpawner.clusters["one"]["ingress_public_url"] = redirecting_gateway
    step = (await checked(config))["gateway"]
    assert step.result == "warning"
    assert step.what == f"{redirecting_gateway}: HTTP 308 to https://gw.example.org"
    assert "ingress_public_url" in step.to_do


async def test_a_cluster_without_url_has_no_gateway_to_ask(config: Config) -> None:
    del config.MultiClusterKubeSpawner.clusters["one"]["ingress_public_url"]
    assert results(await checked(config)) == ["ok", "ok", "ok", "ok", "skipped", "skipped"]


def hang(until: asyncio.Event) -> Fault:
    async def fault(_request: web.Request, _handler: Handler) -> web.StreamResponse | None:
        await until.wait()
        return None

    return fault


@pytest.mark.slow
async def test_a_cluster_that_hangs_ends_at_its_deadline(config: Config, cluster: Cluster) -> None:
    forever = asyncio.Event()
    cluster.fail_next(hang(forever))
    steps = await checked(config, deadline=2)
    forever.set()
    assert results(steps) == ["ok", "ok", "failed", "skipped", "skipped", "ok"]
    assert steps["connect"].what == "no answer within 2 seconds"


async def test_a_slow_cluster_holds_up_no_other(
    config: Config, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Cluster()
    slow.fail_next(hang(cluster.done))
    slow.objects |= cluster.objects
    async with slow.running():
        file = kubeconfig(tmp_path / "two", good=cluster, slow=slow)
        monkeypatch.setenv("KUBECONFIG", file)
        one = config.MultiClusterKubeSpawner.clusters["one"]
        config.MultiClusterKubeSpawner.clusters = {"zero": {"context": "slow"}, "one": one}
        reports = await cluster_check.check(subjects(config))
    assert [(report.cluster, report.ok) for report in reports] == [("zero", True), ("one", True)]


async def test_what_a_backend_warns_of_is_shown_at_its_step(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    path = Path(kubeconfig(tmp_path / "insecure", good=cluster))
    content = yaml.safe_load(path.read_text())
    content["clusters"][0]["cluster"] = {"server": cluster.url, "insecure-skip-tls-verify": True}
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(path))
    steps = await checked(config)
    assert steps["discover"].result == "warning"
    assert "insecure-skip-tls-verify" in steps["discover"].to_do


async def test_no_secret_is_shown_or_logged(
    config: Config, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for cluster.tokens in ({TOKEN}, {"another"}):
        reports = await cluster_check.check(subjects(config))
        assert TOKEN not in table(reports) + as_json([], reports) + caplog.text


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)


def write(tmp_path: Path, config: Config, extra: str = "") -> str:
    path = tmp_path / "jupyterhub_config.py"
    clusters = dict(config.MultiClusterKubeSpawner.clusters)
    hub = "c.JupyterHub.update(hub_connect_url='https://hub.example.org', spawner_class='mcks')"
    path.write_text(f"c.MultiClusterKubeSpawner.clusters = {clusters}\n{hub}\n{extra}")
    return str(path)


async def test_the_command_prints_the_table_and_its_exit_code_tells_the_result(
    config: Config, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, config)
    assert await command("check", "-f", file) == 0
    assert capsys.readouterr().out.startswith("0 problems found\n\nCLUSTER  STEP")
    cluster.denied = {("get", "pods")}
    assert await command("check", "-f", file, "one") == 1
    assert "FAILED" in capsys.readouterr().out


async def test_the_command_tells_offline_problems_first_and_still_asks(
    config: Config, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, config, "c.MultiClusterKubeSpawner.imge = 'x'")
    assert await command("check", "-f", file) == 1
    out = capsys.readouterr().out
    assert out.startswith("- c.MultiClusterKubeSpawner: unknown trait 'imge'")
    assert "1 of 1 cluster can be used" in out
    cluster.seen.clear()
    assert await command("check", "--offline", "-f", file) == 1
    assert cluster.seen == []


async def test_the_command_prints_json_for_programs(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command("check", "--json", "-f", write(tmp_path, config)) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    (one,) = answer["clusters"]
    assert (answer["problems"], one["cluster"], one["ok"]) == ([], "one", True)
    assert [step["step"] for step in one["steps"]] == list(STEPS)
    broken = write(tmp_path, config, "c.MultiClusterKubeSpawner.clusters = 'x'")
    assert await command("check", "--json", "-f", broken) == 1
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["problems"]) == 1
    assert answer["clusters"] == []
