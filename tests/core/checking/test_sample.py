"""A sample spawner is as a start's would be: its class, its user, where the hub is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jupyterhub.traitlets
import pytest
import yaml
from traitlets import Unicode
from traitlets.config import Config

import mcks
from mcks.core.checking.config_check import check
from mcks.core.checking.sample import Sample, sample_spawner, sections, spawner_class
from mcks.core.cli import main
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError
from tests.core import kubeconfigs

HUB = """
S = c.MultiClusterKubeSpawner
S.clusters = {"a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}}
"""
FUNCTIONS = """
import tornado.web
BROKEN = lambda spawner: 1 / 0
def refuse(spawner):
    raise tornado.web.HTTPError(403, "no quota")
"""


class Ours(MultiClusterKubeSpawner):
    site = Unicode(config=True)


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))


def mcks_does(directory: Path, extra: str, command: str, *arguments: str) -> int:
    (directory / "jupyterhub_config.py").write_text(HUB + extra)
    return main([command, "-f", str(directory / "jupyterhub_config.py"), *arguments])


def environment(out: str) -> dict[str, str]:
    secret: dict[str, Any] = next(iter(yaml.safe_load_all(out)))
    return dict(secret["stringData"])


# -- the class -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "cls"),
    [
        ("mcks", MultiClusterKubeSpawner),
        ("mcks.core.spawner.MultiClusterKubeSpawner", MultiClusterKubeSpawner),
        (Ours, Ours),
        (f"{__name__}.Ours", Ours),
        ("simple", MultiClusterKubeSpawner),
        ("kubespawner.KubeSpawner", MultiClusterKubeSpawner),
    ],
)
def test_the_configured_class_is_found_however_it_is_named(said: Any, cls: type) -> None:
    config = Config()
    config.JupyterHub.spawner_class = said
    found = spawner_class(config)
    assert found is cls or (found.__name__ == cls.__name__ == "Ours")
    assert type(sample_spawner(config, "ada")) is found


def test_packages_are_looked_through_once_for_all_configurations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config()
    config.JupyterHub.spawner_class = "mcks"
    assert spawner_class(config) is MultiClusterKubeSpawner
    monkeypatch.setattr(jupyterhub.traitlets, "entry_points", lambda **_: pytest.fail("again"))
    assert spawner_class(config) is MultiClusterKubeSpawner


def test_a_sample_beside_another_has_the_same_hub_and_a_user_of_its_own() -> None:
    config = Config()
    config.JupyterHub.hub_connect_url = "https://hub.example.org"
    one = Sample(config, "ada", ["staff"])
    whole = Config(config)
    whole.Spawner.http_timeout = 77
    other = one.beside(whole, "grace", userid=2)
    assert other.hub_listens_at() == one.hub_listens_at()
    assert (one.spawner().http_timeout, other.spawner().http_timeout) == (30, 77)
    assert (one.spawner().user.name, other.spawner().user.name) == ("ada", "grace")
    assert [group.name for group in one.spawner().user.groups] == ["staff"]
    assert [*other.spawner().user.groups] == []
    assert other.spawner().user.id == 2


def test_without_a_word_it_is_ours() -> None:
    assert spawner_class(Config()) is MultiClusterKubeSpawner


def test_a_class_that_cannot_be_imported_is_a_problem() -> None:
    config = Config()
    config.JupyterHub.spawner_class = "no_such_module.Spawner"
    with pytest.raises(ConfigError, match=r"c.JupyterHub.spawner_class: .*no_such_module"):
        spawner_class(config)
    problem, _no_cluster = check(config).problems
    assert problem.startswith("c.JupyterHub.spawner_class: ")


def test_a_subclass_has_sections_and_traits_of_its_own() -> None:
    config = Config()
    config.JupyterHub.spawner_class = Ours
    config.Ours.site = "x"
    config.Ours.clusters = {"a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}}
    assert check(config).problems == []
    assert sample_spawner(config, "ada").site == "x"
    assert sections(Ours)[:2] == ["Ours", "MultiClusterKubeSpawner"]
    config.Ours.sitte = "x"
    config.Ours.profile_list = [{"display_name": "x", "spawner_override": {"site": "y"}}]
    (problem,) = check(config).problems
    assert problem.startswith("c.Ours: unknown trait 'sitte'. Did you mean 'site'")


def test_the_commands_look_at_a_subclass_of_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = """
from mcks.core.spawner import MultiClusterKubeSpawner
class Own(MultiClusterKubeSpawner):
    def get_env(self):
        return {**super().get_env(), "OWN": "yes"}
c.JupyterHub.spawner_class = Own
c.Own.image = "own:1"
c.Own.imge = "x"
"""
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 0
    out = capsys.readouterr().out
    assert environment(out)["OWN"] == "yes"
    assert "image: own:1" in out
    assert mcks_does(tmp_path, extra, "check", "--offline") == 1
    assert "c.Own: unknown trait 'imge'" in capsys.readouterr().out


# -- the user --------------------------------------------------------------------------------


def test_the_sample_user_has_what_a_user_has() -> None:
    spawner = Sample(Config(), "ada", ["staff", "gpu"]).spawner(servername="x")
    user = spawner.user
    assert [group.name for group in user.groups] == ["staff", "gpu"]
    assert [group.properties for group in user.groups] == [{}, {}]
    assert (user.name, user.id, user.admin) == ("ada", 1, False)
    assert (user.url, user.server_url("x")) == ("/user/ada/", "/user/ada/x/")
    assert user.created is not None
    assert user.settings["base_url"] == "/"
    assert set(user.orm_user.orm_spawners) == {"", "x"}
    assert asyncio.run(user.get_auth_state()) is None
    assert spawner.oauth_client_id == "jupyterhub-user-ada-x"


READS = """
def groups(spawner):
    return ",".join(sorted(group.name for group in spawner.user.groups)) or "none"
S.environment = {"GROUPS": groups, "ADMIN": lambda s: str(s.user.admin), "PLAIN": "x"}
"""


def test_functions_may_read_the_users_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, said in (([], "none"), (["--group", "b", "--group", "a"], "a,b")):
        assert mcks_does(tmp_path, READS, "render", "--user", "ada", *given) == 0
        assert environment(capsys.readouterr().out)["GROUPS"] == said
        assert mcks_does(tmp_path, READS, "check", "--offline", *given) == 0
        assert capsys.readouterr().out.endswith("\n0 problems and 2 warnings found\n")


def test_groups_decide_profiles_and_overrides_of_a_render(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = """
S.group_overrides = {"1": {"groups": ["b"], "spawner_override": {"environment": {"G": "b"}}}}
S.profile_list = [{"display_name": "B", "allowed_groups": ["b"]}]
"""
    assert mcks_does(tmp_path, extra, "render", "--user", "ada", "--group", "b") == 0
    assert environment(capsys.readouterr().out)["G"] == "b"
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 1
    assert capsys.readouterr().err == "mcks: none of the profiles is open to 'ada'\n"


FAILS = """
def token(spawner):
    return spawner.userdata["token"]
S.environment = {"TOKEN": token, "PLAIN": "x"}
"""


def test_a_function_that_wants_a_real_login_is_named_and_the_rest_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (
        "environment['TOKEN']: the function token raised AttributeError: "
        "'MultiClusterKubeSpawner' object has no attribute 'userdata' "
        "(jupyterhub_config.py, line 6)"
    )
    assert mcks_does(tmp_path, FAILS, "render", "--user", "ada") == 0
    said = capsys.readouterr()
    assert said.err == f"mcks: {line}: it is left out here\n"
    shown = environment(said.out)
    assert shown["PLAIN"] == "x"
    assert "TOKEN" not in shown
    assert mcks_does(tmp_path, FAILS, "check", "--offline") == 0
    assert line in capsys.readouterr().out
    assert mcks_does(tmp_path, FAILS, "check", "--offline", "--json") == 0
    assert f'"{line}' in capsys.readouterr().out


def test_a_function_that_wants_a_real_login_does_not_keep_the_hub_from_loading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}
    }
    config.MultiClusterKubeSpawner.environment = {"T": lambda spawner: spawner.userdata["t"]}
    mcks.check_config(config)
    assert "environment['T']: the function" in caplog.text


def test_an_async_function_in_the_environment_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = "async def later(s): return 'x'\nS.environment = {'A': later}"
    assert mcks_does(tmp_path, extra, "check", "--offline") == 1
    assert "- environment['A']: the function later is async" in capsys.readouterr().out
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("S.profile_list = lambda s: s.user.nope", "profile_list: the function <lambda> raised"),
        (
            "S.profile_list = [{'display_name': 'x', 'spawner_override': {'image': BROKEN}}]",
            "profile 'x': spawner_override: image: the function <lambda> raised ZeroDivision",
        ),
        (
            "S.profile_list = [{'display_name': 'x', 'allow': lambda s: 1/0}]",
            "mcks: none of the profiles is open to 'ada'",
        ),
        ("S.group_overrides = lambda s: 1/0", "group_overrides: the function <lambda> raised"),
        (
            "S.profile_list = refuse",
            "a function of the configuration refuses the start: HTTP 403: Forbidden (no quota)",
        ),
    ],
)
def test_any_other_function_that_fails_is_one_line_of_a_render(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str, words: str
) -> None:
    extra = FUNCTIONS + extra
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 1
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert mcks_does(tmp_path, extra, "check", "--offline") == 0


def test_a_subclass_that_wants_a_real_login_is_named_as_a_function_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = """
from mcks.core.spawner import MultiClusterKubeSpawner
class Own(MultiClusterKubeSpawner):
    def get_env(self):
        return {**super().get_env(), "TOKEN": self.userdata["token"]}
c.JupyterHub.spawner_class = Own
"""
    line = "get_env: the function Own.get_env raised AttributeError: 'Own' object has no attribute"
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 1
    err = capsys.readouterr().err
    assert err.startswith(f"mcks: {line}")
    assert err.count("\n") == 1
    assert mcks_does(tmp_path, extra, "check", "--offline") == 0
    assert f"note: {line}" in capsys.readouterr().out


# -- where the hub is ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "url"),
    [
        ("", "http://127.0.0.1:8081/hub/api"),
        (
            "c.JupyterHub.hub_connect_url = 'http://h.example.org:81'",
            "http://h.example.org:81/hub/",
        ),
        ("c.JupyterHub.hub_ip = '192.0.2.9'; c.JupyterHub.hub_port = 5", "http://192.0.2.9:5/hub/"),
        ("c.JupyterHub.hub_bind_url = 'http://192.0.2.9:7'", "http://192.0.2.9:7/hub/api"),
        ("c.JupyterHub.hub_connect_ip = 'hub'", "http://hub:8081/hub/api"),
        (
            "c.JupyterHub.hub_connect_url = 'http://h'; c.JupyterHub.base_url = '/x/'",
            "http://h/x/hub/api",
        ),
        ("c.Spawner.hub_connect_url = 'http://s.example.org'", "http://s.example.org/hub/api"),
        (
            "c.Spawner.hub_connect_url = 'http://s'; S.clusters['a']['hub_connect_url'] = 'https://a'",
            "https://a/hub/api",
        ),
    ],
)
def test_render_shows_the_hubs_url_that_a_start_sends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str, url: str
) -> None:
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 0
    shown = environment(capsys.readouterr().out)
    assert shown["JUPYTERHUB_API_URL"].startswith(url)
    assert shown["JUPYTERHUB_ACTIVITY_URL"].startswith(shown["JUPYTERHUB_API_URL"] + "/users/ada")


def test_render_knows_the_users_host_where_each_has_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = "c.JupyterHub.subdomain_host = 'https://hub.example.org'"
    assert mcks_does(tmp_path, extra, "render", "--user", "ada") == 0
    *_, ingress = yaml.safe_load_all(capsys.readouterr().out)
    assert ingress["spec"]["rules"][0]["host"] == "ada.hub.example.org"


def test_check_tells_that_internal_ssl_cannot_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mcks_does(tmp_path, "c.JupyterHub.internal_ssl = True", "check", "--offline") == 1
    assert "JupyterHub.internal_ssl cannot work" in capsys.readouterr().out


def test_what_is_installed_elsewhere_is_not_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = "c.JupyterHub.authenticator_class = 'not_installed_here.Authenticator'"
    assert mcks_does(tmp_path, extra, "check", "--offline") == 0
    assert capsys.readouterr().out.endswith("\n0 problems and 2 warnings found\n")


@pytest.mark.parametrize(
    ("setting", "named"),
    [('mem_limit = "much"', "much"), ("cmd = []", "cmd"), ("environment = 1", "environment")],
)
@pytest.mark.parametrize("command", [["check", "--offline"], ["render", "--user", "ada"], ["gc"]])
def test_a_setting_of_a_wrong_kind_is_a_line_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], setting: str, named: str
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(f"c.Spawner.{setting}\n")
    assert main([*command, "-f", str(file)]) == 1
    assert named in "".join(capsys.readouterr())
