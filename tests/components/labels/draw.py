"""Draws the passages that two readers label by hand: real texts, by a fixed seed, as the product parses them.

`python tests/components/labels/draw.py CORPUS OUT` writes drawn.jsonl beside this file (which piece, of which document, from where to
where, and the sha256 of its text) and the texts themselves to OUT/components.txt and OUT/parameters.txt: third-party texts stay outside
the repository. Every choice is by the rank of sha256(seed:purpose:key), so neither the order of files nor other draws change it.

`--unseen N` draws half as many for components by the N-th seed of its own, of documents that were never drawn, and adds them as the set
`unseen-N`: a fresh measure after rules have been made looking at the sets before.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = "forge-labels-20261124"
UNSEEN = "forge-labels-unseen-{}"
HERE = Path(__file__).parent
NAMES = (
    *("Adam", "GLU", "BERT", "Lion", "Mamba", "LAMB", "Muon", "Switch", "dropout", "softmax", "beam search", "transformers?"),
    *("layer norm(?:ali[sz]ation)?", "LoRA", "distillation", "quanti[sz]\\w*", "tokeni[sz]\\w*", "optimi[sz]ers?", "learning rates?"),
    *("attention", "Sophia", "Falcon", "Gemini", "Whisper", "Swish", "Pythia", "RoPE", "CLIP", "SAM", "PPO", "T5", "ResNet", "MoE"),
    *("BLEU", "ImageNet", "momentum", "warm-?up", "checkpoints?", "A100", "pruning"),
)
"""Names that are common, or that also mean something else; a few records of each."""
PARAMETER = re.compile(
    r"\b(?:learning[ _]rate|lr|batch(?:[ _]size)?|epochs?|layers?|heads|hidden|parameters|params|context|tokens|steps|warm-?up|temperature"
    r"|top[_ -][pk]|rank|alpha|dropout|momentum|weight[ _]decay|beta\w*|seed|vocab\w*|experts?|beams?|max_\w+|num_\w+|patch|resolution"
    r"|stride|kernel|optimi[sz]er|GPUs?|TPUs?|A100|H100|V100|FLOPs?|bits?|precision|dimension\w*|samples|images)\b",
    re.I,
)
DTYPE = re.compile(r"\b(?:fp|float|bf|bfloat|int|tf)_?(?:4|8|16|32)\b|\b(?:half|mixed)[ -]precision\b", re.I)
STATED = re.compile(
    r"\d[\d.,]*\s?(?:[KMBT]|thousand|million|billion|trillion)?[- ](?:\w+ )?(?:parameters?|params|model|layers?|tokens|epochs|bits?|GPUs?"
    r"|TPUs?|A100|H100|V100|images|samples|classes|heads|experts|steps|iterations|dimension\w*|sentences|examples)\b",
    re.I,
)
"""In an abstract: a number followed by what it may count. Few abstracts state a value; near_parameter finds mostly others."""
NEAR = 40
"""Characters between a digit and a parameter-like word that count as near."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch document.text[start:end] that may be drawn; `text` is the stretch."""

    id: str
    start: int
    end: int
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Draw:
    """By which seed, what share of the usual counts, and which documents are out."""

    seed: str = SEED
    share: float = 1.0
    known: frozenset[str] = frozenset()

    def rank(self, purpose: str, key: str) -> str:
        return hashlib.sha256(f"{self.seed}:{purpose}:{key}".encode()).hexdigest()

    def count(self, usual: int) -> int:
        return round(usual * self.share)


def records(folder: Path) -> Iterator[dict[str, Any]]:
    import io

    import zstandard

    for path in sorted(folder.glob("*.jsonl.zst")):
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            for line in io.TextIOWrapper(stream, encoding="utf-8"):
                yield json.loads(line)


def near_parameter(text: str) -> bool:
    """Whether a digit stands within NEAR characters of a parameter-like word, or a number format is named."""
    if DTYPE.search(text):
        return True
    return any(re.search(r"\d", text[max(0, hit.start() - NEAR) : hit.end() + NEAR]) for hit in PARAMETER.finditer(text))


def whole(record: dict[str, Any], source: str) -> Candidate | None:
    """A record's title and abstract, as the product lays them out."""
    from forge_assets.corpus.parse import parse_record
    from forge_resources.errors import DocumentProblem

    try:
        document = parse_record(record, record["doc_id"])
    except DocumentProblem:
        return None
    return Candidate(record["doc_id"], 0, len(document.text), document.text, source)


def draw_articles(folder: Path, draw: Draw) -> tuple[list[Candidate], list[Candidate]]:
    """(220 for components, 60 for parameters) of article records, no record twice."""
    patterns = {name: re.compile(rf"\b(?:{name})\b", re.I) for name in NAMES}
    uniform: list[tuple[str, dict[str, Any]]] = []
    named: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    numbers: list[tuple[str, dict[str, Any]]] = []
    for record in records(folder):
        text = f"{record['title']}\n{record.get('abstract') or ''}"
        place = draw.rank("uniform", record["doc_id"])
        if place < "008":  # 1 in 512: some 600 of 317,380
            uniform.append((place, record))
        if draw.rank("named", record["doc_id"]) < "3":  # a fifth is plenty for the names
            for name, pattern in patterns.items():
                if pattern.search(text):
                    named[name].append((draw.rank(name, record["doc_id"]), record))
        place = draw.rank("numbers", record["doc_id"])
        if place < "03" and (STATED.search(text) or DTYPE.search(text)):
            numbers.append((place, record))
    taken = set(draw.known)
    components = take(uniform, draw.count(120), taken, "article")
    queues = {name: sorted(found, key=lambda pair: pair[0]) for name, found in named.items()}
    wanted = draw.count(100)
    while wanted:
        for name in NAMES:
            got = take(queues.get(name, []), min(1, wanted), taken, f"article:{name}")
            components += got
            wanted -= len(got)
    return components, take(numbers, 60, taken, "article")


def take(found: list[tuple[str, dict[str, Any]]], count: int, taken: set[str], source: str) -> list[Candidate]:
    """The first `count` of `found` by rank that parse and are not in `taken`, which grows."""
    out: list[Candidate] = []
    for _, record in sorted(found, key=lambda pair: pair[0]):
        if len(out) == count:
            break
        if record["doc_id"] not in taken and (candidate := whole(record, source)):
            taken.add(record["doc_id"])
            out.append(candidate)
    return out


def of_passages(id_: str, document: Any, source: str) -> list[Candidate]:
    return [
        Candidate(id_, passage.start, passage.end, document.text[passage.start : passage.end], f"{source}:{passage.kind}")
        for passage in document.passages
        if document.parsed.language in (None, "en")
    ]


def card_passages(record: dict[str, Any]) -> list[Candidate]:
    from forge_assets.corpus.parse import parse_record
    from forge_resources.errors import DocumentProblem

    try:
        return of_passages(record["doc_id"], parse_record(record, record["doc_id"]), "card")
    except DocumentProblem:
        return []


def file_passages(path: Path, id_: str) -> list[Candidate]:
    from forge_assets.corpus.parse import parse
    from forge_resources.errors import DocumentProblem

    try:
        return of_passages(id_, parse(path.read_bytes(), path.name), "file")
    except DocumentProblem:
        return []


def choose(
    draw: Draw,
    documents: Iterable[list[Candidate]],
    purpose: str,
    count: int,
    fits: Callable[[str], bool],
    taken: set[str],
    seen: Counter[str],
) -> list[Candidate]:
    """One fitting passage of each document not yet taken, until `count`; none whose words were drawn before (digits do not tell)."""
    out: list[Candidate] = []
    for passages in documents:
        if len(out) == count:
            break
        for one in sorted(passages, key=lambda one: draw.rank(purpose, f"{one.id}:{one.start}")):
            shape = re.sub(r"[\W\d_]+", " ", one.text)[:120]
            if one.id in taken or seen[shape] or len(one.text) < 150 or not fits(one.text):
                continue
            taken.add(one.id)
            seen[shape] += 1
            out.append(one)
            break
    return out


def draw_cards(folder: Path, draw: Draw) -> tuple[list[Candidate], list[Candidate]]:
    """(40 for components, 70 for parameters): one passage a card, one card an owner, the Trainer's own texts only for 12 parameters."""
    pool = sorted(
        (record for record in records(folder) if not record.get("same_text_as")), key=lambda record: draw.rank("card", record["doc_id"])
    )
    owners: Counter[str] = Counter()
    written: list[dict[str, Any]] = []
    generated: list[dict[str, Any]] = []
    for record in pool:
        owner = record["doc_id"].split("/")[0]
        owners[owner] += 1
        if owners[owner] == 1:
            (generated if "generated automatically" in record["text"] else written).append(record)
    taken = set(draw.known)
    seen: Counter[str] = Counter()
    passages = [card_passages(record) for record in written[:900]]
    components = choose(draw, passages, "components", draw.count(40), lambda text: len(text.split()) > 25, taken, seen)
    numbers = choose(draw, passages, "parameters", 45, near_parameter, taken, seen)
    numbers += choose(draw, map(card_passages, generated[:200]), "generated", 12, lambda text: "learning_rate" in text, taken, seen)
    return components, numbers + choose(draw, passages, "digits", 70 - len(numbers), has_digits, taken, seen)


def has_digits(text: str) -> bool:
    return len(re.findall(r"\d", text)) >= 3


def draw_files(folder: Path, draw: Draw) -> tuple[list[Candidate], list[Candidate]]:
    """(40 for components, 70 for parameters) of native documents: one passage a document for each, at most 4 documents a repository."""
    rows = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: draw.rank("file", row["path"]))
    repositories: Counter[str] = Counter()
    chosen: list[str] = []
    for row in rows:
        repository = row.get("repo") or row["path"]
        repositories[repository] += 1
        if repositories[repository] <= 4 and not row.get("dup_of") and row["bytes"] < 600_000:
            chosen.append(row["path"])
    with ProcessPoolExecutor(2) as pool:
        passages = list(pool.map(file_passages, [folder / path for path in chosen[:260]], chosen[:260], chunksize=4))
    seen: Counter[str] = Counter()
    components = choose(draw, passages, "components", draw.count(40), lambda text: len(text.split()) > 25, set(draw.known), seen)
    taken: set[str] = set()
    numbers = choose(draw, passages, "parameters", 55, near_parameter, taken, seen)
    return components, numbers + choose(draw, passages, "digits", 15, has_digits, taken, seen)


def write(out: Path, name: str, drawn: list[Candidate]) -> list[dict[str, Any]]:
    """Texts to OUT/name.txt; the rows of drawn.jsonl."""
    with (out / f"{name}.txt").open("w", encoding="utf-8") as texts:
        for number, one in enumerate(drawn):
            texts.write(f"=== {number} | {one.id} | {one.start} | {one.source}\n{one.text}\n")
    return [
        {
            "set": name,
            "piece": number,
            "id": one.id,
            "start": one.start,
            "end": one.end,
            "source": one.source,
            "sha256": hashlib.sha256(one.text.encode()).hexdigest(),
        }
        for number, one in enumerate(drawn)
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--unseen", type=int)
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    before: list[dict[str, Any]] = []
    draw = Draw()
    if given.unseen is not None:
        before = [json.loads(line) for line in (HERE / "drawn.jsonl").read_text(encoding="utf-8").splitlines()]
        before = [row for row in before if row["set"] != f"unseen-{given.unseen}"]
        draw = Draw(UNSEEN.format(given.unseen), 0.5, frozenset(row["id"] for row in before))
    sources = ((draw_articles, "articles"), (draw_cards, "hf_cards"), (draw_files, "formats"))
    drawn = [choice(given.corpus / name, draw) for choice, name in sources]
    rows = write(given.out, "components" if given.unseen is None else f"unseen-{given.unseen}", [one for part in drawn for one in part[0]])
    if given.unseen is None:
        rows += write(given.out, "parameters", [one for part in drawn for one in part[1]])
    (HERE / "drawn.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*before, *rows]), encoding="utf-8")
    sys.stdout.write(f"{dict(Counter((row['set'], row['source'].split(':')[0]) for row in rows))}\n")


if __name__ == "__main__":
    main()
