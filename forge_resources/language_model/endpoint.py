"""One exchange with an OpenAI-compatible endpoint by Haystack's OpenAIChatGenerator.

In: a Question. Out: an Answer. Rate limits, errors of the server and timeouts are tried again by the openai client, with growing pauses or
as long as Retry-After asks (up to two minutes; one that asks for more is not asked again). Raises LanguageModelError where asking on is
useless, NoAnswer where another question may fare better. The key goes into the header of requests and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

from forge_resources.errors import LanguageModelError, NoAnswer
from forge_resources.http_answers import safe_url
from forge_resources.language_model.dialect import FULL, Dialect, simpler
from forge_resources.language_model.interface import Answer, Finish, Question

MOST_BYTES = 4_000_000
"""Of one answer's body; the longest answers have some hundred thousand."""
REFUSALS = (400, 415, 422, 501)
ADVICE = {
    401: "check FORGE_LLM_API_KEY",
    403: "check FORGE_LLM_API_KEY and what it allows",
    404: "check FORGE_LLM_BASE_URL (it usually ends in /v1) and FORGE_LLM_MODEL",
    429: "it asks for fewer requests, or the account is used up; a later run goes on; FORGE_LLM_PARALLEL sets how many run at once",
}


class Endpoint:
    """`timeout_s` bounds each try as a whole, `tries` counts the first one."""

    def __init__(self, base_url: str, model: str, api_key: str | None, *, timeout_s: float, tries: int = 5) -> None:
        self.model = model
        self._where = safe_url(base_url)
        self._base_url, self._api_key = base_url.rstrip("/"), api_key
        self._timeout_s, self._tries = timeout_s, tries
        self._generator: Any = None
        self._lock = threading.Lock()
        self._dialect, self._proven = FULL, False
        self._sent = threading.local()

    def ask(self, question: Question) -> Answer:
        """An answer as it came: refused, cut off or senseless ones included."""
        generator = self._ready()
        dialect, proven = self._dialect, self._proven
        self._sent.requests = self._sent.lost = 0
        while True:
            try:
                answer = self._once(generator, question, dialect)
            except _Refused as refusal:
                changed = simpler(dialect, question, refusal.parameter, refusal.said, proven)
                if changed is None:
                    raise NoAnswer(
                        f"the language model at {self._where} refused a question ({refusal.status}: {refusal.said[:300]})", transient=False
                    ) from None
                dialect = changed
                continue
            if question.schema is not None or dialect.without != self._dialect.without:
                with self._lock:  # what the server took is where the next question begins
                    self._dialect, self._proven = dialect, self._proven or question.schema is not None
            return answer

    @property
    def requests(self) -> int:
        """Requests sent for this thread's last question."""
        return int(getattr(self._sent, "requests", 0))

    @property
    def lost(self) -> int:
        """Those of them that got no answer at all: nobody knows what they cost."""
        return int(getattr(self._sent, "lost", 0))

    def close(self) -> None:
        with self._lock:
            if self._generator is not None:
                self._generator.close()
                self._generator = None

    def _ready(self) -> Any:
        with self._lock:
            if self._generator is None:
                from haystack.components.generators.chat import OpenAIChatGenerator
                from haystack.utils import Secret

                self._generator = OpenAIChatGenerator(
                    api_key=Secret.from_token(self._api_key or "none"),
                    model=self.model,
                    api_base_url=self._base_url,
                    timeout=self._timeout_s,
                    max_retries=self._tries - 1,
                    http_client_kwargs={"event_hooks": {"request": [self._count_request], "response": [self._bound_response]}},
                )
                self._generator.warm_up()
            return self._generator

    def _once(self, generator: Any, question: Question, dialect: Dialect) -> Answer:
        import openai
        from haystack.dataclasses import ChatMessage

        system, user, parameters = dialect.request(question)
        try:
            replies = generator.run([ChatMessage.from_system(system), ChatMessage.from_user(user)], generation_kwargs=parameters)["replies"]
            return _answer(replies[0], question, dialect)
        except openai.APIStatusError as error:
            raise self._failure(error.status_code, _said(error), error.param) from None
        except openai.APIConnectionError as error:
            if not isinstance(error, openai.APITimeoutError):
                self._sent.lost = 0  # it was not reached, or broke off: nothing is known to have been computed
            what = f"within {self._timeout_s:g} s" if isinstance(error, openai.APITimeoutError) else f"({error.__cause__ or error})"
            raise NoAnswer(
                f"the language model at {self._where} gave no answer {what}, tried {self._tries} times", transient=True
            ) from None
        except (openai.OpenAIError, AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise NoAnswer(
                f"what answers at {self._where} does not speak the protocol of chat completions ({type(error).__name__})", transient=True
            ) from None

    def _failure(self, status: int, said: str, parameter: str | None) -> Exception:
        if status in REFUSALS:
            return _Refused(status, said, parameter)
        if status in ADVICE:
            return LanguageModelError(f"the language model at {self._where} answered {status}: {said[:300]}; {ADVICE[status]}")
        again = status > 500 or status in (408, 409)  # 500 after all tries: the server stumbles over this question
        return NoAnswer(f"the language model at {self._where} answered {status}: {said[:300]}", transient=again, status=status)

    def _count_request(self, _: httpx.Request) -> None:
        self._sent.requests += 1
        self._sent.lost += 1

    def _bound_response(self, response: httpx.Response) -> None:
        response.stream = _Bounded(response.stream, time.monotonic() + self._timeout_s, self._arrived, response.request)

    def _arrived(self) -> None:
        self._sent.lost -= 1


class _Refused(Exception):
    """The server does not take the request as it is."""

    def __init__(self, status: int, said: str, parameter: str | None) -> None:
        super().__init__(said)
        self.status, self.said, self.parameter = status, said, parameter if isinstance(parameter, str) else None


class _Bounded(httpx.SyncByteStream):
    """A body that has to be whole in time and within bounds: httpx itself only bounds the silence between two pieces."""

    def __init__(self, stream: Any, until: float, arrived: Any, request: httpx.Request) -> None:
        self._stream, self._until, self._arrived, self._request = stream, until, arrived, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("the answer takes too long", request=self._request)
            if size > MOST_BYTES:
                raise httpx.DecodingError(f"the answer has more than {MOST_BYTES} bytes", request=self._request)
            yield piece
        self._arrived()

    def close(self) -> None:
        self._stream.close()


def _answer(reply: Any, question: Question, dialect: Dialect) -> Answer:
    text, finish = reply.text, reply.meta.get("finish_reason")
    if text is not None and not isinstance(text, str):
        raise TypeError(f"content is {type(text).__name__}")
    how: Finish = "refused" if text is None or finish == "content_filter" else "length" if finish == "length" else "stop"
    prompt, completion = _used(reply.meta.get("usage"), question, text or "")
    return Answer(None if how == "refused" else text, how, dialect.form if question.schema is not None else "text", prompt, completion)


def _used(usage: object, question: Question, text: str) -> tuple[int, int]:
    """Tokens of prompt and answer as the server tells, or by length where it does not."""
    told = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")] if isinstance(usage, dict) else []
    counts = [number for number in told if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31]
    if len(counts) == 2:
        return counts[0], counts[1]
    return question.most_tokens() - question.max_tokens, len(text.encode("utf-8", "replace")) // 3 + 1


def _said(error: Any) -> str:
    """What the server says of its error, in one line."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(said or error.message).split())
