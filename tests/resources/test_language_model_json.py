"""The JSON object in an answer is found wherever it stands; what is none raises ValueError and nothing else."""

from __future__ import annotations

import pytest

from forge_resources.language_model import read_json


@pytest.mark.parametrize(
    "text",
    [
        '{"n": [1, {"m": "}"}]}',
        '```json\n{"n": [1, {"m": "}"}]}\n```',
        'Sure! Here it is:\n{"n": [1, {"m": "}"}]}\nAnything else?',
        '<think>maybe {"n": 2}?</think>\n{"n": [1, {"m": "}"}]}',
    ],
)
def test_the_object_is_found(text: str) -> None:
    assert read_json(text) == {"n": [1, {"m": "}"}]}


@pytest.mark.parametrize(
    "text",
    ["", "no", "[1, 2]", "{", '{"n": 1', '{"n": NaN}', '{"n": -Infinity}', '{"n": ' * 100_000, "{'n': 1}", '{"n": ' + "9" * 5000 + "}",
     '{"n": "' + "x" * 300_000 + '"}'],
    ids=range(11),
)  # fmt: skip
def test_what_is_none_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|characters|Expecting|digits|property"):
        read_json(text)


def test_lone_surrogates_do_not_come_through() -> None:
    (value,) = read_json('{"a": "x\\ud800y"}').values()
    assert str(value).encode("utf-8") in (b"x?y", "x\ufffdy".encode())
