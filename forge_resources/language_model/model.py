"""A language model for one run: cache first, then the endpoint, within the budget, several questions at once.

with load_language_model(settings, database) as model:  # None where none is configured
    for number, answer in model.ask_many(questions): ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Self

from forge_resources.database import Database
from forge_resources.errors import LanguageModelError, NoAnswer, SettingError
from forge_resources.language_model.budget import Budget
from forge_resources.language_model.cache import AnswerCache
from forge_resources.language_model.endpoint import Endpoint
from forge_resources.language_model.interface import Answer, Question, Usage
from forge_resources.settings import Settings

MOST_FAILURES = 3
"""Questions in a row without any answer, each tried several times, after which no more is asked."""


class LanguageModel:
    """Safe in threads. The budget is that of this object: one per run."""

    def __init__(self, endpoint: Endpoint, cache: AnswerCache, *, budget_tokens: int, parallel: int = 4) -> None:
        self.name = endpoint.model
        self.parallel = parallel
        self._endpoint, self._cache = endpoint, cache
        self._budget = Budget(budget_tokens)
        self._usage = Usage()
        self._failures = 0
        self._failure = ""
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}

    @property
    def usage(self) -> Usage:
        """What this run asked and spent up to now."""
        with self._lock:
            return replace(self._usage)

    def ask(self, question: Question) -> Answer:
        """The answer to one question, from the cache where it was answered before, by any run.

        Raises BudgetSpent, NoAnswer (this question got none), LanguageModelError (no question will get any).
        """
        key = question.key(self.name)
        with self._lock:
            turn = self._asking.setdefault(key, threading.Lock())
        with turn:  # the same question, asked twice at once, costs once
            known = self._cache.get(key)
            if known is not None:
                with self._lock:
                    self._usage.cached += 1
                return known
            return self._cache.put(key, self.name, self._paid(question))

    def ask_many(self, questions: Iterable[Question]) -> Iterator[tuple[int, Answer | NoAnswer]]:
        """(number, answer) as they come; questions are taken up as they are needed.

        A question without an answer comes with its NoAnswer. Where asking on is useless (budget, endpoint), what is under way comes first,
        and then BudgetSpent or LanguageModelError is raised.
        """
        numbered = enumerate(questions)
        running: dict[Future[Answer], int] = {}
        stopped: LanguageModelError | None = None
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="language-model") as pool:
            try:
                while True:
                    while stopped is None and len(running) < self.parallel and (following := next(numbered, None)) is not None:
                        running[pool.submit(self.ask, following[1])] = following[0]
                    if not running:
                        break
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        number = running.pop(done)
                        try:
                            yield number, done.result()
                        except NoAnswer as failure:
                            yield number, failure
                        except LanguageModelError as error:
                            stopped = stopped or error
            finally:
                for future in running:
                    future.cancel()
        if stopped is not None:
            raise stopped

    def _paid(self, question: Question) -> Answer:
        if self._failures >= MOST_FAILURES:
            raise LanguageModelError(
                f"the language model gave no answer to {self._failures} questions in a row; a later run asks again; last: {self._failure}"
            )
        with self._budget.reserved(question.most_tokens()) as reservation:
            try:
                answer = self._endpoint.ask(question)
            except NoAnswer as failure:
                self._count_failure(failure, reservation.most)
                reservation.cost = reservation.most * self._endpoint.lost
                raise
            except LanguageModelError:
                self._count_failure(None, 0)
                raise
            reservation.cost = answer.tokens + reservation.most * self._endpoint.lost
        with self._lock:
            self._failures = 0
            self._usage.asked += 1
            self._usage.requests += self._endpoint.requests
            self._usage.prompt_tokens += answer.prompt_tokens + reservation.most * self._endpoint.lost
            self._usage.completion_tokens += answer.completion_tokens
        return answer

    def _count_failure(self, failure: NoAnswer | None, most: int) -> None:
        with self._lock:
            self._usage.asked += 1
            self._usage.failed += 1
            self._usage.requests += self._endpoint.requests
            self._usage.prompt_tokens += most * self._endpoint.lost
            if failure is not None:
                self._failures = self._failures + 1 if failure.transient or failure.status >= 500 else 0
                self._failure = str(failure)

    def close(self) -> None:
        self._endpoint.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_language_model(settings: Settings, database: Database) -> LanguageModel | None:
    """The model of FORGE_LLM_BASE_URL and FORGE_LLM_MODEL, or None where neither is set. Raises SettingError where only one is."""
    if not settings.llm_base_url and not settings.llm_model:
        return None
    if not settings.llm_base_url or not settings.llm_model:
        missing = "FORGE_LLM_MODEL" if settings.llm_base_url else "FORGE_LLM_BASE_URL"
        raise SettingError(f"a language model needs FORGE_LLM_BASE_URL and FORGE_LLM_MODEL; set {missing} too, or unset the other")
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    endpoint = Endpoint(settings.llm_base_url, settings.llm_model, key, timeout_s=settings.llm_timeout_s)
    return LanguageModel(endpoint, AnswerCache(database), budget_tokens=settings.llm_budget_tokens, parallel=settings.llm_parallel)
