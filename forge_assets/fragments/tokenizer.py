"""01-tokenizer: trained on the corpus, measured beside known tokenizers, saved so that stock transformers loads it.

`texts of the corpus -> words -> byte-level BPE or Unigram -> folder`. A sixteenth of the documents, by the hash that is their id, is
held out for the figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.card import card
from forge_assets.fragments.chain import TOKENIZER
from forge_assets.fragments.plan import Plan, data_version, toolchain
from forge_assets.fragments.unigram import train_unigram
from forge_resources.errors import FragmentError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BPE = frozenset({"bpe", "byte-level-bpe", "subword-tokenization", "tiktoken", "hf-tokenizers", "subword-nmt"})
UNIGRAM = frozenset({"unigram-lm-tokenizer", "sentencepiece"})
CHAT = ("<|im_start|>", "<|im_end|>")
BYTES = 256
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""ChatML (OpenAI 2023), as Qwen's models have it."""
MOST_CHARACTERS = {"bpe": 200_000_000, "unigram": 32_000_000}
"""Of text that is trained on; more changes a vocabulary of 32k to 128k little (Liang et al. 2023, arXiv 2301.10472, section 5)."""
MEASURED = 2_000_000
KNOWN = (("gpt2", "GPT-2"), ("Qwen/Qwen3-0.6B", "Qwen3"))
GOLDEN = (
    "The attention of a layer",
    "  def f(x):\n\treturn x ** 2\n",
    "Zürich, naïve, 日本語, 🙂",
    "<|im_start|>user\nHello<|im_end|>\n",
    "",
)
USE = """
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
print(tokenizer("The attention of a layer").input_ids)
"""
FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@dataclass(frozen=True, slots=True)
class Text:
    """A document of the corpus as the tokenizer sees it."""

    document: str
    uri: str
    content: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class Fertility:
    """Over the same text: bytes a token, and tokens a word (Rust et al. 2021, arXiv 2012.15613, section 3.1)."""

    name: str
    bytes_per_token: float
    tokens_per_word: float


class Texts(Protocol):
    """The corpus: all of it, what is held out of it, or what is not."""

    def __call__(self, held_out: bool | None = None) -> Iterable[Text]: ...


def kind_of(plan: Plan) -> str:
    """bpe or unigram. Raises FragmentError for a component that cannot be trained."""
    component = plan.slots.get("tokenizer") or "byte-level-bpe"
    if component in BPE:
        return "bpe"
    if component in UNIGRAM:
        return "unigram"
    raise FragmentError(f"no tokenizer {component} can be trained; pin tokenizer to one of {', '.join(sorted(BPE | UNIGRAM))}")


def write_tokenizer(plan: Plan, folder: Path, texts: Texts) -> None:
    """Trains, measures and writes. Raises FragmentError where the corpus has no text or the vocabulary has no room for bytes."""
    kind, special = kind_of(plan), (*plan.special, *CHAT)
    if plan.vocabulary < BYTES + len(special):
        raise FragmentError(
            f"a vocabulary of {plan.vocabulary} has no room for {BYTES} bytes and {len(special)} special tokens; ask for more"
        )
    used: list[Text] = []
    made = _bpe(plan, special, _training(texts, kind, used)) if kind == "bpe" else _unigram(plan, special, _training(texts, kind, used))
    if not used:
        raise FragmentError("the corpus has no text to train a tokenizer on; add a source (`forge source add FOLDER`) and `forge run`")
    made.save(str(folder / "tokenizer.json"), pretty=True)
    for name, text in settings_of(plan).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "sources.tsv").write_text("".join(f"{one.document}\t{one.uri}\n" for one in used), encoding="utf-8")
    shown = _figures(plan, made, kind, texts, used)
    config = {**plan.resolved(), "fragment": TOKENIZER, "parents": {}, "toolchain": toolchain(),
              "data_version": data_version(plan, TOKENIZER, {}), "kind": kind,
              "tokens": made.get_vocab_size(), "documents": len(used)}  # fmt: skip
    metadata = {"fragment": TOKENIZER, "blueprint": plan.blueprint, "spec_sha256": plan.spec, "corpus_snapshot": plan.snapshot,
                "seed": str(plan.seed), "parents": "{}", "source_documents": "sources.tsv"}  # fmt: skip
    st.write_arrays(folder / "io.safetensors", _golden(made), metadata)
    told = json.dumps({"forge": config}, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "config.json").write_text(told + "\n", encoding="utf-8")
    (folder / "test_contract.py").write_text(contract(), encoding="utf-8")
    (folder / "README.md").write_text(card(plan, TOKENIZER, {}, shown, USE), encoding="utf-8")


def contract() -> str:
    return (Path(__file__).parent / "tokenizer_contract.py.txt").read_text(encoding="utf-8")


def check_tokenizer(folder: Path, config: Mapping[str, Any]) -> None:
    """Raises FragmentError where it does not load, has more tokens than the model's vocabulary, or encodes the golden texts otherwise."""
    if not (folder / "sources.tsv").is_file() or not all((folder / name).is_file() for name in FILES):
        raise FragmentError(f"{folder} lacks one of {', '.join(FILES)}, sources.tsv; fetch the fragment again")
    known = config["toolchain"].get("fragments") == toolchain()["fragments"]
    if known and (folder / "test_contract.py").read_bytes() != contract().encode():
        raise FragmentError(f"{folder / 'test_contract.py'} is not Forge's; do not run it: fetch the fragment again")
    made = loaded(folder)
    if made.get_vocab_size() > config["vocabulary"]:
        raise FragmentError(
            f"{folder} has {made.get_vocab_size():,} tokens, more than the vocabulary of {config['vocabulary']:,}; it is of another model"
        )
    wanted = {name: np.array(one) for name, one in st.arrays(folder / "io.safetensors")}
    head = st.header(folder / "io.safetensors").metadata
    if (head.get("fragment"), head.get("blueprint")) != (TOKENIZER, config["blueprint"]):
        told = f"{head.get('fragment')} of {head.get('blueprint')}"
        raise FragmentError(f"{folder / 'io.safetensors'} is of {told}; expected {TOKENIZER} of {config['blueprint']}")
    found = _golden(made)
    if found.keys() != wanted.keys() or any(not np.array_equal(found[name], wanted[name]) for name in found):
        raise FragmentError(f"{folder / 'tokenizer.json'} does not give the golden tokens of io.safetensors; one of the two is swapped")


def loaded(folder: Path) -> Tokenizer:
    """Raises FragmentError where tokenizer.json is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises Exception itself
        raise FragmentError(f"{folder / 'tokenizer.json'} is no tokenizer: {str(error)[:200]}") from None


def _training(texts: Texts, kind: str, used: list[Text]) -> Iterator[str]:
    """Up to the most characters that are trained on; `used` collects what was, without its text."""
    left = MOST_CHARACTERS[kind]
    for one in texts(held_out=False):
        if not one.content:
            continue
        if left <= 0:
            return
        used.append(Text(one.document, one.uri, "", one.held_out))
        yield one.content[:left]
        left -= len(one.content)


def _blank(model: Any) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, pre_tokenizers

    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def _alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _bpe(plan: Plan, special: Sequence[str], texts: Iterator[str]) -> Tokenizer:
    from tokenizers import models, trainers

    made = _blank(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary, special_tokens=list(special), initial_alphabet=_alphabet(), show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made


def _unigram(plan: Plan, special: Sequence[str], texts: Iterator[str]) -> Tokenizer:
    from tokenizers import AddedToken, models, pre_tokenizers

    cut = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in cut.pre_tokenize_str(text))
    pieces = train_unigram(words, plan.vocabulary - len(special), _alphabet())
    lowest = min((score for _, score in pieces), default=0.0) - 10.0
    made = _blank(models.Unigram([*((token, lowest) for token in special), *pieces], unk_id=None, byte_fallback=False))
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


def roles(special: Sequence[str]) -> dict[str, str]:
    """Begin, end and padding, in the order in which specs name them; without padding the end fills up."""
    found = dict(zip(("bos_token", "eos_token", "pad_token"), special, strict=False))
    if "eos_token" in found:
        found.setdefault("pad_token", found["eos_token"])
    return found


def settings_of(plan: Plan) -> dict[str, str]:
    """The files beside tokenizer.json by name."""
    told = {"tokenizer_class": "PreTrainedTokenizerFast", **roles(plan.special),
            "model_max_length": plan.context, "clean_up_tokenization_spaces": False, "additional_special_tokens": list(CHAT)}  # fmt: skip
    text = json.dumps(told, indent=2, sort_keys=True) + "\n"
    return {"tokenizer_config.json": text, "chat_template.jinja": CHAT_TEMPLATE}


def _golden(made: Tokenizer) -> dict[str, st.Array]:
    found: dict[str, st.Array] = {}
    for number, text in enumerate(GOLDEN):
        found[f"inputs.text.{number}"] = np.frombuffer(text.encode(), np.uint8)
        found[f"outputs.ids.{number}"] = np.array(made.encode(text, add_special_tokens=False).ids, np.int64)
    return found


def _figures(plan: Plan, made: Tokenizer, kind: str, texts: Texts, used: Sequence[Text]) -> dict[str, str]:
    """Rows of the card: the vocabulary, and fertility on held-out text beside the tokenizers whose files are here."""
    sample = _sample(texts, held_out=True)
    where = "held-out text" if sample else "the text it was trained on"
    sample = sample or _sample(texts, held_out=False)
    rows = {"kind": "byte-level BPE" if kind == "bpe" else "Unigram over bytes",
            "tokens": f"{made.get_vocab_size():,} of {plan.vocabulary:,}",
            "trained on": f"{len(used):,} documents of the corpus (sources.tsv)"}  # fmt: skip
    for one in [fertility("this one", made, sample), *known_fertilities(sample)]:
        rows[f"{one.name} on {where}"] = f"{one.bytes_per_token:.2f} bytes a token, {one.tokens_per_word:.2f} tokens a word"
    return rows


def _sample(texts: Texts, held_out: bool) -> str:
    parts: list[str] = []
    left = MEASURED
    for one in texts(held_out):
        parts.append(one.content[:left])
        left -= len(one.content)
        if left <= 0:
            break
    return "\n".join(parts)


def fertility(name: str, made: Tokenizer, sample: str) -> Fertility:
    tokens = len(made.encode(sample, add_special_tokens=False).ids) or 1
    return Fertility(name, len(sample.encode()) / tokens, tokens / (len(sample.split()) or 1))


def known_fertilities(sample: str) -> list[Fertility]:
    """Of those whose files lie in the cache of Hugging Face; nothing is downloaded."""
    from huggingface_hub import try_to_load_from_cache
    from tokenizers import Tokenizer

    found = []
    for repository, name in KNOWN:
        path = try_to_load_from_cache(repository, "tokenizer.json")
        if isinstance(path, str):
            found.append(fertility(name, Tokenizer.from_file(path), sample))
    return found
