"""What stands around an entry of a configuration: what its key belongs to, the call it is an argument of, the names assigned together."""

from __future__ import annotations

import re

_NEEDS = {
    "r": r"lora|peft",
    "group_size": r"quant|bits|gptq|awq|w_?bit",
    "rank": r"lora|peft|adapter|mergekit",
    "tp": r"parallel|pp\b",
    "pp": r"parallel|tp\b",
    "dp": r"parallel|tp\b",
    "ep": r"parallel|tp\b",
    "nc": r"yolo|names\b|anchors",
    "heads": r"dim|depth|layers|attention",
    "dim": r"heads|n_layers|depth|vocab|rope",
    "depth": r"heads|dim\b|embed",
    "width": r"heads|layers|patch_size",
    "devices": r"trainer|accelerator|strategy|precision",
    "temp": r"top_[pk]|sampl",
    "opt": r"lr|epoch|momentum",
    "beam": r"lm|decode|search|generate|fairseq|remove-bpe",
    "smoothing": r"label",
    "stride": r"conv|kernel|max_seq|doc_stride|tokenizer",
    "activation": r"layer|dense|hidden|model|config|dropout",
    "block_size": r"n_layer|n_embd|vocab|model_name_or_path|do_train|per_device",
    "scheduler": r"lr|epoch|warm|optim",
    "max_norm": r"clip|grad",
    "smoothing_factor": r"label",
    "num_steps": r"train|lr|learning|optim",
    "num_samples": r"train|dataset|num_bytes",
    "num_examples": r"train|num_bytes|dataset",
    "random_state": r"train|model|lora|fit",
    "precision": r"train|model|fp16|bf16|16|dtype|devices",
    "maxlen": r"token|model|seq|pad",
    "max_len": r"token|model|seq|pad",
    "max_length": r"token|model|train|config|pad|generate|inputs|translat|summar|text",
    "dtype": r"from_pretrained|LLM\(|vllm|train|config|model_name|max_model_len",
    "top_k": r"generat|sampl|temperature|top_p|decod",
    "num_processes": r"accelerate|distributed|mixed_precision",
    "world_size": r"train|parallel|gpu",
}
_NEEDED = {key: re.compile(pattern, re.IGNORECASE) for key, pattern in _NEEDS.items()}
_TUPLE = re.compile(r"\s*(?:\w+,\s*)+")
_LONGEST_TUPLE = 400
_GENERATING = re.compile(r"generat|do_sample|num_return_sequences|num_beams|top_p", re.IGNORECASE)
_LONGEST_CALL = 600
_NAME_BEFORE = re.compile(r"[\w.]+\Z")
_READS = re.compile(
    r"token|encod|processor|preprocess|from_pretrained|config|init|def\b|dict|pad|DataCollator|Args|Arguments|extractor|Dataset",
    re.IGNORECASE,
)


class Beside:
    """Tells for the keys of one block whether what they belong to stands in it, outside of their own entry."""

    def __init__(self, block: str) -> None:
        self._block = block
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._told: dict[tuple[str, str], bool] = {}

    def misses(self, key: str, entry: str) -> bool:
        """Whether `key` counts only beside what it belongs to, and that is nowhere in the block but in the entry itself."""
        if key not in _NEEDED:
            return False
        if (key, entry) not in self._told:
            self._told[key, entry] = self._look(key, entry)
        return not self._told[key, entry]

    def _look(self, key: str, entry: str) -> bool:
        block, size = self._block, len(entry)
        if key not in self._spans:
            self._spans[key] = [found.span() for found in _NEEDED[key].finditer(block)]
        spans = self._spans[key]
        if any(block.find(entry, max(0, low - size + 1), high + size - 1) < 0 for low, high in spans):
            return True
        return bool(spans) and _NEEDED[key].search(block.replace(entry, " ")) is not None


def in_tuple(text: str, start: int, at: int) -> bool:
    """Whether only names and commas stand before `at` in its line: "a, b, c = 1, 2, 3"."""
    low = max(start, at - _LONGEST_TUPLE)
    line = text.rfind("\n", low, at) + 1 or low
    return (line > low or low == start) and _TUPLE.fullmatch(text, line, at) is not None and _call_around(text, start, at) is None


def of_output(text: str, start: int, at: int, end: int) -> bool:
    """Whether the max_length at `at` bounds what is generated: by the call it is an argument of, else by what stands around it."""
    call = _call_around(text, start, at)
    if call:
        return _READS.search(call) is None
    return _GENERATING.search(text, max(start, at - 160), end) is not None


def _call_around(text: str, start: int, at: int) -> str | None:
    """The name before the bracket that is open at `at`, "" where there is none, None outside of all brackets; some lines are looked at."""
    depth = 0
    for place in range(at - 1, max(start, at - _LONGEST_CALL) - 1, -1):
        letter = text[place]
        if letter in ")]}":
            depth += 1
        elif letter in "([{" and depth:
            depth -= 1
        elif letter in "([{":
            name = _NAME_BEFORE.search(text[max(start, place - 60) : place])
            return name[0] if name and letter == "(" else ""
    return None
