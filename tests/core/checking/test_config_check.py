"""Every mistake of a configuration is found offline: where, what, and what to write instead."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

import mcks
from mcks.core.cli import main
from mcks.errors import ConfigError
from tests.core import kubeconfigs

GOOD = """
c = get_config()
S = c.MultiClusterKubeSpawner
S.clusters = {
    "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"},
    "b": {"context": "ctx-b", "ingress_public_url": "http://192.0.2.2"},
}
S.hub_connect_url = "https://hub.example.org"
c.JupyterHub.spawner_class = "mcks"
S.profile_list = [
    {"display_name": "Small", "cluster": "a"},
    {"display_name": "Large", "cluster": "b", "spawner_override": {"mem_limit": "8G"}},
]
"""


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))


def load(directory: Path, text: str) -> Config:
    (directory / "jupyterhub_config.py").write_text(text)
    config: Config = PyFileConfigLoader("jupyterhub_config.py", str(directory)).load_config()
    return config


def found(directory: Path, extra: str) -> list[str]:
    from mcks.core.checking.config_check import problems

    return problems(load(directory, GOOD + extra))


def test_a_good_configuration_has_no_mistakes(tmp_path: Path) -> None:
    assert found(tmp_path, "") == []


@pytest.mark.parametrize(
    "extra",
    [
        "c.Spawner.cmd = None",
        "S.profile_list[0]['spawner_override'] = {'cmd': None}",
        "S.mem_limit = S.cpu_limit = S.mem_guarantee = S.cpu_guarantee = None",
        "S.hub_connect_url = None",
        "S.pre_spawn_hook = S.auth_state_hook = S.apply_user_options = None",
        "S.environment = {'A': None}",
        "S.profile_list[0] = {'display_name': 'A', 'clusters': {'a': 1, 'b': 2}}",
    ],
)
def test_none_is_a_value_where_jupyterhub_takes_it(tmp_path: Path, extra: str) -> None:
    assert found(tmp_path, extra) == []
    assert run(tmp_path, "render", "--user", "ada", extra=extra) == 0


@pytest.mark.parametrize("way", ["cluster", "candidates"])
def test_a_cluster_that_a_function_chooses_is_no_mistake(tmp_path: Path, way: str) -> None:
    assert (
        found(
            tmp_path,
            "del S.profile_list[0]['cluster']\n"
            f"S.profile_list[0]['spawner_override'] = {{{way!r}: lambda _: 'a'}}",
        )
        == []
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("S.patchs = {}", "c.MultiClusterKubeSpawner: unknown trait 'patchs'. Did you mean 'patc"),
        (
            "c.MultiClusterUserSpawner.imge = 'x'",
            "c.MultiClusterUserSpawner: unknown trait 'imge'. Did you mean 'image'",
        ),
        (
            "S.clusters['a']['ingress_url'] = 'x'",
            "clusters['a']: unknown key 'ingress_url'. Did you mean 'ingress_public_url'",
        ),
        ("S.clusters['a']['context'] = 'ctx-aa'", "'ctx-aa'"),
        ("S.clusters['a']['backend'] = 'gkee'", "clusters['a']: unknown backend 'gkee'"),
        ("S.clusters['a']['namespace'] = 'No_Label'", "clusters['a'].namespace 'No_Label' is not"),
        ("S.clusters['a']['namespace'] = 'x-{{y}}'", "would be the same for all users"),
        (
            "S.clusters['a']['ingress_public_url'] = 'http://h/p'",
            "clusters['a']: ingress_public_url 'http://h/p' has a path",
        ),
        ("S.clusters['a']['route'] = 'ingres'", "Did you mean 'ingress'"),
        ("S.clusters['a']['route'] = 'httproute'", "clusters['a'].route_gateway is missing"),
        ("S.clusters['a']['labels'] = {'a': 1}", "clusters['a'].labels: "),
        ("del S.clusters['a']['ingress_public_url']", "cluster 'a' has no ingress_public_url"),
        ("S.clusters['a'] = 'ctx-a'", "clusters"),
        ("S.profile_list[0]['cluster'] = 'aa'", "unknown cluster 'aa'. Did you mean 'a'"),
        ("del S.profile_list[0]['cluster']", "no cluster is chosen"),
        ("S.profile_list[0]['spawner_override'] = {'imagee': 'x'}", "unknown trait 'imagee'"),
        ("S.profile_list[0]['spawner_override'] = {'mem_limit': 'much'}", "mem_limit"),
        ("S.profile_list[0]['spawner_override'] = {'port': 'x'}", "profile 'small'"),
        ("S.profile_list[1]['display_name'] = 'small'", "the same slug 'small'"),
        ("S.patches = {'01': 'kind: Pod\\nmetadata: {name: {{kee}}}'}", "patch '01' at line 2"),
        ("S.patches = {'01': 'kind: Pod\\nmetadata: {name: other}'}", "patch '01'"),
        ("S.objects.update({'00-secret': None})", "makes no Secret named 'jupyter-ada'"),
        ("S.objects.update({'09': 'kind: ConfigMap'})", "template '09'"),
        ("S.key_template = '{{user}}'", "key_template"),
        ("S.ready_check = 'htp'", "ready_check"),
        ("S.environment = {'MY VAR': 'x'}", "environment: 'MY VAR' cannot be a variable's name"),
        ("S.environment = {'A': 'x' * 131072}", "environment['A'] has 131075 bytes"),
        ("S.environment = {'A': '$(B)' * 40000}", "environment['A'] has 160003 bytes"),
        ("S.environment = {'A': lambda s: 'x' * 131072}", "environment['A'] has 131075 bytes"),
        ("S.environment = {str(n): 'x' * 130000 for n in range(9)}", "all values together"),
        ("S.profile_list[0] = {'display_name': 'A', 'clusters': ['a', 'bb']}", "'b'"),
        (
            (
                "o = {'choices': {'y': {'clusters': ['bb']}}}\n"
                "S.profile_list[0]['profile_options'] = {'o': o}"
            ),
            "unknown cluster 'bb'. Did you mean 'b'",
        ),
        (
            "S.profile_list[0] = {'display_name': 'A', 'spawner_override': {'candidates': 'a'}}",
            "profile_list[0]: spawner_override['candidates'] must be a list of clusters' names",
        ),
        (
            "S.profile_list[0] = {'display_name': 'A', 'clusters': {'a': 0, 'b': 0}}",
            "all weights are 0",
        ),
        ("S.clusters['a']['capacity'] = 7", "The 'capacity' trait"),
        ("S.quota = 'none'", "The 'quota' trait"),
    ],
)
def test_a_mistake_is_told_with_place_and_remedy(tmp_path: Path, extra: str, message: str) -> None:
    listed = found(tmp_path, extra)
    assert any(message in problem for problem in listed), listed


def test_a_bad_entry_of_the_profiles_hides_no_mistake_of_the_others(tmp_path: Path) -> None:
    extra = (
        "S.profile_list.insert(0, {'display_name': '🎉'})\nS.profile_list[1]['cluster'] = 'y'\n"
        "S.profile_list.append({'display_name': 'x', 'sluk': 'y'})"
    )
    listed = found(tmp_path, extra)
    for words in ("profile_list[0] needs a 'slug'", "cluster 'y'", "unknown key 'sluk'"):
        assert any(words in problem for problem in listed), listed


def test_a_key_without_effect_is_a_note_and_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    extra = "S.profile_list[0]['profile_options'] = {'o': {'choices': {'x': {'slug': 'y'}}}}"
    assert run(tmp_path, "check", "--offline", extra=extra) == 0
    out = capsys.readouterr().out
    assert "note: profile_list[0]['profile_options']['o']['choices']['x']: 'slug' has no" in out


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    extra = (
        "S.patchs = {}\nS.clusters['a']['context'] = 'x'\nS.profile_list[1]['cluster'] = 'y'\n"
        "S.patches = {'01': 'kind: Pod\\nmetadata: {name: {{kee}}}'}"
    )
    listed = found(tmp_path, extra)

    for words in ("trait 'patchs'", "context 'x'", "cluster 'y'", "unknown variable 'kee'"):
        assert any(words in problem for problem in listed), listed


def test_a_missing_kubeconfig_is_told_with_the_path_that_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    assert any("nowhere" in problem for problem in found(tmp_path, ""))


def test_a_secret_in_the_kubeconfig_is_in_no_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = "S.clusters['a']['context'] = 'x'"
    assert "t0ken" not in str(found(tmp_path, extra))


def test_the_last_line_of_a_configuration_may_check_it(tmp_path: Path) -> None:
    mcks.check_config(load(tmp_path, GOOD))
    with pytest.raises(ConfigError, match=r"unknown trait 'patchs'(.|\n)*unknown cluster 'y'"):
        mcks.check_config(
            load(tmp_path, GOOD + "S.patchs = {}\nS.profile_list[1]['cluster'] = 'y'")
        )


def run(directory: Path, *arguments: str, extra: str = "") -> int:
    load(directory, GOOD + extra)
    config = str(directory / "jupyterhub_config.py")
    command, *rest = arguments
    return main([command, "-f", config, *rest])


def test_the_command_lists_mistakes_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert run(tmp_path, "check", "--offline") == 0
    assert capsys.readouterr().out == "0 problems found\n"
    assert run(tmp_path, "check", "--offline", extra="S.patchs = {}") == 1
    assert capsys.readouterr().out.endswith("1 problem found\n")


def test_warnings_fail_only_if_they_are_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    short = "S.start_timeout = 20"
    assert run(tmp_path, "check", "--offline", extra=short) == 0
    out = capsys.readouterr().out
    assert out.startswith("warning: profile 'small' and 1 more: start_timeout is 20 seconds")
    assert out.endswith("0 problems and 1 warning found\n")
    assert run(tmp_path, "check", "--offline", "--strict", extra=short) == 1


def test_nothing_is_told_twice_and_other_logs_speak_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    before = logging.getLogger("traitlets").level
    assert run(tmp_path, "check", "--offline", extra="S.patchs = {}") == 1
    assert "patchs" not in capsys.readouterr().err
    assert logging.getLogger("traitlets").level == before


def test_github_gets_a_command_with_the_line_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    extra = "S.patchs = {}"
    assert run(tmp_path, "check", "--offline", "--format", "github", extra=extra) == 1
    line = len((GOOD + extra).splitlines())
    assert f"jupyterhub_config.py,line={line},title=MCKS012%3A" in capsys.readouterr().out


def test_a_configuration_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert main(["check", "--offline", "-f", str(tmp_path / "none.py")]) == 1
    assert "none.py" in capsys.readouterr().err


def test_render_prints_what_would_be_created_with_a_dummy_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert run(tmp_path, "render", "--user", "Ada", "--server", "gpu", "--profile", "large") == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [d["kind"] for d in documents] == [
        "Secret",
        "ServiceAccount",
        "Pod",
        "Service",
        "Ingress",
    ]
    assert {d["metadata"]["name"] for d in documents} == {"jupyter--41da--gpu"}
    assert documents[0]["stringData"]["JUPYTERHUB_API_TOKEN"] == "a-dummy-token"
    assert documents[0]["stringData"]["JUPYTERHUB_SERVER_NAME"] == "gpu"
    assert documents[0]["stringData"]["JUPYTERHUB_SERVICE_PREFIX"] == "/user/Ada/gpu/"
    assert documents[0]["stringData"]["JUPYTERHUB_SERVICE_URL"].endswith(":8888/user/Ada/gpu/")
    limits = documents[2]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "8589934592"}


@pytest.mark.parametrize(
    "extra",
    ["c.JupyterHub.base_url = '/jupyter/'", "c.JupyterHub.bind_url = 'http://:8000/jupyter'"],
)
def test_render_knows_where_the_hub_is_below_its_host(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any], extra: str
) -> None:
    assert run(tmp_path, "render", "--user", "ada", extra=extra) == 0
    secret, *_, ingress = yaml.safe_load_all(capsys.readouterr().out)
    environment = secret["stringData"]
    assert environment["JUPYTERHUB_SERVICE_PREFIX"] == "/jupyter/user/ada/"
    assert environment["JUPYTERHUB_BASE_URL"] == "/jupyter/"
    assert environment["JUPYTERHUB_API_URL"].endswith("/jupyter/hub/api")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/jupyter/user/ada/"


def test_render_shows_what_each_patch_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    patch = "kind: Pod\\nmetadata: {name: '{{key}}', labels: {team: x}}"
    extra = f'S.patches = {{"01-team": "{patch}"}}'
    assert run(tmp_path, "render", "--user", "ada", "--diff", extra=extra) == 0
    out = capsys.readouterr().out
    assert "after patch '01-team'" in out
    assert "+    team: x" in out


def test_render_fails_with_one_line_for_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert run(tmp_path, "render", "--user", "ada", "--profile", "huge") == 1
    err = capsys.readouterr().err
    assert err.startswith("mcks: unknown profile 'huge'")
    assert err.count("\n") == 1


def test_the_installed_backends_are_listed_with_their_settings(
    capsys: pytest.CaptureFixture[Any],
) -> None:
    assert main(["backends"]) == 0
    out = capsys.readouterr().out
    assert "generic-kubeconfig" in out
    assert "    context: " in out


@pytest.mark.parametrize(
    "extra",
    [
        "S.environment = ['PASSWORD=THESECRET']",
        "S.args = {'THESECRET': 1}",
        "S.profile_list[0]['spawner_override'] = {'environment': ['PASSWORD=THESECRET']}",
        "S.profile_list[0]['kubespawner_override'] = {'args': {'THESECRET': 1}}",
        "S.clusters['a']['labels'] = ['THESECRET']",
    ],
)
def test_no_value_that_may_be_secret_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str
) -> None:
    assert run(tmp_path, "check", "--offline", extra=extra) == 1
    run(tmp_path, "render", "--user", "ada", extra=extra)
    told = capsys.readouterr()
    assert " not the " in told.out
    assert "THESECRET" not in told.out + told.err
