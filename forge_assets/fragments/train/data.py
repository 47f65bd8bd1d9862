"""The tokens that a run learns from and is measured on: `corpus -> without copies -> tokens, each document with its end -> two files`.

Validation is text of works that are held out of training by the hash that is their id. The files are filled a batch of documents at a
time and a journal tells how far; a killed run goes on there. Windows of a file are visited in an order drawn anew for each epoch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.fragments.tokenizer import Text, Texts, loaded, roles
from forge_resources.errors import FragmentError

JOURNAL, PARTS = "tokens.json", ("validation", "train")
BATCH = 256
MARK = 8
"""Bytes of the hash by which a copy is known."""
SHARE = 16
"""One part in so many of the training text is held out where no document's id holds it out."""
Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class Part:
    """`documents`: read so far, the last of them `last`; `taken`: those that are no copies and not empty; `digest`: of what was taken."""

    documents: int = 0
    taken: int = 0
    tokens: int = 0
    last: str = ""
    digest: str = ""
    done: bool = False


@dataclass(slots=True)
class Tokens:
    """`dtype`: of the files. `held_out`: whether works are, or only the end of the training text, for want of works."""

    dtype: str
    held_out: bool = True
    parts: dict[str, Part] = field(default_factory=lambda: {name: Part() for name in PARTS})


def prepared(texts: Texts, tokenizer: Path, special: tuple[str, ...], vocabulary: int, work: Path, wanted: Mapping[str, int],
             window: int) -> Tokens:  # fmt: skip
    """Fills `validation.bin` and `train.bin` of the work folder with up to so many tokens each. Raises FragmentError where the corpus has
    too little text for one window of each."""
    made = begun(work, "<u2" if vocabulary <= 1 << 16 else "<u4")
    encoder = loaded(tokenizer)
    end = encoder.token_to_id(roles(special).get("eos_token", ""))
    for name in PARTS:
        if not made.parts[name].done:
            _Filling(made, name, work, encoder, end).fill(partial(texts, held_out=name == "validation"), wanted[name])
    if made.parts["validation"].tokens <= window and made.held_out:
        _hold_out_the_end(made, work, window)
    if (found := made.parts["train"].tokens) <= window:
        raise FragmentError(f"the corpus gives {found:,} tokens to train on; expected more than the {window:,} of a window: add sources")
    return made


def begun(work: Path, dtype: str = "<u2") -> Tokens:
    """As the journal says, or nothing yet."""
    path = work / JOURNAL
    if not path.is_file():
        return Tokens(dtype)
    held = json.loads(path.read_text())
    return Tokens(held["dtype"], held["held_out"], {name: Part(**part) for name, part in held["parts"].items()})


def tell(made: Tokens, work: Path) -> None:
    aside = work / f"{JOURNAL}.new"
    aside.write_text(json.dumps(asdict(made), indent=2) + "\n")
    aside.replace(work / JOURNAL)


class _Filling:
    """One file being filled: tokens in `NAME.bin`, and in `NAME.seen` the marks of the documents that they are of."""

    def __init__(self, made: Tokens, name: str, work: Path, encoder: Any, end: int | None) -> None:
        self.made, self.name, self.part, self.work, self.encoder = made, name, made.parts[name], work, encoder
        self.end = [] if end is None else [end]
        self.bins, self.marks = work / f"{name}.bin", work / f"{name}.seen"
        self._see()

    def _see(self) -> None:
        """The marks of what both files hold."""
        self.seen: set[bytes] = set()
        for other, part in self.made.parts.items():
            path = self.work / f"{other}.seen"
            marks = path.read_bytes()[: MARK * part.taken] if path.is_file() else b""
            self.seen |= {marks[at : at + MARK] for at in range(0, len(marks), MARK)}

    def fill(self, texts: Callable[[], Iterable[Text]], wanted: int) -> None:
        left = self._behind(texts)
        with self.bins.open("ab") as bins, self.marks.open("ab") as marks:
            bins.truncate(self.part.tokens * np.dtype(self.made.dtype).itemsize)
            marks.truncate(self.part.taken * MARK)
            while self.part.tokens < wanted and (batch := list(islice(left, BATCH))):
                fresh = list(self._fresh(batch))
                ids = self._encoded(fresh)[: wanted - self.part.tokens]
                ids.tofile(bins)
                marks.writelines(mark for mark, _ in fresh)
                for opened in (bins, marks):
                    opened.flush()
                    os.fsync(opened.fileno())
                self._count(batch, fresh, len(ids))
                tell(self.made, self.work)
        self.part.done = True
        tell(self.made, self.work)

    def _behind(self, texts: Callable[[], Iterable[Text]]) -> Iterator[Text]:
        """What comes after the documents that were read; all, and the file anew, where the corpus is another by now."""
        left, read = iter(texts()), self.part.documents
        if read and [one.document for one in islice(left, read - 1, read)] != [self.part.last]:
            self.part = self.made.parts[self.name] = Part()
            self._see()
            return iter(texts())
        return left

    def _fresh(self, batch: list[Text]) -> Iterator[tuple[bytes, Text]]:
        for one in batch:
            words = " ".join(one.content.lower().split())
            mark = hashlib.sha256(words.encode()).digest()[:MARK]
            if words and mark not in self.seen:
                self.seen.add(mark)
                yield mark, one

    def _encoded(self, fresh: list[tuple[bytes, Text]]) -> Array:
        made = self.encoder.encode_batch_fast([one.content for _, one in fresh], add_special_tokens=False)
        return np.concatenate([np.zeros(0, self.made.dtype), *(np.array([*one.ids, *self.end], self.made.dtype) for one in made)])

    def _count(self, batch: list[Text], fresh: list[tuple[bytes, Text]], tokens: int) -> None:
        told = "".join(f"{one.document} {mark.hex()}\n" for mark, one in fresh)
        self.part.digest = hashlib.sha256((self.part.digest + told).encode()).hexdigest()
        self.part.documents += len(batch)
        self.part.taken += len(fresh)
        self.part.tokens += tokens
        self.part.last = batch[-1].document


def _hold_out_the_end(made: Tokens, work: Path, window: int) -> None:
    train, validation = made.parts["train"], made.parts["validation"]
    tokens = np.fromfile(work / "train.bin", made.dtype)[: train.tokens]
    held = max(window + 1, len(tokens) // SHARE)
    if len(tokens) - held <= window:
        raise FragmentError(
            f"the corpus gives {len(tokens):,} tokens; expected more than {2 * window + 2:,}: add sources, or a shorter one"
        )
    tokens[-held:].tofile(work / "validation.bin")
    validation.tokens, validation.digest, train.tokens, made.held_out = held, train.digest, len(tokens) - held, False
    tell(made, work)


class Windows:
    """Window i of a file holds its tokens i * context to (i + 1) * context, both included."""

    def __init__(self, work: Path, name: str, made: Tokens, context: int) -> None:
        self.tokens: Array = np.memmap(work / f"{name}.bin", made.dtype, "r", shape=(made.parts[name].tokens,))
        self.context = context

    def __len__(self) -> int:
        return (len(self.tokens) - 1) // self.context

    def batch(self, places: list[int]) -> Array:
        """i64[len(places), context + 1]"""
        return np.stack([self.tokens[at * self.context : (at + 1) * self.context + 1].astype(np.int64) for at in places])


class Order:
    """Which window stands at which place of an endless run; each epoch has each window once, in an order of its own."""

    def __init__(self, windows: int, seed: int) -> None:
        self.windows, self.seed = windows, seed
        self.epoch = -1
        self.order: Array = np.zeros(0, np.int64)

    def __getitem__(self, place: int) -> int:
        epoch, within = divmod(place, self.windows)
        if epoch != self.epoch:
            self.order, self.epoch = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(self.windows), epoch
        return int(self.order[within])


def unigram_entropy(tokens: Array) -> float:
    """Nats a token that a model without context needs at least (Shannon 1948, section 7)."""
    counts = np.unique(tokens, return_counts=True)[1] / len(tokens)
    return float(-(counts * np.log(counts)).sum())
