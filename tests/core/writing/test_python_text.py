"""Source of values that is the same values when it is run; functions are called by names."""

from __future__ import annotations

import math
import os.path
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kubernetes_asyncio.client.models import V1EmptyDirVolumeSource, V1Volume

from mcks.core.writing.python_text import Names, source
from mcks.core.writing.yaml_text import commented

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.sets(SCALARS, max_size=2)
        | st.frozensets(SCALARS, max_size=2)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
)


def run(text: str, names: Names) -> Any:
    return eval(text, names.bound())


@given(VALUES)
def test_any_plain_value_comes_back(value: Any) -> None:
    names = Names()
    assert run(source(value, names, "p"), names) == value


def test_numbers_that_are_none_come_back() -> None:
    names = Names()
    assert math.isnan(run(source(math.nan, names, "p"), names))
    assert run(source([math.inf, -math.inf], names, "p"), names) == [math.inf, -math.inf]


def test_a_model_is_a_dict_as_kubernetes_writes_it() -> None:
    volume = V1Volume(name="v", empty_dir=V1EmptyDirVolumeSource(size_limit="1Gi"))
    text = source([volume], Names(), "p")
    assert eval(text) == [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]


def test_a_template_is_a_block_with_its_words_above() -> None:
    template = commented('kind: Pod\nx: "a\\tb"\ny: \'"""\'\n', ["uid", "gid"])
    text = source({"k": template}, Names(), "p")
    assert "    # uid, gid\n" in text
    (line, *_, last) = eval(text)["k"].split("\n")[1:]
    assert (line.strip(), last.strip()) == ("kind: Pod", "")
    assert 'x: "a\\tb"' in eval(text)["k"]


def test_functions_are_called_by_the_names_that_they_have() -> None:
    names = Names()
    assert source(os.path.join, names, "p") == "join"
    assert list(names.imports) == ["from posixpath import join"]
    space: dict[str, Any] = {}
    exec("def mine(): return 5\nother = [lambda: 6]", space)
    assert source([space["mine"], space["mine"]], names, "p") == "[mine, mine]"
    assert run("mine()", names) == 5
    assert list(names.wanted()) == []


def test_what_has_no_name_gets_one_of_its_place_and_is_wanted() -> None:
    names = Names()
    space: dict[str, Any] = {}
    exec(compile("made = [lambda: 6, lambda: 7]", "/x/hub.py", "exec"), space)
    first, second = space["made"]
    text = source({"allow it": [first, second]}, names, "profile_list")
    assert text == '{"allow it": [profile_list_allow_it_0, profile_list_allow_it_1]}'
    assert next(names.wanted()) == (
        "profile_list_allow_it_0: the function in hub.py, line 1, has no name of its own: give it "
        "this one, above this piece"
    )
    assert source(partial(int), names, "p") == "p"
    assert [one() for one in run(text, names)["allow it"]] == [6, 7]
