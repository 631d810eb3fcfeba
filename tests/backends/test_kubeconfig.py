"""Kubeconfig files are read and merged as kubectl does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcks.backends.kubeconfig import load
from mcks.errors import ConfigError
from tests.core.calls import counted

Write = Callable[..., Path]
ONE = """
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster: {server: "https://one.example.test", certificate-authority: pki/ca.crt}
contexts:
- name: one
  context: {cluster: c, user: u, namespace: ns}
- name: shared
  context: {cluster: c, user: u}
users:
- name: u
  user: {token: from-one}
"""
TWO = """
current-context: two
clusters:
- name: c
  cluster: {server: "https://two.example.test"}
- name: d
  cluster: {server: "https://d.example.test"}
contexts:
- name: two
  context: {cluster: d, user: u}
- name: shared
  context: {cluster: d}
users:
- name: u
  user: {token: from-two}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "config") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_the_current_context_is_the_default(write: Write) -> None:
    context = load([write(ONE)]).context()
    assert context.name == "one"
    assert context.namespace == "ns"
    assert context.cluster.text("server") == "https://one.example.test"
    assert context.user is not None
    assert context.user.text("token") == "from-one"


def test_the_first_file_wins_name_by_name(write: Write) -> None:
    merged = load([write(ONE, "1"), write(TWO, "2")])
    assert merged.context().name == "one"
    two = merged.context("two")
    assert two.cluster.text("server") == "https://d.example.test"
    assert two.user is not None
    assert two.user.text("token") == "from-one", "u is defined in the first file"
    assert merged.context("shared").cluster.name == "c"
    assert merged.contexts() == ["one", "shared", "two"]


def test_the_current_context_of_a_later_file_counts_if_the_first_has_none(write: Write) -> None:
    first = write(ONE.replace("current-context: one", 'current-context: ""'), "1")
    assert load([first, write(TWO, "2")]).context().name == "two"


def test_missing_files_of_a_list_are_left_out(write: Write, tmp_path: Path) -> None:
    merged = load([tmp_path / "none", write(ONE)], skip_missing=True)
    assert merged.files == (tmp_path / "config",)


def test_a_missing_file_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none cannot be read: No such file"):
        load([tmp_path / "none"])


def test_relative_paths_are_relative_to_the_file_that_names_them(
    write: Write, tmp_path: Path
) -> None:
    write("CA", "sub/pki/ca.crt")
    merged = load([write(TWO.replace("name: c", "name: x"), "2"), write(ONE, "sub/1")])
    cluster = merged.context("one").cluster
    assert cluster.path("certificate-authority") == tmp_path / "sub/pki/ca.crt"
    assert cluster.data("certificate-authority") == b"CA"


def test_inline_data_wins_over_a_file(write: Write) -> None:
    text = ONE.replace("pki/ca.crt", 'pki/ca.crt, certificate-authority-data: "REFUQQ=="')
    assert load([write(text)]).context().cluster.data("certificate-authority") == b"DATA"


def test_a_file_that_cannot_be_read_is_named_with_its_key(write: Write) -> None:
    cluster = load([write(ONE)]).context().cluster
    with pytest.raises(ConfigError, match=r"clusters\[c\].certificate-authority: .*ca.crt cannot"):
        cluster.data("certificate-authority")


def test_data_that_is_not_base64_is_said(write: Write) -> None:
    text = ONE.replace("pki/ca.crt", 'x, certificate-authority-data: "a"')
    with pytest.raises(ConfigError, match="certificate-authority-data is not base64"):
        load([write(text)]).context().cluster.data("certificate-authority")


def test_an_unknown_context_names_file_contexts_and_the_nearest(write: Write) -> None:
    path = write(ONE)
    with pytest.raises(ConfigError, match="Did you mean 'shared'") as failure:
        load([path]).context("shred")
    assert str(path) in str(failure.value)
    assert "Known: one, shared" in str(failure.value)


def test_a_context_without_its_user_or_cluster_is_an_error(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"contexts\[one\].user: unknown user 'nobody'"):
        load([write(ONE.replace("user: u, n", "user: nobody, n"))]).context()
    with pytest.raises(ConfigError, match="unknown cluster 'z'"):
        load([write(ONE.replace("cluster: c, user: u, n", "cluster: z, user: u, n"))]).context()
    with pytest.raises(ConfigError, match="names no cluster"):
        load([write(ONE.replace("cluster: c, user: u, n", "n"))]).context()


def test_a_cluster_without_a_server_is_an_error(write: Write) -> None:
    text = ONE.replace('server: "https://one.example.test", ', "")
    with pytest.raises(ConfigError, match=r"clusters\[c\] has no server"):
        load([write(text)]).context()


def test_no_user_means_anonymous(write: Write) -> None:
    text = ONE.replace("cluster: c, user: u, n", "cluster: c, n")
    assert load([write(text)]).context().user is None


def test_without_a_current_context_one_must_be_chosen(write: Write) -> None:
    text = ONE.replace("current-context: one\n", "")
    with pytest.raises(ConfigError, match="set context to one of: one, shared"):
        load([write(text)]).context()


def test_broken_yaml_is_told_with_its_line_and_without_its_text(write: Write) -> None:
    path = write("users:\n- name: u\n  user: {token: SECRET\n- x: [SECRET\n")
    with pytest.raises(ConfigError, match=r"config, line \d+: ") as failure:
        load([path])
    assert "SECRET" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "must be a mapping with clusters"),
        ("clusters: x", "clusters must be a list"),
        ("clusters: [{cluster: {}}]", r"clusters\[0\] has no name"),
        ("clusters: [x]", r"clusters\[0\] has no name"),
        ("users: [{name: 1}]", r"users\[0\] has no name, or one that is no string"),
        ("users: [{name: u, user: x}]", r"users\[u\] must be a mapping"),
        ("users: [{name: u}, {name: u}]", r"users\[u\] is there twice"),
        ("a: \x07", "is not valid YAML"),
    ],
)
def test_what_is_no_kubeconfig_is_told_by_path(write: Write, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load([write(text)])


def test_an_empty_file_has_no_contexts(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"\(none\)"):
        load([write("")]).context()


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load([tmp_path / "config"])


def test_values_of_a_wrong_type_are_named_and_not_shown(write: Write) -> None:
    user = load([write(ONE.replace("token: from-one", "token: 123456, as: [x]"))]).context().user
    assert user is not None
    with pytest.raises(ConfigError, match=r"users\[u\].token must be a string \(quote it\)") as e:
        user.text("token")
    assert "123456" not in str(e.value)
    with pytest.raises(ConfigError, match="as must be true or false"):
        user.flag("as")
    with pytest.raises(ConfigError, match="must be a mapping"):
        user.mapping("as")
    with pytest.raises(ConfigError, match="must be a list of strings"):
        user.texts("token")
    assert "from-one" not in repr(load([write(ONE)]).context())


def test_json_is_read_too(write: Write) -> None:
    text = (
        '{"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c"}}],'
        ' "clusters": [{"name": "c", "cluster": {"server": "https://c"}}]}'
    )
    assert load([write(text)]).context().cluster.text("server") == "https://c"


def test_a_file_is_parsed_once_for_all_its_contexts_and_anew_when_it_changes(write: Write) -> None:
    file = write(ONE)
    load([file])
    with counted() as calls:
        again = load([file, write(ONE, "other")])
    assert calls.count("_entries") == 3, "the other file's, which is another place"
    with counted() as calls:
        assert load([file]).context("shared").user == again.context("shared").user
    assert "_entries" not in calls
    edited = load([write(ONE.replace("from-one", "renewed"))]).context("one").user
    assert edited is not None
    assert edited.text("token") == "renewed"
