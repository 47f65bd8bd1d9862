"""How much of the protocol a server takes: constrained answers and sampling parameters are left out one by one where it refuses them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from forge_resources.language_model.interface import Form, Question

OPTIONAL = ("temperature", "seed", "max_tokens")
_ABOUT_FORM = re.compile(r"(?i)response_format|json|schema|grammar|guided|structured")
_UNKNOWN = re.compile(r"(?i)not support|unsupported|not permitted|unrecogni[sz]ed|unknown|extra|unexpected|does not allow|invalid param")
_NEXT: dict[Form, Form] = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """`without` names sampling parameters that the server refused."""

    form: Form = "json_schema"
    without: frozenset[str] = frozenset()

    def request(self, question: Question) -> tuple[str, str, dict[str, Any]]:
        """System message, user message, and the parameters of OpenAIChatGenerator.run."""
        parameters: dict[str, Any] = {"temperature": question.temperature, "seed": question.seed, "max_tokens": question.max_tokens}
        if "max_tokens" in self.without:
            parameters["max_completion_tokens"] = question.max_tokens  # its name in OpenAI's newer models
        parameters = {name: value for name, value in parameters.items() if name not in self.without}
        if question.schema is None:
            return question.system, question.user, parameters
        if self.form == "json_schema":
            described = {"name": "answer", "strict": True, "schema": dict(question.schema)}
            # by extra_body, for otherwise the client raises on answers that were cut off, and their tokens go uncounted
            return (
                question.system,
                question.user,
                {**parameters, "extra_body": {"response_format": {"type": "json_schema", "json_schema": described}}},
            )
        if self.form == "json_object":
            parameters["extra_body"] = {"response_format": {"type": "json_object"}}
        told = f"{question.system}\n\nAnswer with one JSON object and nothing else. Its JSON schema:\n{json.dumps(question.schema)}"
        return told, question.user, parameters


FULL = Dialect()


def simpler(dialect: Dialect, question: Question, parameter: str | None, said: str, proven: bool) -> Dialect | None:
    """What to try after a refusal that names `parameter` or says `said`; None where the question itself seems to be refused.

    `proven`: a constrained answer has come in this dialect before, so only what speaks of the form is about the form.
    """
    named = next(
        (name for name in OPTIONAL if name not in dialect.without and (parameter == name or (name in said and _UNKNOWN.search(said)))), None
    )
    if named:
        return replace(dialect, without=dialect.without | {named})
    if question.schema is not None and dialect.form in _NEXT and (not proven or _ABOUT_FORM.search(f"{parameter} {said}")):
        return replace(dialect, form=_NEXT[dialect.form])
    return None
