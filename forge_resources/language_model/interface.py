"""What is asked of a language model, what it answers and what that cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Form = Literal["json_schema", "json_object", "text"]
"""How an answer was held to its schema: by the server's constrained decoding, to be some JSON object, or by the prompt alone."""

Finish = Literal["stop", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `schema` is a JSON schema (draft 2020-12) of an object; `max_tokens` bounds the answer."""

    system: str
    user: str
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0

    def key(self, model: str) -> str:
        """SHA-256 (hex) of the model's name and everything that is asked: the same key, the same answer."""
        asked = {"model": model, **asdict(self)}
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def most_tokens(self) -> int:
        """What it may cost: three bytes of the prompt to a token, which is more than tokenizers make of English, and the whole answer."""
        written = len(self.system.encode("utf-8", "replace")) + len(self.user.encode("utf-8", "replace"))
        return (written + len(json.dumps(self.schema or {}))) // 3 + 16 + self.max_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is None where the model refused; `finish` is 'length' where the answer was cut off at `max_tokens`."""

    text: str | None
    finish: Finish
    form: Form
    prompt_tokens: int
    completion_tokens: int
    cached: bool = False

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(slots=True)
class Usage:
    """Of one run. `asked` questions went to the endpoint in `requests` requests, `cached` did not; tokens are those of the run,
    estimated where the endpoint tells none."""

    asked: int = 0
    cached: int = 0
    failed: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
