"""A language model over HTTP: what is asked, what is tried again, what is kept, what it may cost."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from forge_resources.database import Database
from forge_resources.errors import BudgetSpent, LanguageModelError, NoAnswer, SettingError
from forge_resources.language_model import Answer, LanguageModel, Question, load_language_model
from forge_resources.language_model.cache import AnswerCache
from forge_resources.language_model.endpoint import Endpoint
from forge_resources.settings import Settings
from tests.resources.language_model_server import Asked, Reply, Request, chat_server, completion, refusal

KEY = "sk-s3cr3t-word"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
QUESTION = Question("You count.", "How many?", SCHEMA, max_tokens=64)
Answering = Callable[[Request, int], Reply]
Serve = Callable[..., tuple[LanguageModel, Asked]]


def questions(count: int) -> list[Question]:
    return [Question("You count.", f"How many in {n}?", SCHEMA, max_tokens=64) for n in range(count)]


@pytest.fixture
def serve(database: Database) -> Iterator[Serve]:
    """A model on this server; `tries` and `timeout_s` are short, so that failures come soon."""
    with ExitStack() as stack:

        def opened(
            answer: Answering, budget: int = 100_000, parallel: int = 4, tries: int = 3, timeout_s: float = 5.0
        ) -> tuple[LanguageModel, Asked]:
            asked = stack.enter_context(chat_server(answer))
            endpoint = Endpoint(asked.url, "small", KEY, timeout_s=timeout_s, tries=tries)
            model = LanguageModel(endpoint, AnswerCache(database), budget_tokens=budget, parallel=parallel)
            return stack.enter_context(model), asked

        yield opened


def test_a_question_is_sent_as_the_protocol_says_and_its_answer_counted(serve: Serve) -> None:
    model, asked = serve(lambda *_: completion('{"n": 3}', usage=(70, 5)))
    answer = model.ask(QUESTION)
    assert answer == Answer('{"n": 3}', "stop", "json_schema", 70, 5)
    (body,) = asked.bodies
    assert body["messages"] == [{"role": "system", "content": "You count."}, {"role": "user", "content": "How many?"}]
    assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == ("small", 0.0, 0, 64)
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    assert asked.headers[0]["authorization"] == f"Bearer {KEY}"
    usage = model.usage
    assert (usage.asked, usage.cached, usage.requests, usage.tokens) == (1, 0, 1, 75)


def test_what_was_answered_costs_nothing_again_in_any_run(serve: Serve, database: Database) -> None:
    first, asked = serve(lambda *_: completion('{"n": 3}\0'))
    answer = first.ask(QUESTION)
    again, asked_again = serve(lambda *_: completion('{"n": 4}'), budget=0)
    known = again.ask(QUESTION)
    assert (known.text, known.tokens, known.cached, answer.cached) == (answer.text, answer.tokens, True, False)
    assert (len(asked), len(asked_again), again.usage.cached, again.usage.tokens) == (1, 0, 1, 0)
    with pytest.raises(BudgetSpent):
        again.ask(Question("You count.", "How many?", {**SCHEMA, "title": "another"}, max_tokens=64))
    with pytest.raises(BudgetSpent):
        again.ask(Question("You count.", "How many?", SCHEMA, max_tokens=65))


def test_the_same_question_at_once_is_asked_once(serve: Serve) -> None:
    model, asked = serve(lambda *_: Reply(body=completion('{"n": 1}').body, wait_s=0.2))
    answers = dict(model.ask_many([QUESTION] * 4))
    assert len(asked) == 1
    assert sorted(answers) == [0, 1, 2, 3]
    assert model.usage.cached == 3


def test_as_many_questions_as_allowed_run_at_once(serve: Serve) -> None:
    model, asked = serve(lambda *_: Reply(body=completion('{"n": 1}').body, wait_s=0.1), parallel=3)
    answers = dict(model.ask_many(questions(9)))
    assert sorted(answers) == list(range(9))
    assert asked.most_at_once == 3


@pytest.mark.parametrize("status", [429, 500])
def test_busy_servers_are_asked_again_after_the_pause_they_ask_for(serve: Serve, status: int) -> None:
    times: list[float] = []

    def answer(_: Request, number: int) -> Reply:
        times.append(time.monotonic())
        return refusal(status, "busy", Retry_After="1") if number == 0 else completion('{"n": 1}')

    model, asked = serve(answer)
    assert model.ask(QUESTION).text == '{"n": 1}'
    assert len(asked) == 2
    assert times[1] - times[0] >= 1.0
    assert model.usage.requests == 2
    assert model.usage.tokens == 60  # what was turned down cost nothing


def test_a_pause_of_hours_is_not_waited_for(serve: Serve) -> None:
    model, asked = serve(lambda *_: refusal(429, "tomorrow", Retry_After="7200"))
    with pytest.raises(LanguageModelError, match=r"answered 429: tomorrow; it asks for fewer requests"):
        model.ask(QUESTION)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "FORGE_LLM_API_KEY"), (403, "FORGE_LLM_API_KEY"), (404, "FORGE_LLM_BASE_URL")], ids=str
)
def test_an_endpoint_that_will_never_answer_stops_everything(serve: Serve, status: int, advice: str) -> None:
    model, asked = serve(lambda *_: refusal(status, f"no, {KEY[:0]}never"), parallel=1)
    with pytest.raises(LanguageModelError, match=advice) as told:
        list(model.ask_many(questions(20)))
    assert not isinstance(told.value, NoAnswer)
    assert len(asked) == 1
    assert KEY not in str(told.value)


def test_a_question_that_is_refused_leaves_the_others_alone(serve: Serve) -> None:
    def answer(body: Request, _: int) -> Reply:
        long = "in 1?" in body["messages"][1]["content"]
        return refusal(400, "This model's maximum context length is 8 tokens") if long else completion('{"n": 1}')

    model, asked = serve(answer, parallel=1)
    answers = dict(model.ask_many(questions(6)))
    assert [isinstance(answers[n], NoAnswer) for n in range(6)] == [False, True, False, False, False, False]
    refused = answers[1]
    assert isinstance(refused, NoAnswer) and not refused.transient and "maximum context length" in str(refused)
    assert len(asked) == 6


def test_a_slow_answer_is_given_up_and_counted_for_the_most_it_may_have_cost(serve: Serve) -> None:
    model, asked = serve(lambda *_: Reply(body=completion("{}").body, wait_s=3), timeout_s=0.2, tries=2)
    with pytest.raises(NoAnswer, match=r"gave no answer within 0\.2 s, tried 2 times") as told:
        model.ask(QUESTION)
    assert told.value.transient
    assert len(asked) == 2
    assert model.usage.tokens == 2 * QUESTION.most_tokens()


def test_an_answer_that_drips_is_given_up_too(serve: Serve) -> None:
    model, _ = serve(lambda *_: Reply(body=completion("x" * 4000).body, drip_s=0.05), timeout_s=0.4, tries=1)
    started = time.monotonic()
    with pytest.raises(NoAnswer, match="within"):
        model.ask(QUESTION)
    assert time.monotonic() - started < 2


def test_a_body_without_end_is_not_read_to_its_end(serve: Serve) -> None:
    model, _ = serve(lambda *_: Reply(body=completion("x" * 5_000_000).body), tries=1)
    with pytest.raises(NoAnswer, match="gave no answer"):
        model.ask(QUESTION)


def test_an_endpoint_that_stays_away_is_not_asked_for_ever(database: Database) -> None:
    endpoint = Endpoint("http://127.0.0.1:1/v1", "small", None, timeout_s=1, tries=1)
    with LanguageModel(endpoint, AnswerCache(database), budget_tokens=100_000, parallel=1) as model:
        answers: list[tuple[int, Answer | NoAnswer]] = []
        with pytest.raises(LanguageModelError, match="3 questions in a row"):
            answers.extend(model.ask_many(questions(20)))
        assert [isinstance(answer, NoAnswer) for _, answer in answers] == [True] * 3
        assert model.usage.failed == 3
        assert model.usage.tokens == 0


def test_the_budget_stops_asking_and_keeps_what_is_there(serve: Serve, database: Database) -> None:
    most = QUESTION.most_tokens() + 2
    model, asked = serve(lambda *_: completion('{"n": 1}', usage=(50, 10)), budget=most + 3 * 60 + 10)
    answers: list[int] = []
    with pytest.raises(BudgetSpent, match=r"budget of \d+ tokens a run is used up \(240 spent.*FORGE_LLM_BUDGET_TOKENS"):
        answers.extend(number for number, _ in model.ask_many(questions(50)))
    assert len(answers) == 4
    assert (len(asked), model.usage.tokens) == (4, 240)
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM language_model_answer")).scalar() == 4
    later, asked_later = serve(lambda *_: completion('{"n": 1}'))
    assert len(dict(later.ask_many(questions(6)))) == 6
    assert (len(asked_later), later.usage.cached) == (2, 4)


def test_without_usage_tokens_are_estimated_and_count(serve: Serve) -> None:
    model, _ = serve(lambda *_: completion('{"n": 1}', usage=None))
    answer = model.ask(QUESTION)
    assert answer.prompt_tokens == QUESTION.most_tokens() - 64
    assert 0 < answer.completion_tokens <= 10
    assert model.usage.tokens == answer.tokens


@pytest.mark.parametrize("form", ["json_object", "text"])
def test_a_server_without_constrained_answers_is_asked_by_what_it_takes(serve: Serve, form: str) -> None:
    taken = {"json_object": [{"type": "json_object"}, None], "text": [None]}[form]

    def answer(body: Request, _: int) -> Reply:
        if body.get("response_format") not in taken:
            return refusal(400, "response_format of this type is not supported", "response_format")
        return completion('{"n": 1}')

    model, asked = serve(answer, parallel=1)
    answers = [answer for _, answer in model.ask_many(questions(3))]
    assert [answer.form for answer in answers if isinstance(answer, Answer)] == [form] * 3
    assert len(asked) == 3 + (1 if form == "json_object" else 2)
    told = asked.bodies[-1]["messages"][0]["content"]
    assert told.startswith("You count.") and json.dumps(SCHEMA) in told


@pytest.mark.parametrize("parameter", ["temperature", "seed", "max_tokens"])
def test_a_parameter_that_is_not_taken_is_left_out_from_then_on(serve: Serve, parameter: str) -> None:
    def answer(body: Request, _: int) -> Reply:
        return refusal(400, f"Unsupported parameter: '{parameter}'", parameter) if parameter in body else completion('{"n": 1}')

    model, asked = serve(answer, parallel=1)
    assert len(list(model.ask_many(questions(3)))) == 3
    assert len(asked) == 4
    assert asked.bodies[-1]["response_format"]["type"] == "json_schema"
    assert ("max_completion_tokens" in asked.bodies[-1]) == (parameter == "max_tokens")


def test_refused_and_cut_off_answers_are_answers_and_are_paid_for(serve: Serve) -> None:
    cut, _ = serve(lambda *_: completion('{"n": 12', "length"))
    assert (cut.ask(QUESTION).finish, cut.ask(QUESTION).text, cut.usage.tokens) == ("length", '{"n": 12', 60)
    other = Question("You count.", "Shall you?", SCHEMA)
    refused, asked = serve(lambda *_: completion(None, refusal="I will not."))
    assert (refused.ask(other).finish, refused.ask(other).text, refused.usage.tokens) == ("refused", None, 60)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>hello</html>", b"[]", b"{}", b'{"choices": null}', b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": 7}',
     b'{"choices": [{"message": {"content": [1]}}]}', b'{"choices": [{"message": {"content": "{\\"n\\"', b"\xff\xfe\x00", b'"\\ud800"'],
)  # fmt: skip
def test_what_speaks_another_protocol_is_no_answer(serve: Serve, database: Database, body: bytes) -> None:
    model, _ = serve(lambda *_: Reply(body=body), tries=1)
    with pytest.raises(NoAnswer):
        model.ask(QUESTION)
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM language_model_answer")).scalar() == 0


def test_the_key_is_told_to_nobody_but_the_endpoint(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    model, _ = serve(lambda _, number: refusal(500, "oh") if number == 0 else completion('{"n": 1}'))
    model.ask(QUESTION)
    assert caplog.text
    assert KEY not in caplog.text + repr(vars(model)) + repr(Settings(llm_api_key=KEY)) + str(Settings(llm_api_key=KEY))


def test_without_settings_there_is_no_model_and_half_of_them_is_an_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_language_model(Settings(), database) is None
    monkeypatch.setenv("FORGE_LLM_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(SettingError, match="set FORGE_LLM_MODEL too"):
        load_language_model(Settings(), database)
    monkeypatch.setenv("FORGE_LLM_MODEL", "small")
    monkeypatch.setenv("FORGE_LLM_PARALLEL", "7")
    model = load_language_model(Settings(), database)
    assert model is not None and (model.name, model.parallel) == ("small", 7)
    monkeypatch.delenv("FORGE_LLM_BASE_URL")
    with pytest.raises(SettingError, match="set FORGE_LLM_BASE_URL too"):
        load_language_model(Settings(), database)


def test_haystack_is_loaded_by_the_first_question_only() -> None:
    program = "import sys, forge_resources.language_model; print([m for m in ('haystack', 'openai', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
