"""What topics are called: class-based TF-IDF (Grootendorst 2022, BERTopic) over the phrases of their works' titles and author keywords.

The weight of a phrase in a topic is the share of the topic's titles that hold it, times log(1 + 1 / its share in the mean topic); what
stands inside a longer phrase is taken off (C-value, Frantzi et al. 2000), so that "graph" gives way to "graph neural network". Of the
heaviest phrases those are taken that share no word with one taken before.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forge_assets.topics.phrases import WEAK, casing, key_of, phrases, singular

LABEL_PHRASES = 3
KEPT_PHRASES = 10
LEAST_COUNT = 2
LIFT = 2.0
"""A phrase that is not so many times as frequent here as in the mean topic tells nothing of the topic."""
LENGTHS = (1.0, 2.2, 2.8, 2.8)
"""Weight of phrases of one, two, ... words: two words say what a topic is where one says what it is near."""
WIDENED = 0.1
"""A single word gives way to the heaviest phrase around it that at least this share of its titles hold."""
NAME = 0.7
"""A word is a name when titles that write common words small write it large in at least this share."""
BROAD = frozenset(
    "learning model network neural deep machine data algorithm training train inference language prediction predict classification "
    "intelligence artificial ai information process processing".split()
)
"""Words of the whole field: a phrase of them alone is no label as long as there is another."""
MODIFIERS = frozenset(
    "based driven free aware guided level term wise like oriented specific related dimensional agnostic scale time style enabled".split()
)
"""Last words of what only modifies: training-free, LLM-based, real-time."""
SCHEME = re.compile(r"^[a-z-]+(\.[A-Za-z-]+)?$|:|\.[A-Z]{2}$")


@dataclass(slots=True)
class Words:
    """Counts of one topic: titles that hold a phrase, how the phrase is written, and the number of titles.

    `small` and `large` count how words are written in titles that write common words small.
    """

    titles: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    written: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    small: Counter[str] = field(default_factory=Counter)
    large: Counter[str] = field(default_factory=Counter)

    def add(self, title: str, keywords: Sequence[str] = ()) -> None:
        """A keyword of the authors is a second voice for a phrase that titles hold too; marks of a classification are none."""
        self.titles += 1
        found = dict(phrases(title))
        for key, phrase in found.items():
            self.counts[key] += 1
            self.written[key][phrase] += 1
        for word, large in casing(title):
            (self.large if large else self.small)[word] += 1
        self.counts.update({key_of(keyword) for keyword in keywords if not SCHEME.search(keyword)} - found.keys())

    def pruned(self) -> Words:
        """Without phrases that only one title holds, where there are titles enough."""
        least = LEAST_COUNT if self.titles >= 10 else 1
        kept = Counter({key: n for key, n in self.counts.items() if n >= least and key in self.written})
        return Words(self.titles, kept, {key: self.written[key] for key in kept}, self.small, self.large)


def joined(parts: Iterable[Words]) -> Words:
    """The counts of several topics together: those of their group."""
    whole = Words()
    for part in parts:
        whole.titles += part.titles
        whole.counts.update(part.counts)
        whole.small.update(part.small)
        whole.large.update(part.large)
        for key, written in part.written.items():
            whole.written[key].update(written)
    return whole


def ranked(topics: Sequence[Words]) -> list[list[tuple[str, float]]]:
    """For each topic (phrase as mostly written, share of the titles that hold it), the most telling first, at most KEPT_PHRASES."""
    everywhere: dict[str, float] = defaultdict(float)
    for topic in topics:
        for key, count in topic.counts.items():
            everywhere[key] += count / max(1, topic.titles)
    names = _names(topics)
    return [_ranked(topic, everywhere, len(topics), names) for topic in topics]


def label(found: Sequence[tuple[str, float]]) -> str | None:
    """The first phrases, as a title of a chapter would have them; None for a topic without words."""
    if not found:
        return None
    text = ", ".join(phrase for phrase, _ in found[:LABEL_PHRASES])
    return text[:1].upper() + text[1:]


def _ranked(topic: Words, everywhere: Mapping[str, float], topics: int, names: frozenset[str]) -> list[tuple[str, float]]:
    own = _own_counts(topic.counts)
    weights = {}
    for key, count in own.items():
        share, usual = count / max(1, topic.titles), everywhere[key] / topics
        apart = 1.0 if topics <= LIFT else 1.0 - LIFT * usual / share if share > LIFT * usual else 0.0
        weights[key] = share * apart * math.log(1.0 + 1.0 / usual) * LENGTHS[min(len(key.split()), len(LENGTHS)) - 1] * _telling(key)
    chosen: list[str] = []
    for key in sorted(weights, key=lambda one: (-weights[one], one)):
        if len(chosen) == KEPT_PHRASES or weights[key] <= 0:
            break
        wide = _widened(key, topic.counts, weights)
        if not any(_alike(wide, other) for other in chosen):
            chosen.append(wide)
    return [(_as_written(topic.written[key], names), round(topic.counts[key] / max(1, topic.titles), 4)) for key in chosen]


def _widened(key: str, counts: Counter[str], weights: Mapping[str, float]) -> str:
    if " " in key:
        return key
    around = [one for one in weights if " " in one and key in one.split() and counts[one] >= WIDENED * counts[key]]
    return max(around, key=lambda one: (weights[one], one), default=key)


def _names(topics: Sequence[Words]) -> frozenset[str]:
    """Words with a capital of their own, such as Bayesian."""
    whole = joined(Words(0, Counter(), {}, topic.small, topic.large) for topic in topics)
    return frozenset(word for word, n in whole.large.items() if n >= 3 and n >= NAME * (n + whole.small[word]))


def _own_counts(counts: Counter[str]) -> dict[str, float]:
    """Of each phrase the occurrences that are not part of one more frequent longer phrase."""
    within: dict[str, int] = defaultdict(int)
    for key, count in counts.items():
        parts = key.split()
        for size in range(1, len(parts)):
            for begin in range(len(parts) - size + 1):
                inner = key_of(" ".join(parts[begin : begin + size]))
                within[inner] = max(within[inner], count)
    return {key: count - within.get(key, 0) * 0.8 for key, count in counts.items()}


def _telling(key: str) -> float:
    """Less for phrases made of the words of the whole field, and for single words that end like verbs or qualities."""
    parts = key.split()
    broad = sum(part in BROAD or singular(part) in BROAD for part in parts)
    if broad == len(parts):
        return 0.3
    if parts[-1] in MODIFIERS:
        return 0.3
    inside = sum(part in WEAK for part in parts)
    return (0.5 if inside else 1.0) * (0.8 if len(parts) == 1 and parts[0].endswith(("ing", "ed", "ive", "al", "ly")) else 1.0)


def _alike(one: str, other: str) -> bool:
    """Whether the two share a word, by its stem, or one abbreviates the other; words of the whole field do not count."""
    if _short(one) in other.split() or _short(other) in one.split() or f" {one} " in f" {other} ":
        return True
    pairs = ((_stem(a), _stem(b)) for a in one.split() for b in other.split() if a not in BROAD and b not in BROAD)
    return one == other or any(a == b or (a[:5] == b[:5] and _near(a, b)) for a, b in pairs)


def _short(phrase: str) -> str | None:
    """The initials of two words or more: llm of large language model."""
    parts = phrase.split()
    return "".join(part[0] for part in parts) if len(parts) > 1 else None


def _near(one: str, other: str) -> bool:
    """Whether one begins with the other and is longer by two letters at most."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 5 and long.startswith(short) and len(long) - len(short) <= 2


def _stem(word: str) -> str:
    stem = singular(word)
    for end in ("izations", "isation", "ization", "ations", "ation", "ional", "ments", "ment", "ings", "ing", "ions", "ion", "ors", "or",
                "ers", "er", "ed", "al", "ive", "ity", "ic", "e"):  # fmt: skip
        if stem.endswith(end) and len(stem) - len(end) >= 4:
            return stem[: -len(end)]
    return stem


def _as_written(forms: Counter[str], names: frozenset[str]) -> str:
    """As most titles write it; a word that begins with a capital only because titles do is written small."""
    form = max(sorted(forms), key=lambda one: forms[one])
    return " ".join(word.title() if word.islower() and word in names else _lowered(word, names) for word in form.split())


def _lowered(word: str, names: frozenset[str]) -> str:
    """Abbreviations and names with capitals inside (BERT, LoRA, ImageNet) stay; Title Case becomes lower case, part by part."""
    if word.lower() in names:
        return word
    return "-".join(part.lower() if part[1:].islower() or len(part) == 1 else part for part in word.split("-"))
