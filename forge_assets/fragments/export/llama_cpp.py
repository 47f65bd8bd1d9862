"""llama.cpp as a client of GGUF files: its tokens, its greedy text with the log-probabilities of each step, its hidden states."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from forge_assets.fragments.export.llama_architectures import Array
from forge_resources.errors import FragmentError
from forge_resources.settings import PROJECT

if TYPE_CHECKING:
    import httpx

SECONDS = 600.0
"""Longest for one answer."""
LEAVING = 30.0
"""Seconds in which the server ends once its input is closed."""
OUTPUTS = ("output.weight", "token_embd.weight")
"""The table of the output; without one of its own the embedding's."""


@dataclass(frozen=True, slots=True)
class Completed:
    """`log_probabilities` [steps, v] of the token after the prompt and of those after each token of the completion but its last."""

    tokens: list[int]
    text: str
    log_probabilities: Array


@contextmanager
def served(path: Path, context: int, threads: int = 1, kind: str = "text") -> Iterator[LlamaCpp]:
    """One file, served until the block ends. Raises FragmentError where llama.cpp does not take it, with what it says."""
    import httpx

    command = [sys.executable, "-m", f"{__package__}.llama_server", str(path), str(context), str(threads), kind]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with (
        tempfile.TemporaryFile("w+") as told,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True, env=environment) as process,
    ):
        assert process.stdin and process.stdout
        try:
            address = process.stdout.readline().strip()
            if not address.startswith("http"):
                process.wait()
                raise failure(path, told, address)
            with httpx.Client(base_url=address, timeout=SECONDS, trust_env=False) as http:
                yield LlamaCpp(path, http, told)
        finally:
            process.stdin.close()
            try:
                process.wait(LEAVING)
            except subprocess.TimeoutExpired:
                process.kill()


def failure(path: Path, told: IO[str], what: str) -> FragmentError:
    told.seek(0)
    lines = [what, *told.read().splitlines()]
    said = [line.strip() for line in lines if "error" in line.lower() or "assert" in line.lower()] or [line for line in lines if line]
    return FragmentError(f"llama.cpp does not take {path.name}: {(said or ['it ended without a word'])[0][:300]}")


class LlamaCpp:
    """A file that is served, and what llama.cpp has told of it."""

    def __init__(self, path: Path, http: httpx.Client, told: IO[str]) -> None:
        self.path, self.http, self.told = path, http, told
        self.head: Array | None = None

    def _asked(self, path: str, **content: Any) -> Any:
        import httpx

        try:
            answer = self.http.post(path, json=content)
        except httpx.TransportError as error:
            raise failure(self.path, self.told, str(error)) from None
        if answer.status_code != httpx.codes.OK:
            raise failure(self.path, self.told, f"error: {answer.text[:300]}")
        return answer.json()

    def encode(self, text: str) -> list[int]:
        tokens: list[int] = self._asked("/tokenize", content=text, add_special=False, parse_special=True)["tokens"]
        return tokens

    def greedy(self, prompt: str, most: int, vocabulary: int) -> Completed:
        """The likeliest token again and again, from a text."""
        found = self._asked(
            "/completion", prompt=prompt, n_predict=most, temperature=0, n_probs=vocabulary, cache_prompt=False, return_tokens=True
        )
        steps = found["completion_probabilities"]
        made = np.full((len(steps), vocabulary), np.nan, np.float32)
        for row, step in zip(made, steps, strict=True):
            row[[one["id"] for one in step["top_logprobs"]]] = [one["logprob"] for one in step["top_logprobs"]]
        return Completed(found["tokens"], found["content"], made)

    def logits(self, ids: Array) -> Array:
        """`ids` [b, t] -> [b, t, v]: the hidden states of llama.cpp through the table of the output as the file has it. Needs `hidden`."""
        if self.head is None:
            self.head = _table(self.path)
        rows = [np.array(self._asked("/embeddings", content=_plain(row))[0]["embedding"], np.float32) for row in ids]
        return np.stack([row @ self.head.T for row in rows])


def _plain(row: Array) -> Sequence[int]:
    found: list[int] = row.tolist()
    return found


def _table(path: Path) -> Array:
    import gguf

    held = {one.name: one for one in gguf.GGUFReader(path).tensors}
    one = next(held[name] for name in OUTPUTS if name in held)
    made: Array = gguf.dequantize(one.data, one.tensor_type)
    return made
