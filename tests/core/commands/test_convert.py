"""``mcks convert`` prints what can be kept, and says by its exit code what is left to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mcks.core.cli import main
from mcks.core.conversion.sameness import comparable
from mcks.core.objects import Manifest
from tests.core import kubeconfigs

CONFIG = """
import os
c.JupyterHub.hub_connect_url = "https://hub.example.org"
c.JupyterHub.spawner_class = "mcks"
c.JupyterHub.cookie_secret = b"never-printed"
c.Authenticator.admin_users = {"never-printed"}
c.MultiClusterKubeSpawner.read_kubespawner = True
c.MultiClusterKubeSpawner.clusters = {
    "c": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1", "hub_connect_url": "http://h.i"}
}

def token_of(spawner):
    return "t"

c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "10Gi"
c.KubeSpawner.environment = {"WHO": "{username}", "TOKEN": token_of, "PLAIN": "p"}
c.KubeSpawner.profile_list = [
    {"display_name": "GPU", "kubespawner_override": {"node_selector": {"gpu": "yes"}}},
]
"""
VALUES = """
proxy:
  secretToken: never-printed
hub:
  config:
    JupyterHub:
      spawner_class: mcks
    MultiClusterKubeSpawner:
      read_kubespawner: true
      clusters:
        west: {context: ctx-a, ingress_public_url: "https://west.example.org"}
  extraConfig:
    10-labels: |
      from z2jh import get_config
      c.KubeSpawner.extra_annotations = {"example.org/path": get_config("singleuser.defaultUrl")}
singleuser:
  defaultUrl: /lab
  image: {name: example.org/lab, tag: "2026"}
  networkTools: {image: {tag: "4.4.0"}}
  memory: {limit: 2G, guarantee: 1G}
  nodeSelector: {disk: ssd}
  extraEnv: {GREETING: "hello {username}"}
  storage:
    capacity: 20Gi
    extraVolumes: [{name: shm, emptyDir: {medium: Memory}}]
    extraVolumeMounts: [{name: shm, mountPath: /dev/shm}]
  profileList:
    - display_name: Small
      default: true
    - display_name: Large
      kubespawner_override: {mem_limit: 8G, tolerations: [{key: big, operator: Exists}]}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def converted(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["convert", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def objects_in(text: str) -> dict[str, Manifest]:
    return comparable(list(yaml.safe_load_all(text)))


def flat(text: str) -> str:
    return " ".join(text.replace("\n#", " ").split())


def test_a_piece_at_the_end_of_the_file_passes_the_check(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "jupyterhub_config.py"
    path.write_text(CONFIG)
    code, piece, _ = converted(capsys)
    assert code == 0
    path.write_text(CONFIG + piece)
    assert main(["check", "--offline"]) == 0
    told = capsys.readouterr().out
    assert "0 problems and 1 warning found" in told
    assert "c.KubeSpawner: nobody reads this section" in told
    assert "read_kubespawner = True to have that section read" in told  # it may go now


def test_the_file_without_kubespawners_section_makes_the_same(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "jupyterhub_config.py"
    path.write_text(CONFIG)
    _, piece, _ = converted(capsys)
    render = ["render", "--user", "Ada@example.org", "--server", "x", "--profile", "gpu"]
    assert main(render) == 0
    before = objects_in(capsys.readouterr().out)
    lines = [line for line in CONFIG.splitlines() if "read_kubespawner" not in line]
    kept = "\n".join(lines).partition("c.KubeSpawner")[0]
    path.write_text(kept + piece)
    assert main(render) == 0
    assert objects_in(capsys.readouterr().out) == before
    assert main(["check", "--offline"]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


def test_nothing_of_other_sections_is_printed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "jupyterhub_config.py").write_text(CONFIG)
    (place / "values.yaml").write_text(VALUES)
    for arguments in ((), ("--values", "values.yaml")):
        _, piece, _ = converted(capsys, *arguments)
        assert "never-printed" not in piece
        assert "ctx-a" not in piece


def test_the_check_compares_and_is_content(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "jupyterhub_config.py").write_text(CONFIG)
    assert converted(capsys, "--check")[:2] == (
        0,
        "4 servers compared, 0 servers differ, 0 things to do by hand\n",
    )


def test_what_differs_is_shown_as_a_diff_without_secrets(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "c.KubeSpawner.uid = lambda spawner: 1234\n"
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, told, _ = converted(capsys, "--check")
    assert code == 1
    assert told.startswith("- c.KubeSpawner.uid is a function: what it gives is not known")
    assert "--- Pod jupyter-ada before (user ada, profile gpu)" in told
    assert "-      runAsUser: 1234" in told
    assert told.endswith("4 servers compared, 4 servers differ, 1 thing to do by hand\n")
    assert "a-dummy-token" not in told


def test_what_is_left_is_told_at_the_top_and_by_the_exit_code(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "c.KubeSpawner.pre_spawn_hook = lambda spawner: None\nc.KubeSpawner.nodeselector = {}\n"
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, piece, errors = converted(capsys)
    assert code == 1
    assert "2 things to do by hand" in errors
    head = flat(piece.partition("c.MultiClusterKubeSpawner")[0])
    assert "- c.KubeSpawner.nodeselector is no trait: did you mean 'node_selector'?" in head
    assert "- pre_spawn_hook: the function in jupyterhub_config.py, line 21, has no name" in head
    assert "c.MultiClusterKubeSpawner.pre_spawn_hook = pre_spawn_hook" in piece
    assert '"TOKEN": token_of' in piece


def test_a_hub_of_kubespawner_itself_can_be_converted(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"\nc.KubeSpawner.uid = 5\n'
    (place / "plain.py").write_text(text)
    code, piece, _ = converted(capsys, "-f", "plain.py")
    assert code == 0
    assert 'c.JupyterHub.spawner_class = "mcks"' in piece
    assert "c.MultiClusterKubeSpawner.clusters is still to be said" in piece
    assert "read_kubespawner" not in piece.partition("\n\n")[2]
    assert converted(capsys, "-f", "plain.py", "--check")[0] == 0


def test_a_spawner_class_of_their_own_is_left_to_do(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
from kubespawner import KubeSpawner
class Mine(KubeSpawner): pass
c.JupyterHub.spawner_class = Mine
c.KubeSpawner.uid = 5
"""
    (place / "plain.py").write_text(text)
    code, piece, _ = converted(capsys, "-f", "plain.py")
    assert code == 1
    assert "c.JupyterHub.spawner_class is the class Mine" in piece


def test_the_section_of_a_class_made_of_kubespawner_is_converted_also_if_it_is_not_here(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'c.JupyterHub.spawner_class = "mine.MyKubeSpawner"\nc.MyKubeSpawner.uid = 4321\n'
    (place / "plain.py").write_text(text)
    _, piece, _ = converted(capsys, "-f", "plain.py")
    assert "runAsUser: 4321" in piece
    _, told, _ = converted(capsys, "-f", "plain.py", "--check")
    assert told.endswith("0 servers differ, 1 thing to do by hand\n")


def test_profiles_alone_are_converted_without_kubespawners_defaults(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.partition("def token_of")[0].replace("read_kubespawner = True", "hub_id = 'h'")
    override = "{'display_name': 'x', 'kubespawner_override': {'uid': 5}}"
    text += f"c.MultiClusterKubeSpawner.profile_list = [{override}]\n"
    (place / "jupyterhub_config.py").write_text(text)
    code, piece, _ = converted(capsys)
    assert code == 0
    assert "key_template" not in piece
    assert "runAsUser: 5" in piece
    assert converted(capsys, "--check")[0] == 0


def test_values_of_the_chart_are_converted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "values.yaml").write_text(VALUES)
    code, piece, _ = converted(capsys, "--values", "values.yaml")
    assert code == 0
    for line in (
        'c.MultiClusterKubeSpawner.image = "example.org/lab:2026"',
        "storage: 20Gi",
        "example.org/path: /lab",
        "runAsUser: 1000",
        "- name: block-cloud-metadata",
        'GREETING: "hello {{safe_username}}"',
    ):
        assert line in piece
    assert "kubespawner_override" not in piece
    code, told, _ = converted(capsys, "--values", "values.yaml", "--check")
    assert (code, told) == (0, "8 servers compared, 0 servers differ, 0 things to do by hand\n")


def test_extra_configuration_that_cannot_run_here_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = "    20-x: |\n      import os\n      os.environ['NO_SUCH_VARIABLE']\nsingleuser:"
    (place / "values.yaml").write_text(VALUES.replace("singleuser:", broken, 1))
    code, piece, _ = converted(capsys, "--values", "values.yaml")
    assert code == 1
    told = "hub.extraConfig['20-x'] cannot run here (KeyError: 'NO_SUCH_VARIABLE')"
    assert told in flat(piece)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there are no values values.yaml: name them with --values FILE"),
        ("singleuser:\n\tx: y\n", "values.yaml, line 2: found character"),
        ("a: b\n", "values.yaml has neither 'singleuser' nor 'hub'"),
        ("singleuser: [1]\n", "values.yaml: 'singleuser' must be a mapping"),
        ("singleuser: {storage: 5}\n", "the values are not as the chart wants them"),
        ("hub: {extraConfig: [1]}\n", "hub.extraConfig must be a mapping"),
        ("hub: {config: {KubeSpawner: {uid: x}}}\n", "uid"),
    ],
)
def test_wrong_values_are_told_with_their_place(
    place: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    if text is not None:
        (place / "values.yaml").write_text(text)
    code, out, errors = converted(capsys, "--values", "values.yaml")
    assert (code, out) == (1, "")
    assert errors.startswith("mcks: ")
    assert told in errors


def test_a_missing_file_and_two_sources_are_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert converted(capsys)[0] == 1
    with pytest.raises(SystemExit) as ended:
        main(["convert", "-f", "x.py", "--values", "v.yaml"])
    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_itself_can_be_redirected_into_a_file(place: Path) -> None:
    (place / "jupyterhub_config.py").write_text("print('noise')\n" + CONFIG)
    command = [sys.executable, "-c", "from mcks.core.cli import main; raise SystemExit(main())"]
    ran = subprocess.run([*command, "convert"], capture_output=True, text=True, check=True)
    compile(ran.stdout, "piece", "exec")
    assert "noise" not in ran.stdout


def test_a_hub_and_profiles_with_their_own_words_keep_them(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = """
pod = "kind: Pod\\nmetadata: {name: '{{key}}'}\\nspec: {nodeSelector: {own: 'yes'}}\\n"
c.MultiClusterKubeSpawner.patches = {"00-a": pod}
c.MultiClusterKubeSpawner.resources = {"00-hub-claim-of-mine": None}
c.MultiClusterKubeSpawner.cmd = ["start.sh"]
c.MultiClusterKubeSpawner.environment = {"BRACES": "{{}}", "MINE": "{servername}"}
c.KubeSpawner.profile_list += [
    {"display_name": "Own", "spawner_override": {"cmd": ["own.sh"], "environment": {"MINE": "{"}}},
]
"""
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, piece, _ = converted(capsys)
    assert code == 0
    assert '"!00-hub-01-pod"' in piece
    code, told, _ = converted(capsys, "--check")
    assert (code, told) == (0, "8 servers compared, 0 servers differ, 0 things to do by hand\n")


def test_words_of_groups_are_left_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = """
group = {"groups": ["g"], "spawner_override": {"node_selector": {"a": "b"}, "mem_limit": "1G"}}
c.KubeSpawner.group_overrides = {"01": group}
"""
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, piece, _ = converted(capsys)
    assert code == 1
    assert "- group_overrides['01']: node_selector: it applies before the patches" in flat(piece)


def test_hooks_of_kubespawner_are_left_to_do_and_the_rest_is_compared(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "async def hook(spawner, pod):\n    return pod\nc.KubeSpawner.modify_pod_hook = hook\n"
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, told, _ = converted(capsys, "--check")
    assert code == 1
    assert told.startswith("- c.KubeSpawner.modify_pod_hook is a function, and is not called any")
    assert told.endswith("4 servers compared, 0 servers differ, 1 thing to do by hand\n")


def test_a_function_that_lists_profiles_is_left_to_do(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "def listed(spawner):\n    return []\nc.KubeSpawner.profile_list = listed\n"
    (place / "jupyterhub_config.py").write_text(CONFIG + more)
    code, piece, _ = converted(capsys)
    assert code == 1
    assert "- profile_list is a function, which is called as before." in piece
    assert "c.MultiClusterKubeSpawner.profile_list = listed" in piece


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_names_in_profiles_that_nobody_has_are_left_to_do(
    place: Path, capsys: pytest.CaptureFixture[str], check: tuple[str, ...]
) -> None:
    config = place.with_name("names.py")
    config.write_text(
        CONFIG + 'c.KubeSpawner.profile_list[0]["kubespawner_override"]["nope"] = 1\n'
    )
    assert main(["convert", "-f", str(config), *check]) == 1
    printed = " ".join(capsys.readouterr().out.replace("\n#", "").split())
    assert "profile 'gpu': kubespawner_override: unknown trait 'nope'" in printed
    if check:
        assert "0 servers differ, 1 thing to do by hand" in printed


def test_what_kubespawner_would_not_take_either_is_an_error(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more, told in (
        ("c.KubeSpawner.extra_labels = {'a': '{nobody}'}", "unknown field '{nobody}'"),
        ("c.KubeSpawner.uid = 'x'", "uid"),
        ("c.KubeSpawner.storage_capacity = None", "storage_capacity is not"),
    ):
        (place / "jupyterhub_config.py").write_text(CONFIG + more)
        code, out, errors = converted(capsys)
        assert (code, out) == (1, "")
        assert told in errors
