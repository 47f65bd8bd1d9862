"""WordNet's database and articles -> wordnet.txt: what the articles' words have to do with each other.

    python -m forge_assets.documentation.verify.from_wordnet DICT CORPUS

DICT: the folder `dict` of WordNet 3.1; CORPUS: a folder with articles/*.jsonl.zst.

Of a word's senses only the most frequent ones count (WordNet orders them), so that words are not taken for each other in a rare sense.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import zstandard

TARGET = Path(__file__).parent / "wordnet.txt"
KINDS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
SENSES = {"n": 3, "v": 4, "a": 3, "r": 3}
EVERY, LEAST = 8, 8
"""One article of so many is looked at; a word of fewer is left out."""
HEAD = """# Words of articles on AI that say the same by WordNet (=), are derived from each other (+), or say the opposite (!); a verb and
# what it is one way of (<); forms that are mostly verbs (v). Made by from_wordnet.py; edits belong into wording.yaml.
#
"""
SHARES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
"""Kinds by the number in a sense key."""
TAGGED = 30
"""Ten for each time that a verb was tagged in WordNet's texts: what is rarer is a word of some trade."""
FORMS = [("", ""), ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ied", "y"), ("ing", ""), ("ing", "e")]


def main() -> None:
    dictionary, corpus = Path(sys.argv[1]), Path(sys.argv[2])
    words = vocabulary(corpus)
    senses = {kind: ranked(dictionary / f"index.{name}", words) for name, kind in KINDS.items()}
    lines: dict[str, set[str]] = defaultdict(set)
    synsets = {kind: dict(read(dictionary / f"data.{name}")) for name, kind in KINDS.items()}
    for kind, found in synsets.items():
        for offset, (members, pointers) in found.items():
            close = [word for word in members if senses[kind].get(word, {}).get(offset, 99) < SENSES[kind]]
            if len(close) > 1:
                lines["="].add(" ".join(sorted(close)))
            for sign, other, other_kind, source, target in pointers:
                there = synsets[other_kind].get(other, ([], []))[0]
                if source:
                    pair = (members[source - 1], there[target - 1] if target <= len(there) else "")
                    if set(pair) <= words and pair[0] != pair[1] and sign in ("+", "\\", "!", "<"):
                        lines["!" if sign == "!" else "+"].add(" ".join(sorted(pair)))
                elif sign == "&" or sign == "@" and kind == "v":
                    above = [word for word in there if senses[kind].get(word, {}).get(other, 99) < 2]
                    below = [word for word in members if senses[kind].get(word, {}).get(offset, 99) < 2]
                    lines["=" if sign == "&" else "<"].update(f"{a} {b}" for a in below for b in above if a != b)
    licence = [
        f"# {line[2:].strip()}".rstrip() for line in (dictionary / "data.adv").read_text("utf-8").splitlines() if line.startswith("  ")
    ]
    licence = [re.sub(r"^# \d+ ?", "# ", line) for line in licence]
    lines["v"] = set(verbs(dictionary, words))
    body = [f"{sign} {line}" for sign in "=+!<v" for line in sorted(lines[sign])]
    TARGET.write_text(HEAD + "\n".join([*licence, *body]) + "\n", "utf-8")
    print(f"{TARGET.name}: {len(body)} lines of {len(words)} words", {sign: len(found) for sign, found in lines.items()})


def verbs(dictionary: Path, words: set[str]) -> Iterator[str]:
    """Forms that are used as verbs at least twice as often as otherwise, by the counts of WordNet's tagged texts."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for line in (dictionary / "index.sense").read_text("utf-8").splitlines():
        key, _, rank, tagged = line.split()
        word, _, rest = key.partition("%")
        counted[word][SHARES[rest[0]]] += 10 * int(tagged) + (rank == "1")
    for word in words:
        bases = [word[: len(word) - len(end)] + instead for end, instead in FORMS if word.endswith(end)]
        counts = next((counted[base] for base in bases if base in counted), Counter())
        if counts["v"] >= TAGGED and counts["v"] >= 2 * (sum(counts.values()) - counts["v"]):
            yield word


def vocabulary(corpus: Path) -> set[str]:
    counted: Counter[str] = Counter()
    for shard in sorted((corpus / "articles").glob("*.zst")):
        with shard.open("rb") as file:
            for number, line in enumerate(io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8")):
                if number % EVERY == 0:
                    counted.update(set(re.findall(r"[a-z]{3,}", json.loads(line)["abstract"].lower())))
    return {word for word, count in counted.items() if count >= LEAST}


def ranked(index: Path, words: set[str]) -> dict[str, dict[str, int]]:
    """For each word its synsets with the rank of the sense, 0 the most frequent."""
    found = {}
    for line in index.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            if fields[0] in words:
                found[fields[0]] = {offset: rank for rank, offset in enumerate(fields[-int(fields[2]) :])}
    return found


def read(data: Path) -> Iterator[tuple[str, tuple[list[str], list[tuple[str, str, str, int, int]]]]]:
    """Synsets: members in small letters, and pointers (sign, offset, kind, number of the source word or 0, of the target word)."""
    for line in data.read_text("utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split("|")[0].split()
        count = int(fields[3], 16)
        members = [re.sub(r"\(.*\)", "", word).lower() for word in fields[4 : 4 + 2 * count : 2]]
        at = 4 + 2 * count
        pointers = []
        for number in range(int(fields[at])):
            sign, offset, kind, numbers = fields[at + 1 + 4 * number : at + 5 + 4 * number]
            pointers.append((sign, offset, "a" if kind == "s" else kind, int(numbers[:2], 16), int(numbers[2:], 16)))
        yield fields[0], (members, pointers)


if __name__ == "__main__":
    main()
