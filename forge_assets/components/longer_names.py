"""Whether a capitalised neighbour makes a known name part of a longer, unknown one: "Register Mamba", "Transformer Filter".

Only in running text, where words without a name in them begin small: in titles and headings every word is capitalised.
"""

from __future__ import annotations

import re

from forge_assets.components.found import Found
from forge_assets.components.lexicon import Lexicon
from forge_assets.components.text import Reading

_BEFORE = re.compile(r"(?<=[\w,)] )[A-Z][a-z]{2,}(?:-[A-Za-z][a-z]+(?<!-based)(?<!-like)(?<!-style)(?<!-level))* \Z")
_AFTER = re.compile(r" (?P<word>[A-Z][a-z]{2,})(?![\w'’-])(?! et al)")
# They say whose it is, where it stands, or what all of its kind are, and make no other thing of it.
_MAKERS = frozenset(
    "openai google meta nvidia microsoft ibm intel amd apple amazon alibaba baidu huawei tencent deepmind anthropic mistral stanford "
    "mozilla facebook bytedance hugging graphcore xilinx github nvidia cohere salesforce".split()
)
_PLAIN = frozenset(
    "the this these those our all both each and but for with from using via like given while although when where since then than also "
    "baseline standard vanilla original classical conventional traditional naive plain basic deep stacked multimodal pretrained recurrent "
    "artificial convolutional modern large small base tiny open advanced existing applying accelerate train training fine-tuning "
    "finetuning learning towards toward introducing improving understanding".split()
)
_KINDS = frozenset(
    "model models network networks score scores machine machines field fields encoder encoders decoder decoders optimizer optimizers "
    "architecture architectures framework frameworks loss losses layer layers block blocks module modules large language vision "
    "visual representation representations training pretraining learning algorithm algorithms method methods search task tasks "
    "dataset datasets based style pretrain pretrained finetune finetuned head heads backbone backbones baseline baselines embedding "
    "embeddings attention and with for from the using via".split()
)


# Versions of a model that its maker sells under the same name.
_VERSIONS = frozenset("pro flash ultra nano sonnet opus haiku turbo mini max instruct chat coder advanced plus".split())


def is_part(lexicon: Lexicon, reading: Reading, item: Found) -> bool:
    """Whether what was found is a technique written with a capital beside a capitalised word that is neither a maker nor of its kind."""
    text, start, end = reading.text, item.start, item.end
    if not item.way.technique or not text[start].isupper():
        return False
    before = _BEFORE.search(text, max(0, start - 40), start)
    after = _AFTER.match(text, end)
    if not before and not after or reading.in_heading(start):
        return False
    if before and _renames(lexicon, before[0].strip(), _PLAIN | _MAKERS):
        return True
    return after is not None and item.way.proper and _renames(lexicon, after["word"], _KINDS | _VERSIONS if item.way.model else _KINDS)


def _renames(lexicon: Lexicon, word: str, harmless: frozenset[str]) -> bool:
    return word.lower() not in harmless and not lexicon.components_of(word)
