"""The Hugging Face Hub connector against a hub on this machine that speaks its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forge_assets.corpus.parse import parse, parse_record
from forge_assets.corpus.sources import hub_api
from forge_assets.corpus.sources.hub_api import read_address
from forge_assets.corpus.sources.huggingface import HubFeed
from forge_assets.corpus.sources.interface import Cursor, Found, Page
from forge_resources.errors import DocumentProblem, FetchError, SourceError
from forge_resources.settings import Settings
from tests.corpus.hub_server import START, Hub, hub_running, paper
from tests.local_server import Asked, serving

CARD = (
    "---\nlicense: apache-2.0\ntags:\n- llama\ndatasets:\n- c4\n---\n# A model\n\nIt follows [LLaMA](https://arxiv.org/abs/2302.13971).\n"
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(hub_api, "PAUSE_S", 0.0)
    for name in ("HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with hub_running() as hub:
        yield hub


def feed_of(hub: Hub, tmp_path: Path, address: str = "hf:models", **options: Any) -> HubFeed:
    return HubFeed("hub", address, {"endpoint": hub.base, **options}, Settings(home=tmp_path, private_hosts="127.0.0.1"))


def harvested(feed: HubFeed, cursor: Cursor | None) -> tuple[dict[str, Found], list[Page], Cursor | None]:
    """What a whole harvest says, its pages, and the cursor after it (as JSON would keep it)."""
    pages = list(feed.changes(cursor))
    found = {item.external_id: item for page in pages for item in page.found}
    return found, pages, json.loads(json.dumps(pages[-1].cursor))


def names(found: dict[str, Found]) -> list[str]:
    return sorted(name.removeprefix("hf:").removesuffix("/card.json") for name in found)


def test_a_sweep_goes_over_all_pages_and_says_its_end(hub: Hub, tmp_path: Path) -> None:
    for number in range(25):
        hub.put(f"org/model-{number:02}", CARD)
        hub.later(minutes=1)
    hub.put("org/no-card", None)
    hub.page = 10
    found, pages, cursor = harvested(feed_of(hub, tmp_path), None)
    assert names(found) == [f"org/model-{number:02}" for number in range(25)]
    assert [(page.sweep, page.ends_sweep) for page in pages] == [(1, False), (1, False), (1, True)]
    assert cursor == {"harvests": 1, "since": hub.now.isoformat(), "sweep": 1}


def test_a_harvest_goes_on_after_its_last_page(hub: Hub, tmp_path: Path) -> None:
    for number in range(9):
        hub.put(f"org/m{number}", CARD)
    hub.page = 4
    feed = feed_of(hub, tmp_path)
    first = next(iter(feed.changes(None)))
    began = hub.now
    hub.later(hours=3)
    hub.put("org/m8", "# changed while the harvest was interrupted")
    found, pages, cursor = harvested(feed, json.loads(json.dumps(first.cursor)))
    assert len(pages) == 2 and pages[-1].ends_sweep and {page.sweep for page in pages} == {first.sweep}
    assert names(found) == [f"org/m{number}" for number in range(5)]
    assert names({item.external_id: item for item in first.found}) == [f"org/m{number}" for number in range(5, 9)]
    assert cursor and cursor["since"] == began.isoformat(), "what changed meanwhile is asked for by the next harvest"
    assert "org/m8" in names(harvested(feed, cursor)[0])


def test_an_update_during_a_sweep_hides_nobody(hub: Hub, tmp_path: Path) -> None:
    for number in range(9):
        hub.put(f"org/m{number}", CARD)
        hub.later(minutes=1)
    hub.page = 3
    pages = feed_of(hub, tmp_path).changes(None)
    found = list(next(pages).found)
    hub.put("org/m0", "# moved to the front of the list by update")
    found += [item for page in pages for item in page.found]
    assert names({item.external_id: item for item in found}) == [f"org/m{number}" for number in range(9)]


def test_later_harvests_read_the_newest_only_and_a_sweep_comes_every_seventh_time(hub: Hub, tmp_path: Path) -> None:
    for number in range(30):
        hub.put(f"org/m{number:02}", CARD)
        hub.later(hours=1)
    hub.page = 10
    feed = feed_of(hub, tmp_path)
    _, _, cursor = harvested(feed, None)
    hub.delete("org/m07")
    for night in range(1, 7):
        hub.later(days=1)
        hub.put(f"org/m{night:02}", f"{CARD}night {night}")
        hub.put("org/m20", None)  # its card was taken away
        hub.asked.clear()
        found, pages, cursor = harvested(feed, cursor)
        assert {name: item.deleted for name, item in found.items() if f"m{night:02}" in name or "m20" in name} == {
            f"hf:org/m{night:02}/card.json": False,
            "hf:org/m20/card.json": True,
        }
        assert len(hub.asked) == 1 and "sort=lastModified" in hub.asked[0] and pages[0].sweep is None and not pages[0].ends_sweep
    found, pages, _ = harvested(feed, cursor)
    assert "hf:org/m07/card.json" not in found and len(found) == 28
    assert pages[-1].ends_sweep and pages[-1].sweep == 2


def test_updates_within_the_overlap_are_told_twice_rather_than_never(hub: Hub, tmp_path: Path) -> None:
    hub.put("org/a", CARD)
    feed = feed_of(hub, tmp_path)
    _, _, cursor = harvested(feed, None)
    hub.put("org/late", CARD)
    hub.repos["models"]["org/late"]["lastModified"] = (START - timedelta(minutes=10)).isoformat()  # the listing lagged
    hub.later(days=1)
    assert names(harvested(feed, cursor)[0]) == ["org/a", "org/late"]


def test_a_page_that_the_hub_forgot_is_asked_for_from_the_start(hub: Hub, tmp_path: Path) -> None:
    for number in range(6):
        hub.put(f"org/m{number}", CARD)
    hub.page = 2
    feed = feed_of(hub, tmp_path)
    first = next(iter(feed.changes(None))).cursor
    hub.fail_next = [(400, {})]
    found, pages, _ = harvested(feed, first)
    assert len(found) == 6 and pages[-1].ends_sweep and pages[-1].sweep == 2


def test_the_next_page_is_asked_of_the_same_host(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    stolen: list[str] = []
    hub.put("org/a", CARD)
    hub.put("org/b", CARD)
    hub.page = 1
    with serving(lambda asked: stolen.append(asked.path)) as hub.link_host:
        assert names(harvested(feed_of(hub, tmp_path), None)[0]) == ["org/a", "org/b"]
    assert stolen == [] and hub.tokens == ["Bearer hf_good"] * 2


def test_filters_reach_the_hub(hub: Hub, tmp_path: Path) -> None:
    hub.put("org/a", CARD, pipeline_tag="text-generation", tags=["transformers", "license:mit"])
    hub.put("org/b", CARD, pipeline_tag="text-generation", tags=["gguf"])
    hub.put("org/c", CARD, pipeline_tag="summarization", tags=["transformers", "license:mit"])
    address = "hf:models?pipeline_tag=text-generation&library=transformers&license=mit"
    assert names(harvested(feed_of(hub, tmp_path, address), None)[0]) == ["org/a"]


def test_datasets(hub: Hub, tmp_path: Path) -> None:
    hub.put("org/a", CARD)
    hub.put("org/a", "---\npretty_name: A\n---\nA dataset.", kind="datasets")
    feed = feed_of(hub, tmp_path, "hf:datasets")
    found, _, _ = harvested(feed, None)
    item = found["hf:datasets/org/a/card.json"]
    fetched = feed.fetch(item.external_id, item.location or "", None)
    document = parse(fetched.data or b"", item.external_id)
    assert document.parsed.identifiers == {"hf": "datasets/org/a"} and document.parsed.url == "https://huggingface.co/datasets/org/a"
    assert "A dataset." in document.text


@pytest.mark.parametrize("name", ["org/Llama-3.1-8B", "org/notes.pdf", "org/page.html"])
def test_a_card_becomes_a_document(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.put(name, CARD, pipeline_tag="text-generation", library_name="transformers")
    feed = feed_of(hub, tmp_path)
    item = harvested(feed, None)[0][f"hf:{name}/card.json"]
    assert (
        item.token == hub.repos["models"][name]["sha"]
        and item.location
        and item.location.startswith(f"{name}/resolve/{item.token}/README.md")
    )
    fetched = feed.fetch(item.external_id, item.location, None)
    parsed = parse(fetched.data or b"", item.external_id).parsed
    assert (parsed.title, parsed.license, parsed.identifiers) == (name, "apache-2.0", {"hf": name})
    assert (parsed.published, parsed.url) == ("2026-03-01", f"https://huggingface.co/{name}")
    assert parsed.metadata["tags"] == ["llama"] and parsed.metadata["arxiv_ids"] == ["2302.13971"]
    assert (parsed.metadata["pipeline_tag"], parsed.metadata["downloads"], parsed.metadata["likes"]) == ("text-generation", 1200, 3)
    again = feed.fetch(item.external_id, item.location, fetched.validator)
    assert again.data is None and again.validator == fetched.validator and not again.gone


def test_cards_that_cannot_be_had(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.put("org/gated", CARD, gated="manual")
    hub.gated.add("org/gated")
    hub.put("org/a", CARD)
    feed = feed_of(hub, tmp_path)
    found, _, _ = harvested(feed, None)
    location = found["hf:org/gated/card.json"].location or ""
    with pytest.raises(DocumentProblem, match="set HF_TOKEN") as caught:
        feed.fetch("hf:org/gated/card.json", location, None)
    assert caught.value.code == "missing"
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    assert feed.fetch("hf:org/gated/card.json", location, None).data
    hub.delete("org/a")
    assert feed.fetch("hf:org/a/card.json", found["hf:org/a/card.json"].location or "", None).gone


def test_the_token_stays_at_the_hub(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    seen: list[str | None] = []

    def elsewhere(asked: Asked) -> None:
        seen.append(asked.headers["Authorization"])
        asked.reply(body=CARD.encode())

    hub.put("org/a", CARD)
    with serving(elsewhere) as hub.cards_elsewhere:
        assert feed_of(hub, tmp_path).fetch("hf:org/a/card.json", "org/a/resolve/main/README.md", None).data
    assert hub.tokens == ["Bearer hf_good"] and seen == [None]


def test_a_hub_that_asks_for_fewer_requests(hub: Hub, tmp_path: Path) -> None:
    hub.put("org/a", CARD)
    hub.fail_next = [(429, {"RateLimit": '"api";r=0;t=1', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'})]
    assert names(harvested(feed_of(hub, tmp_path), None)[0]) == ["org/a"]
    assert len(hub.asked) == 2


def test_an_endpoint_that_is_no_hub(tmp_path: Path) -> None:
    with serving(lambda asked: asked.reply(body=b"<html>")) as base, pytest.raises(FetchError, match="is the endpoint right"):
        list(HubFeed("x", "hf:models", {"endpoint": base}, Settings(home=tmp_path, private_hosts="127.0.0.1")).changes(None))


def test_a_repository_with_an_impossible_name(hub: Hub, tmp_path: Path) -> None:
    hub.put("../../etc/passwd", CARD)
    found, _, _ = harvested(feed_of(hub, tmp_path), None)
    assert [item.problem.partition(":")[0] for item in found.values() if item.problem] == ["bad_record"]


def test_papers_a_day_at_a_time(hub: Hub, tmp_path: Path) -> None:
    hub.papers = {
        "2026-02-20": [paper(f"2602.{number:05}", f"Paper {number}") for number in range(130)],
        "2026-02-28": [paper("2602.99999", "Attention"), {"title": "without an id"}],
    }
    feed = feed_of(hub, tmp_path, "hf:papers", **{"from": "2026-02-19"})
    found, pages, cursor = harvested(feed, None)
    assert len(pages) == 11 and cursor == {"day": "2026-02-23"} and all(page.sweep is None for page in pages)
    assert sum(item.problem is None for item in found.values()) == 131
    assert [item.problem for item in found.values() if item.problem] == ["bad_record: a daily paper of 2026-02-28 has no id or no title"]
    data = found["hf:papers/2602.99999"].data or b""
    for document in (parse_record(json.loads(data), "hf:papers/2602.99999"), parse(data, "paper.json")):
        parsed = document.parsed
        assert parsed.identifiers == {"arxiv": "2602.99999"} and parsed.title == "Attention" and parsed.authors == ["Ada Lovelace"]
        assert parsed.published == "2026-02-27" and parsed.url == "https://huggingface.co/papers/2602.99999"
        assert "We study Attention." in document.text and parsed.metadata["upvotes"] == 7
    hub.later(days=1)
    hub.papers["2026-02-28"][0]["paper"]["upvotes"] = 9
    hub.papers["2026-03-02"] = [paper("2603.00001", "New")]
    again, pages, cursor = harvested(feed, cursor)
    assert {"hf:papers/2602.99999", "hf:papers/2603.00001"} <= again.keys() and cursor == {"day": "2026-02-24"}
    assert again["hf:papers/2602.99999"].token != found["hf:papers/2602.99999"].token and len(pages) == 8


def test_papers_go_on_after_the_last_day(hub: Hub, tmp_path: Path) -> None:
    feed = feed_of(hub, tmp_path, "hf:papers", **{"from": "2026-01-01", "until": "2026-01-20"})
    pages = feed.changes(None)
    for _ in range(5):
        page = next(pages)
    assert page.cursor == {"day": "2026-01-06"}
    hub.asked.clear()
    rest = list(feed.changes(page.cursor))
    assert "date=2026-01-06" in hub.asked[0] and "date=2026-01-20" in hub.asked[-1] and len(rest) == 15


@pytest.mark.parametrize(
    ("address", "options", "said"),
    [
        ("hf:spaces", {}, "expected hf:models"),
        ("hf:models?pipelinetag=x", {}, "pipeline_tag"),
        ("hf:models?author=", {}, "is no filter"),
        ("hf:papers?author=x", {}, "is no filter"),
        ("hf:models", {"from": "2026-01-01"}, "knows no --from"),
        ("hf:papers", {"from": "yesterday"}, "YYYY-MM-DD"),
        ("hf:models", {"endpoint": "huggingface.co"}, "expected https://host"),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, address: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        HubFeed("hub", address, options, Settings(home=tmp_path)).check()


def test_a_wrong_hf_endpoint_does_not_keep_other_sources_from_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "huggingface.co")
    feed = HubFeed("hub", "hf:models", {}, Settings(home=tmp_path))
    with pytest.raises(SourceError, match="expected http"):
        list(feed.changes(None))


def test_addresses() -> None:
    assert read_address("hf:datasets?language=en&filter=a&filter=b") == (
        "datasets",
        [("filter", "language:en"), ("filter", "a"), ("filter", "b")],
    )
