"""How well and how fast documents are joined into works.

    python bench/works.py formats [--shared ../shared/corpus]       pairs against the groups of the formats manifest
    python bench/works.py planted [--articles-of ...] [--records 2000]  recall per kind of copy, false joins per kind of near miss
    python bench/works.py cards                                     model cards: number of joins, and a sample to read
    taskset -c 0,1 python bench/works.py nights --home HOME         full build, nothing changed, 1% changed; HOME is a copy, it is changed

Each but `nights` works in a home of its own, thrown away afterwards.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import resource
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import zstandard

from forge_assets.corpus.addresses import SHARD_COUNT, document_id, file_uri
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.storable import fitted
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import PROJECT, Settings, settings

Pair = tuple[str, str]
PAIRS = """SELECT x.uri AS a, y.uri AS b, v.reason AS first, w.reason AS second FROM work_document v JOIN work_document w USING (work_id)
    JOIN document x ON x.document_id = v.document_id JOIN document y ON y.document_id = w.document_id WHERE x.uri < y.uri"""
SAMPLE = """SELECT l.reason, l.similarity, x.title AS one, y.title AS other, x.text AS text, y.text AS text2 FROM work_link l
    JOIN document x ON x.document_id = l.a JOIN document y ON y.document_id = l.b ORDER BY hashtext(l.a::text || l.b::text) LIMIT :n"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("formats", "planted", "cards", "nights"))
    parser.add_argument("--shared", type=Path, default=PROJECT.parent / "shared" / "corpus")
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.what == "nights":
        nights(options.home or parser.error("nights needs --home"))
        return
    with tempfile.TemporaryDirectory(prefix="fw-", dir="/tmp") as made:
        chosen = settings().model_copy(update={"home": Path(made), "database_url": None, "object_store_url": None})
        with Database.open(chosen) as db:
            {"formats": formats, "planted": planted, "cards": cards}[options.what](db, chosen, options)


def load(db: Database, chosen: Settings, place: Path) -> None:
    store = open_store(None, chosen)
    add_source(db, chosen, str(place))
    scan(db, store, chosen, range(SHARD_COUNT))
    parse_shards(db, store, chosen, range(SHARD_COUNT))


def joined_pairs(db: Database) -> dict[Pair, str]:
    """Pairs of addresses in one work, with their reasons."""
    with db.begin() as connection:
        return {(row.a, row.b): f"{row.first} {row.second}" for row in connection.execute(sa.text(PAIRS))}


# -- formats ---------------------------------------------------------------------------------------------------------------


def formats(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    shared, folder = (options.shared / "formats").resolve(), Path(chosen.home) / "formats"
    groups: dict[str, list[str]] = defaultdict(list)
    for line in (shared / "MANIFEST.jsonl").read_text().splitlines():  # the manifest is a dump of records itself, so it is left out
        entry = json.loads(line)
        (folder / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / entry["path"], folder / entry["path"])
        groups[entry["group"]].append(file_uri(folder / entry["path"]))
    load(db, chosen, folder)
    print(join_works(db))
    with db.begin() as connection:
        read = {row.uri for row in connection.execute(sa.text("SELECT uri FROM document"))}
    labelled = {tuple(sorted(pair)) for members in groups.values() for pair in combinations(members, 2)}
    possible = {pair for pair in labelled if set(pair) <= read}
    found = joined_pairs(db)
    right = possible & found.keys()
    print(f"labelled pairs {len(labelled)}, of them with both files readable {len(possible)}, joined {len(found)}, agreeing {len(right)}")
    print(f"precision {len(right) / max(1, len(found)):.3f}, recall {len(right) / max(1, len(possible)):.3f}")
    for name, some in (("joined, not labelled", found.keys() - possible), ("labelled, not joined", possible - found.keys())):
        print(f"\n{name}:")
        for a, b in sorted(some):
            print(f"  {found.get((a, b), '')}  {a.partition('/formats/')[2]}  |  {b.partition('/formats/')[2]}")


# -- planted copies --------------------------------------------------------------------------------------------------------

BOILERPLATE = (
    "This is the author's version of the work. It is posted here for your personal use, not for redistribution. "
    "The definitive version was published by the publisher. All rights reserved by the respective owners of the copyright. "
)
TEMPLATE = (
    "This model is a fine-tuned version of {name} on the {data} dataset. It achieves the following results on the evaluation set: "
    "Loss: {a}, Accuracy: {b}, F1: {c}. The following hyperparameters were used during training: learning rate {d}, "
    "train batch size 16, eval batch size 16, seed 42, optimizer Adam with betas (0.9, 0.999) and epsilon 1e-08, lr scheduler type linear, "
    "number of epochs {e}. More information needed on the intended uses and limitations, "
    "and on the training and evaluation data of this model."
)


def changed(text: str, share: float, vocabulary: list[str], rng: random.Random) -> str:
    """A share of the words replaced by words of other articles, each anywhere."""
    words = text.split()
    for place in rng.sample(range(len(words)), round(share * len(words))):
        words[place] = rng.choice(vocabulary)
    return " ".join(words)


def tex(title: str) -> str:
    words = title.split()
    return " ".join([f"\\emph{{{words[0]}}}", *words[1:]]).replace("é", "\\'{e}").replace("ö", '\\"{o}')


def copies(vocabulary: list[str], rng: random.Random) -> dict[str, Callable[[str, str], tuple[str, str]]]:
    """Kind of copy -> (title, abstract) made of (title, abstract); the id differs in each."""

    def other() -> str:
        """Another title, made of words of another article."""
        return " ".join(rng.sample(vocabulary, 8))

    return {
        "same under another id": lambda t, a: (t, a),
        "title upper case": lambda t, a: (t.upper(), a),
        "title without punctuation": lambda t, a: (re.sub(r"[^\w\s]", " ", t), a),
        "title in TeX": lambda t, a: (tex(t), a),
        **{f"same title, {n}% words": lambda t, a, n=n: (t, changed(a, n / 100, vocabulary, rng)) for n in (5, 10, 20, 30)},
        **{f"other title, {n}% words": lambda t, a, n=n: (other(), changed(a, n / 100, vocabulary, rng)) for n in (0, 5, 10, 20, 30)},
        "same title, first half": lambda t, a: (t, " ".join(a.split()[: len(a.split()) // 2])),
        "other title, first half": lambda t, a: (other(), " ".join(a.split()[: len(a.split()) // 2])),
        "other title, first 80%": lambda t, a: (other(), " ".join(a.split()[: len(a.split()) * 4 // 5])),
        "same title, boilerplate": lambda t, a: (t, BOILERPLATE + a),
        "other title, boilerplate": lambda t, a: (other(), BOILERPLATE + a),
        "another venue, own words": lambda t, a: (t, shuffled(a, rng)),
    }


def shuffled(text: str, rng: random.Random) -> str:
    """Its sentences in another order, the first left out."""
    sentences = re.split(r"(?<=[.!?])\s+", text)[1:] or [text]
    rng.shuffle(sentences)
    return " ".join(sentences)


def misses(others: list[dict[str, Any]], rng: random.Random) -> dict[str, Callable[[str, str], tuple[Pair, Pair]]]:
    """Kind of near miss -> two (title, abstract) that are two works."""

    def template() -> str:
        name, data = rng.choice(("bert-base-uncased", "distilroberta-base", "t5-small")), rng.choice(("glue", "imdb", "emotion"))
        return TEMPLATE.format(
            name=name, data=data, a=rng.random(), b=rng.random(), c=rng.random(), d=rng.random() / 1000, e=rng.randint(1, 30)
        )

    rest = iter([str(other["abstract"]) for other in others] * 9)  # a text is taken once per kind

    def another() -> str:
        return next(rest)

    return {
        "part I and part II": lambda t, a: ((f"{t}, Part I", a), (f"{t}, Part II", changed(a, 0.2, another().split(), rng))),
        "edition of another year": lambda t, a: ((f"{t} 2019", a), (f"{t} 2020", changed(a, 0.1, another().split(), rng))),
        "one template, other content": lambda t, a: ((f"{t} one", template()), (f"{t} other", template())),
        "one title, another text": lambda t, a: ((t, a), (t, another())),
        "correction of it": lambda t, a: ((t, a), (f"Corrigendum to: {t}", a)),
        "same opening, other text": lambda t, a: ((t, a), (f"{t} revisited once more", half(a) + " " + half(another()))),
    }


def half(text: str) -> str:
    words = text.split()
    return " ".join(words[: len(words) // 2])


def planted(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    """Each kind in a corpus of its own: the articles, and a copy of each (or two near misses made from each)."""
    rng = random.Random(7)
    articles = read_articles(options.shared / "articles", options.records * 2)
    own, others = articles[: options.records], articles[options.records :]
    vocabulary = [word for article in others for word in article["abstract"].split()]
    print(f"{'kind':32} {'recall':>7} {'precision':>9}  reasons")
    for kind, make in copies(vocabulary, rng).items():
        documents = [(f"{n}/0", a["title"], a["abstract"]) for n, a in enumerate(own)]
        documents += [(f"{n}/1", *make(a["title"], a["abstract"])) for n, a in enumerate(own)]
        found, right, reasons = planted_pairs(db, documents)
        print(f"{kind:32} {right / len(own):7.3f} {right / max(1, found):9.4f}  {dict(reasons)}")
    print(f"{'near miss':32} {'falsely joined of ' + str(len(own))}")
    for kind, two in misses(others, rng).items():
        documents = []
        for n, a in enumerate(own):
            documents += [(f"{n}/{which}", *made) for which, made in enumerate(two(a["title"], a["abstract"]))]
        found, right, reasons = planted_pairs(db, documents)
        print(f"{kind:32} {right:7d} {found - right:9d}  {dict(reasons)}")


def planted_pairs(db: Database, documents: list[tuple[str, str, str]]) -> tuple[int, int, Counter[str]]:
    """Pairs joined, those of one article among them, and the reasons of those."""
    with db.begin() as connection:
        connection.execute(sa.text("TRUNCATE document, work, work_signature, work_link CASCADE"))
        rows = []
        for uri, title, abstract in documents:
            text = f"{title}\n\n{abstract}"
            blocks = [["title", 0, len(title), 0, None], ["paragraph", len(title) + 2, len(text), 0, None]]
            rows.append((document_id(uri), uri, 0, "planted", uri, "", "", "text/plain", title, text, blocks))
        names = (
            "document_id",
            "uri",
            "shard",
            "source",
            "external_id",
            "content_hash",
            "stage_version",
            "media_type",
            "title",
            "text",
            "blocks",
        )
        types = ("uuid", "text", "int2", "text", "text", "text", "text", "text", "text", "text", "jsonb")
        db.copy(connection, "document", names, [[fitted(t, v) for t, v in zip(types, row, strict=True)] for row in rows], types)
    join_works(db)
    found = joined_pairs(db)
    right = {pair: reason for pair, reason in found.items() if pair[0].split("/")[0] == pair[1].split("/")[0]}
    return len(found), len(right), Counter(reason.split()[0] for reason in right.values())


def read_articles(folder: Path, count: int) -> list[dict[str, Any]]:
    """Articles with abstracts of 60 words and more, as many from each shard."""
    shards = sorted(folder.glob("*.jsonl.zst"))
    out: list[dict[str, Any]] = []
    for number, shard in enumerate(shards):
        want = count * (number + 1) // len(shards)
        with shard.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            for line in io.TextIOWrapper(stream, encoding="utf-8"):
                if len(out) >= want:
                    break
                record = json.loads(line)
                if len(str(record["abstract"]).split()) >= 60 and len(record["title"].split()) >= 4:
                    out.append(record)
    random.Random(1).shuffle(out)
    return out


# -- real collections ------------------------------------------------------------------------------------------------------


def cards(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    folder = Path(chosen.home) / "cards"
    folder.mkdir()
    for name in (options.shared / "hf_cards").glob("*.zst"):
        (folder / name.name).write_bytes(name.read_bytes())
    load(db, chosen, folder)
    print(join_works(db))
    show(db, options.sample)


def show(db: Database, count: int) -> None:
    """Numbers per reason and a sample to read."""
    with db.begin() as connection:
        for row in connection.execute(sa.text("SELECT reason, count(*) AS n FROM work_link GROUP BY reason ORDER BY reason")):
            print(f"{row.reason:10} {row.n}")
        for row in connection.execute(sa.text(SAMPLE), {"n": count}):
            print(f"\n{row.reason} {row.similarity:.2f}\n  {row.one}\n  {row.other}")
            print(f"    {' '.join(row.text.split())[:300]}\n    {' '.join(row.text2.split())[:300]}")


def nights(home: Path) -> None:
    """Full build, then nights; the documents of the home are changed."""
    changes = (
        ("full build", "TRUNCATE work_signature, work_link, work CASCADE"),
        ("nothing changed", "SELECT 1"),
        ("1% changed", "UPDATE document SET content_hash = content_hash || 'x' WHERE hashtext(uri) % 100 = 0"),
        ("0.1% removed", "DELETE FROM document WHERE hashtext(uri) % 1000 = 1"),
    )
    with Database.open(settings().model_copy(update={"home": home, "database_url": None})) as db:
        for name, statement in changes:
            with db.begin() as connection:
                connection.execute(sa.text(statement))
            started = time.monotonic()
            report = join_works(db)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{name:16} {time.monotonic() - started:6.1f} s  peak {peak} MB  {report}")


if __name__ == "__main__":
    main()
