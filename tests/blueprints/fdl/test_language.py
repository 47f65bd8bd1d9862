"""The language: what is checked, how it is told, and the one way it is written."""

from __future__ import annotations

import re

import pytest

from forge_assets.blueprints.fdl.cache import plan
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.format import formatted
from forge_resources.errors import FdlError
from tests.blueprints.fdl.architectures import CASES
from tests.blueprints.fdl.malformed import wrong_texts

HEAD = 'fragment F(x: f32[b,t,d]) -> f32[b,t,d]:\n  param W: f32[f,d] from "w"\n  param V: f32[d,f] from "v"\n'
WRONG = [
    ("y[b,t,d] = x[b,t,d] + 1.0)", 4, 28, "expected", "found ')'"),
    ("y[b,t,f] = sum[d](x[b,t,d] * W[d,f])", 4, 34, "axis f of W[f,d] is read with index d", "write f there"),
    ("y[b,t,d] = x[b,t,d] * W[f,d]", 4, 3, "axis f of the right side is not on the left side", "sum[f]"),
    ("y[b,t,d] = sum[f](x[b,t,d])", 4, 14, "sum runs over axis f, which its expression does not have", "b, t, d"),
    ("y[b,t,d] = xx[b,t,d]", 4, 14, "nothing is named xx here", "did you mean x?"),
    ("y[b,t,d] = sqt(x[b,t,d])", 4, 14, "no function and no piece sqt", "did you mean sqrt?"),
    ("y[b,t,d] = x[b,t]", 4, 14, "x has 3 axes, x[b,t,d], and is read with 2", "one index for each axis"),
    ("y[b,t,d] = x[b,t,d] + t", 4, 25, "t is an axis and not a value", "pos(t)"),
    ("y[b,t,d] = where(x[b,t,d], 1.0, 0.0)", 4, 14, "first argument of where is a condition", "x > 0"),
    ("y[b,t,d] = x[b,t,d] + (x[b,t,d] > 0.0)", 4, 23, "'+' works on numbers, not on a condition", "where(condition, 1.0, 0.0)"),
    ("y[b,t,d] = y[b,t,d] + x[b,t,d]", 4, 14, "used in its own definition", "scan[t]"),
    ("y[b,t,d] = scan[t](y[b,t - 2,d] + x[b,t,d])", 4, 22, "one step back only", "t - 1"),
    ("y[b,t,d] = x[b,t,d] if 1", 4, 23, "expected", "found 'if'"),
    ("y[b,t,d] = x[b,t,0.5]", 4, 20, "has to be whole", "0.5"),
    ("y[b,t,d] = x[b,t,d] + 1.2.3", 4, 25, "this is no number", "1e-5"),
    ("const eps = 1e-5 / 0", 4, 20, "the constant cannot be worked out", "division"),
    ("y[b,t,d] = softmax[d,d](x[b,t,d])", 4, 24, "axis d stands twice", "softmax"),
    ("y[b,t,d,q] = x[b,t,d]", 4, 3, "axis q of y is not on the right side", "it has b, t, d"),
    ("y[b,t,d] = max(x[b,t,d])", 4, 14, "max takes 2 arguments, found 1", "max[d](...)"),
    ("state m: f32[d]", 4, 9, "only an optimizer has states", "F is a fragment"),
    ("sum[b,t,d] = x[b,t,d]", 4, 3, "sum is a word of the language", "another name"),
    ("x[b,t,d] = x[b,t,d] * 2.0", 4, 3, "x is defined a second time", "first in line 1"),
    ('param U: f32[d] from "a b"', 4, 9, 'stored under "a b"', "without spaces"),
    ('param U: f32[d] from "a" init uniform', 4, 9, "there is no init uniform", "normal, zeros, ones"),
    ('param U: f33[d] from "a"', 4, 12, "f32, i64 or bool", "did you mean 'f32'?"),
    ("  y[b,t,d] = x[b,t,d]", 4, 1, "indented", "spaces"),
    ("y[b,t,d] = x[b,t,d] and x[b,t,d]", 4, 23, "'and' joins conditions", "x > 0"),
    ("y[b,t,d] = pos(x[b,t,d])", 4, 14, "pos takes the name of one axis", "pos(t)"),
    ("y[b,t,d] = x[b,t,d] + size(q)", 4, 30, "the size of axis q is not known", "declare"),
    ("y[b,t,d] = cat[d: t, b](x[b,t,d])", 4, 14, "cat names one axis and an axis for each part", "cat[k: p, n]"),
]  # fmt: skip
WHOLE = [
    ("fragment F(x: f32[b,d]) -> f32[b,d]:\nreturn x\n", 2, "expected indented lines after the ':'"),
    ("fragment F(x: f32[b,d]) -> f32[b,d]:\n  y[b,d] = x[b,d]\n", 1, "returns nothing; end it with `return y`"),
    ("fragment F(x: f32[b,d]) -> f32[d,b]:\n  return x\n", 2, "promises f32[d,b]"),
    ("fragment F(x: f32[b,b]) -> f32[b]:\n  return x\n", 1, "axis b stands twice"),
    ("fragment F(x: f32[..]) -> f32[..]:\n  return x\n", 1, "pieces and optimizers only"),
    ("fragmen F(x: f32[b]) -> f32[b]:\n  return x\n", 1, "did you mean 'fragment'?"),
    ("axis k = k + 1\n", 1, "made of itself"),
    ("axis k = 2 / 3\n", 1, "whole numbers with +, - and *"),
    ("axis k = 1 - 1\n", 1, "a size is at least 1"),
    ("model M = Nothing\n", 1, "there is no fragment or model Nothing"),
    ('fragment F(x: f32[b]) -> f32[b]:\n  return x\nmodel M = F * 3 ; G prefix "a.{j}."\n', 3, "{i}"),
    ('fragment F(x: f32[b,d]) -> f32[b]:\n  y[b] = sum[d](x[b,d])\n  return y\nmodel M = F * 3 prefix "a.{i}."\n', 4, "give what it takes"),
    ('fragment F(x: f32[d]) -> f32[d]:\n  param w: f32[d] from "w"\n  y[d] = w[d] + x[d]\n  return y\nmodel M = F * 3\n', 5, "with {i}"),
    ("piece p(x: f32[d]) -> f32[d]:\n  y[d] = p(x[d])\n  return y\n", 2, "piece p calls itself"),
    ("piece p(x: f32[d]) -> f32[d]:\n  return x\nfragment F(x: f32[d]) -> f32[d]:\n  y[d] = p(x[d], e = 1)\n  return y\n", 4, "no axis e"),
    ("optimizer O(w: f32[..], g: f32[..]):\n  state m: f32[..]\n  w[..] = w[..] - g[..]\n", 2, "m gets no new value"),
    ("fragment F(x: f32[d]) -> f32[d]:\n\ty[d] = x[d]\n  return y\n", 2, "a tab"),
    ("fragment F(x: f32[d]) -> f32[d]:\n  return x\nfragment F(x: f32[d]) -> f32[d]:\n  return x\n", 3, "F is defined twice"),
    ("fragment F(x: f32[d]) -> f32[d]:\n  y[d] = " + "(" * 90 + "x[d]" + ")" * 90 + "\n  return y\n", 2, "more than 60 open brackets"),
    ("fragment F(x: f32[b,while]) -> f32[b,while]:\n  return x\n", 1, "axis while would be a word of Python"),
    ("axis class = 2\nfragment F(x: f32[class]) -> f32[class]:\n  return x\n", 1, "axis class would be a word of Python"),
    ("axis c = 2\nfragment F(x: f32[c]) -> f32[]:\n  y = x[2]\n  return y\n", 3, "index 2 lies outside axis c of x, which has 2 entries"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "row", "column", "what", "advice"), WRONG, ids=[one[0] for one in WRONG])
def test_a_wrong_line_is_told_with_place_axis_and_advice(line: str, row: int, column: int, what: str, advice: str) -> None:
    last = "" if re.match(r"(y|x)\b", line.strip()) is None else f"  return {line.strip()[0]}\n"
    with pytest.raises(FdlError) as raised:
        compiled(HEAD + f"  {line}\n" + last)
    assert what in raised.value.message and advice in raised.value.message
    assert (raised.value.line, raised.value.column) == (row, column)


@pytest.mark.parametrize(("text", "row", "what"), WHOLE, ids=[one[2] for one in WHOLE])
def test_a_wrong_text_is_told_with_its_line(text: str, row: int, what: str) -> None:
    with pytest.raises(FdlError) as raised:
        compiled(text)
    assert what in raised.value.message and raised.value.line == row


def test_corrupted_architectures_are_told_and_never_a_traceback() -> None:
    _all_pointed(40, 0)


@pytest.mark.trial
def test_two_hundred_corrupted_architectures() -> None:
    _all_pointed(200, 10_000)


def _all_pointed(count: int, start: int) -> None:
    """Each has a place; it is where the text was changed, or a line that uses what was changed there."""
    near = 0
    for seed, text, line in wrong_texts(count, start):
        with pytest.raises(FdlError) as raised:
            compiled(text)
        error = raised.value
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 1, (seed, str(error))
        assert 15 < len(error.message) < 400 and "\n" not in error.message, (seed, str(error))
        near += abs(error.line - line) <= 1
    assert near >= 0.85 * count


@pytest.mark.parametrize("name", CASES)
def test_formatting_keeps_the_meaning_and_is_done_once(name: str) -> None:
    text = CASES[name].text
    made = formatted(text)
    assert made == text, "the architectures are kept formatted"
    loose = text.replace(" * ", "  *  ").replace(",d]", ", d ]").replace("  const", "  const ").replace(" = ", "=  ")
    assert formatted(loose) == text


def test_comments_stay_where_they_are() -> None:
    text = '# first\naxis b "batch"  # behind\n\nfragment F(x: f32[b]) -> f32[b]:\n  # inside\n  y[b] = x[b]  # why\n  return y\n# last\n'
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("y[b,t,d] = x[b,t,d] - mean[t](x[b,t,d])", "runs mean over t"),
        ("y[b,t,d] = sum[s](x[b,s,d] * x[b,t,d])", "mask them by where(pos(s) <= pos(t), ..., 0.0)"),
        ("y[b,t,d] = x[b,t + 1,d]", "may lie in the future"),
        ("y[b,t,d] = x[b,t,d] / size(t)", "grows from step to step"),
    ],
)
def test_what_sees_the_future_has_no_incremental_step(line: str, why: str) -> None:
    unit = compiled(HEAD + f"  {line}\n  return y\n").units["F"]
    with pytest.raises(FdlError, match=re.escape(why)) as raised:
        plan(unit, "t")
    assert raised.value.line == 4


UNARY = "fragment F(x: f32[b]) -> f32[b]:\n  const z = 0\n  y[b] = {}\n  return y\n"


@pytest.mark.parametrize(
    ("written", "column", "told"),
    [
        ("-" * 3000 + "x[b]", 210, "more than 200 operators in one expression"),
        ("x[b]" + " + x[b]" * 300, 1415, "more than 200 operators in one expression"),
        ("x[b] * 1e39", 17, "1e39 is larger than any number of f32"),
        ("x[b] * 99999999999999999999", 17, "larger than any number of i64"),
        ("x[b] / 0.0", 15, "'/' divides by 0;"),
        ("x[b] // z", 15, "'//' divides by z, which is 0;"),
        ("x[b] ^ 2", 15, "write ** for a power"),
        ("x[b] − 1.0", 15, "write a minus sign"),
        ("!x[b]", 10, "FDL knows no '!'; write not"),
    ],
)
def test_habits_of_other_languages_and_numbers_out_of_range_are_told(written: str, column: int, told: str) -> None:
    with pytest.raises(FdlError, match=re.escape(told)) as caught:
        compiled(UNARY.format(written))
    assert (caught.value.line, caught.value.column) == (3, column)
