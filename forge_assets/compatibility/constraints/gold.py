"""The gold set `compat_asserts` -> the compact `facts/compat_asserts.jsonl` of this room. Run once per edition of the set:

python -m forge_assets.compatibility.constraints.gold ../shared/gold/compat_asserts/facts.jsonl

A line of the file is [id, repository, path:line, severity, class, [[param, op, value], ...]]; a value "$name" is another param. Commits and
licences stand once per repository in `facts/frameworks.yaml`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "facts"
FILE = FOLDER / "compat_asserts.jsonl"
ORDERED = ("<", "<=", ">", ">=")
DIVIDED = ("divisible_by", "not_divisible_by")
NAMES = re.compile(r"[A-Za-z_][\w.]*")
OP = {"not_startswith": "not_starts_with"}
REFERENCES = {
    ("NVIDIA/Megatron-LM", "ckpt_fully_parallel_save_process_group", "!="),
    ("huggingface/transformers", "eval_strategy", "!="),
    ("Lightning-AI/litgpt", "n_head", "!="),
    ("EleutherAI/gpt-neox", "iteration", "not in"),
}
"""Comparisons for equality with a name that is a param too, and meant as one: read at the source. Others with such a name are words."""


def compact(lines: Iterable[str]) -> Iterator[str]:
    """The lines of the compact file, in the order of the gold set."""
    facts = [json.loads(line) for line in lines]
    params: dict[str, set[str]] = {}
    for fact in facts:
        params.setdefault(fact["repo"], set()).update(atom["param"] for atom in fact["forbidden"])
    for fact in facts:
        atoms = [_atom(fact["repo"], atom, params[fact["repo"]]) for atom in fact["forbidden"]]
        told = [fact["id"], fact["repo"], fact["source"], fact["severity"], fact["class"], atoms]
        yield json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _atom(repository: str, atom: dict[str, Any], params: Collection[str]) -> list[Any]:
    param, op, value = atom["param"], atom["op"], atom["value"]
    if isinstance(value, str) and not value.startswith("$") and _refers(repository, param, op, value, params):
        value = f"${value}"
    if isinstance(value, str) and value.isdigit():  # a configuration says 2, the code compares its text
        value = int(value)
    return [param, OP.get(op, op), value]


def _refers(repository: str, param: str, op: str, value: str, params: Collection[str]) -> bool:
    """Whether the text names another param: versions and numbers do not, and words do not stand in an order."""
    if op in DIVIDED or op in ORDERED:
        return NAMES.fullmatch(value) is not None
    if (repository, param, op) in REFERENCES:
        return value in params
    return param.startswith("len:") and op in ("==", "!=") and NAMES.fullmatch(value) is not None


if __name__ == "__main__":
    written = list(compact(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()))
    FILE.write_text("\n".join(written) + "\n", encoding="utf-8")
    print(f"{len(written)} facts in {FILE}")
