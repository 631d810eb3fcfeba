"""What users should know of clusters before they choose one."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.clusters.cluster import Cluster
from mcks.core.clusters.pool import Pool
from mcks.core.placement.news import News, sentences
from mcks.errors import ConfigError
from tests.fakes.loopback import AT_ONCE, FakeAPIServer

LOG = logging.getLogger("test.news")
QUOTAS = "/api/v1/namespaces/jhub/resourcequotas"


def settings(**more: Any) -> dict[str, Any]:
    return {"namespace": "jhub", "ingress_public_url": "http://192.0.2.1", **more}


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(Config(), LOG)
    pool.deadlines = AT_ONCE
    yield pool
    await pool.close()


@pytest.fixture
async def news(pool: Pool) -> AsyncIterator[News]:
    news = News(pool, lambda name, _: "away." if name == "away" else "", LOG)
    yield news
    await news.capacity.close()


async def told_of(
    news: News, names: Collection[str], clusters: Mapping[str, Any], homes: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Ask for servers that may live for ever."""
    told = await news.of([(name, None) for name in names], clusters, homes)
    return {name: sentences for (name, _), sentences in told.items()}


# -- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "at_home", "told"),
    [
        ("", False, ()),
        ("3 GPUs free", False, ("3 GPUs free.",)),
        ("Full. Come back later!", False, ("Full. Come back later!",)),
        ("", True, ("Your data is here.",)),
        ("3 GPUs free", True, ("3 GPUs free.", "Your data is here.")),
    ],
)
def test_what_is_told_are_sentences(free: str, at_home: bool, told: tuple[str, ...]) -> None:
    assert sentences(free, at_home=at_home, max_age=None) == told


def test_how_long_servers_live_is_one_of_them() -> None:
    told = ("Full.", "A server ends 8 h after its start, used or not.")
    assert sentences("Full", at_home=False, max_age=8 * 3600) == told


# -- gathering ------------------------------------------------------------------------------


async def test_all_clusters_are_asked_and_those_without_news_left_out(news: News) -> None:
    asked: list[str] = []

    async def free(cluster: Cluster) -> str:
        asked.append(cluster.name)
        return "" if cluster.name == "b" else f"some GPUs free in {cluster.name}"

    clusters = {name: settings(capacity=free) for name in ("a", "b", "cc")} | {"d": settings()}
    told = await told_of(news, ["a", "b", "cc", "d"], clusters, {"b"})
    assert told == {
        "a": ("some GPUs free in a.",),
        "b": ("Your data is here.",),
        "cc": ("some GPUs free in cc.",),
    }
    await told_of(news, ["a", "b", "cc", "d"], clusters, set())
    assert sorted(asked) == ["a", "b", "cc"]


async def test_of_a_clusters_and_a_profiles_age_the_shorter_one_is_told(news: News) -> None:
    asked: list[str] = []
    clusters = {
        "a": settings(max_age=3600, capacity=lambda cluster: asked.append(cluster.name)),
        "b": settings(),
    }
    places = [("a", None), ("a", 60), ("a", 7200), ("b", 60), ("b", None), ("", 60), ("", None)]
    told = await news.of(places, clusters, set())
    hour = ("A server ends 1 h after its start, used or not.",)
    minute = ("A server ends 1 min after its start, used or not.",)
    assert told == {
        ("a", None): hour,
        ("a", 60): minute,
        ("a", 7200): hour,
        ("b", 60): minute,
        ("", 60): minute,
    }
    assert asked == ["a"]


async def test_only_the_clusters_of_the_form_are_asked(news: News) -> None:
    asked: list[str] = []
    clusters = {
        name: settings(capacity=lambda cluster: asked.append(cluster.name)) for name in ("a", "b")
    }
    assert await told_of(news, ["b"], clusters, set()) == {}
    assert asked == ["b"]


async def test_a_cluster_in_which_no_server_can_start_is_not_asked(news: News) -> None:
    clusters = {"away": settings(capacity=lambda _: pytest.fail("asked")), "b": settings()}
    assert await told_of(news, ["away"], clusters, {"away"}) == {"away": ("Your data is here.",)}


async def test_where_data_is_is_told_only_if_there_is_another_place(news: News) -> None:
    assert await told_of(news, ["a"], {"a": settings()}, {"a"}) == {}
    told = {"a": ("Your data is here.",)}
    assert await told_of(news, ["a"], {"a": settings(), "b": settings()}, {"a"}) == told
    assert await told_of(news, ["a"], {"a": settings()}, ["a", "gone"]) == told


async def test_a_cluster_with_a_mistake_has_no_capacity(news: News) -> None:
    assert await told_of(news, ["a"], {"a": settings(nonsense=1)}, set()) == {}


async def test_a_resource_quota_is_read_through_the_hubs_connection(
    news: News, tmp_path: Path
) -> None:
    async with FakeAPIServer().running() as server:
        status = {"hard": {"pods": "3"}, "used": {"pods": "1"}}
        server.objects[f"{QUOTAS}/q"] = {"metadata": {"name": "q"}, "status": status}
        clusters = {
            "a": settings(kubeconfig=str(kubeconfig(tmp_path, server)), capacity="resource-quota")
        }
        for _ in range(10):
            told = await told_of(news, ["a"], clusters, set())
            assert told == {"a": ("2 of 3 servers free.",)}
        assert [path for _, path in server.seen if "quota" in path] == [QUOTAS]


def kubeconfig(directory: Path, server: FakeAPIServer) -> Path:
    ca = base64.b64encode(server.ca_data).decode()
    content = {
        "current-context": "x",
        "clusters": [
            {"name": "c", "cluster": {"server": server.url, "certificate-authority-data": ca}}
        ],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = directory / "kubeconfig"
    path.write_text(json.dumps(content))
    return path


def test_a_namespace_for_each_user_has_no_quota_for_all() -> None:
    cluster = Cluster("a", namespace="jupyter-{{username}}", capacity="resource-quota")
    with pytest.raises(ConfigError, match=r"clusters\['a'\].capacity: each user has a namespace"):
        cluster.check()


async def test_nor_has_one_by_kubespawners_word(caplog: pytest.LogCaptureFixture) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.read_kubespawner = True
    config.KubeSpawner.enable_user_namespaces = True
    pool = Pool(config, LOG)
    clusters = {"a": settings(namespace="", capacity="resource-quota")}
    told = await told_of(News(pool, lambda *_: "", LOG), ["a"], clusters, set())
    assert told == {}
    assert "clusters['a'].capacity: each user has a namespace" in caplog.text
    await pool.close()
