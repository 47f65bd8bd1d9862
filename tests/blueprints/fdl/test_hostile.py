"""Texts that are made to break the tools: each is told in one sentence with its place, soon, and never by a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from forge_app.cli import main
from forge_assets.blueprints.fdl import trial
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.torch_model import MODULE
from forge_assets.blueprints.fdl.check import compiled
from forge_resources.errors import FdlError

HEAD = "fragment F(x: f32[b,t,d]) -> f32[b,t,d]:\n"


def fragment(*lines: str, after: str = "") -> str:
    return HEAD + "".join(f"  {line}\n" for line in lines) + "  return y\n" + after


SCALED = fragment('param w: f32[d] from "w"', "y[b,t,d] = x[b,t,d] * w[d]")
PIECE = "piece p0(x: f32[..]) -> f32[..]:\n  y[..] = x[..] * 2.0\n  return y\n"
DEEP = PIECE + "".join(f"piece p{i}(x: f32[..]) -> f32[..]:\n  y[..] = p{i - 1}(x[..])\n  return y\n" for i in range(1, 400))
TWICE = PIECE + "".join(
    f"piece p{i}(x: f32[..]) -> f32[..]:\n  a[..] = p{i - 1}(x[..])\n  y[..] = p{i - 1}(a[..])\n  return y\n" for i in range(1, 25)
)
CALL = "fragment F(x: f32[d]) -> f32[d]:\n  y[d] = {}\n  return y\n"
SQUARES = "axis a0 = b + c\n" + "".join(f"axis a{i} = a{i - 1} * a{i - 1}\n" for i in range(1, 40))
SUMS = "axis a0 = m\naxis a1 = n\n" + "".join(f"axis a{i} = a{i - 1} + a{i - 2}\n" for i in range(2, 60))
MANY = ",".join(f"a{i}" for i in range(20))
OTHERS = ",".join(f"c{i}" for i in range(20))
HOSTILE = [
    ("calls 400 deep", DEEP + CALL.format("p399(x[d])"), "more than 32 deep"),
    ("2 to the 24 calls", TWICE + CALL.format("p24(x[d])"), "more than 3,000 lines"),
    ("squares of squares", SQUARES, "a size is at most 2,147,483,647"),
    ("sums of sums", SUMS, "a size is at most 2,147,483,647"),
    ("axes of axes below", "".join(f"axis a{i} = a{i + 1} + 1\n" for i in range(2000)), "more than 32 deep"),
    ("a size beyond 32 bits", "axis q = 4611686018427387904\n", "a size is at most 2,147,483,647"),
    ("80 axes", f"fragment F(x: f32[{MANY},{OTHERS}]) -> f32[]:\n  y = sum[a0](x)\n  return y\n", "at most 26 axes, found 40"),
    (
        "40 axes in a line",
        f"fragment F(x: f32[{MANY}], y: f32[{OTHERS}]) -> f32[]:\n  z = sum[{MANY},{OTHERS}](x[{MANY}] * y[{OTHERS}])\n  return z\n",
        "made of 40 axes at once",
    ),
    ("digits of another script", fragment("y[b,t,d] = x[b,t,d] * ٣"), "'٣' (ARABIC-INDIC DIGIT THREE)"),
    ("an invisible sign", fragment("y[b,t,d] = x[b,t,\u200bd]"), "invisible sign (ZERO WIDTH SPACE)"),
    ("a square as a sign", fragment("y[b,t,d] = x[b,t,d]²"), "write x * x for a square"),
    ("an index below 0", fragment("y[b,t,d] = x[b,t,-1]"), "the last one is size(d) - 1"),
    ("a name with a backslash", SCALED.replace('"w"', '"a\\"'), "a name without \\"),
    ("a name of dots", SCALED.replace('"w"', '"../../a"'), "of parts that are not empty"),
    (
        "two shapes of one name",
        fragment('param w: f32[d] from "w"', 'param v: f32[t] from "w"', "y[b,t,d] = w[d] * v[t] + x[b,t,d]"),
        'both stored under "w"',
    ),
    (
        "a parameter in another",
        fragment('param w: f32[d] from "a"', 'param v: f32[d] from "a.b"', "y[b,t,d] = w[d] * v[d] + x[b,t,d]"),
        '"a.b" would lie inside "a"',
    ),
    ("zeros of a number", SCALED.replace('"w"', '"w" init zeros(5)'), "zeros takes no number"),
    ("a spread beyond f32", SCALED.replace('"w"', '"w" init normal(1e300)'), "larger than any number of f32"),
    ("two results of one name", "fragment F(x: f32[d]) -> (a: f32[d], a: f32[d]):\n  return x, x\n", "two results of the name a"),
    ("nothing goes in", 'fragment F() -> f32[d]:\n  param w: f32[d] from "w"\n  return w\n', "fragment F takes no tensor"),
    ("a schedule of a tensor", "schedule S(step: i64[n]) -> f32[n]:\n  r[n] = step[n] * 1.0\n  return r\n", "made of single numbers"),
    ("a state of another kind", "optimizer O(w: i64[..], g: f32[..]):\n  w[..] = w[..] - g[..]\n", "w is i64 and gets f32"),
    ("an optimizer as a stage", "optimizer O(w: f32[..], g: f32[..]):\n  w[..] = w[..] - g[..]\nmodel M = O\n", "O is an optimizer"),
    ("a constant given twice", PIECE.replace("  y", "  const e = 1\n  y") + CALL.format("p0(x[d], e = 2, e = 3)"), "e is given twice"),
    ("a fragment is called", SCALED + CALL.format("F(x[d])").replace("F(x:", "G(x:"), "only a piece can be called"),
    ("a constant beyond i64", fragment("const c = 10 ** 30", "y[b,t,d] = x[b,t,d] * c"), "larger than any number of i64"),
    ("a constant beyond f32", fragment("const c = 1e38 * 1e38", "y[b,t,d] = x[b,t,d] * c"), "larger than any number of f32"),
    ("a maximum of one", fragment("const c = max(1)", "y[b,t,d] = x[b,t,d] * c"), "max takes 2 arguments, found 1"),
    ("a keyword for a function", fragment("const c = sqrt(2, e = 3)", "y[b,t,d] = x[b,t,d] * c"), "takes neither keywords nor a prefix"),
    ("a prefix without a point", SCALED + 'model M = F * 2 prefix "h{i}"\n', "has to end with a point"),
    ("a prefix of dots", SCALED + 'model M = F * 2 prefix "..h.{i}."\n', "mend the prefix"),
    (
        "one fragment in two places",
        SCALED + 'model M = (F prefix "a{i}." ; F prefix "b{i}.") * 2\n',
        "give both one prefix",
    ),
    (
        "two shapes of one name in a model",
        SCALED + SCALED.replace("F(", "G(").replace("w: f32[d]", "w: f32[t]").replace("w[d]", "w[t]") + "model M = F ; G\n",
        "tied parameters have one shape",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_a_hostile_text_is_told_soon_and_with_its_place(text: str, told: str) -> None:
    begun = time.process_time()
    with pytest.raises(FdlError) as raised:
        compiled(text)
    lines = text.split("\n")
    assert told in raised.value.message and "\n" not in raised.value.message and len(raised.value.message) < 400
    assert 1 <= raised.value.line <= len(lines) and 1 <= raised.value.column <= len(lines[raised.value.line - 1]) + 1
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("stored", ["forward", "parameters.weight", "sizes", "a.__class__"])
def test_names_that_every_module_of_pytorch_has_are_told(stored: str) -> None:
    program = compiled(SCALED.replace('"w"', f'"{stored}"'))
    with pytest.raises(FdlError, match="is a member of every module of PyTorch"):
        BACKENDS["torch"].print(program)
    assert stored in BACKENDS["jax"].print(program)["module_jax.py"]


def test_the_members_of_pytorchs_modules_are_known() -> None:
    from torch import nn
    from transformers import GPT2Config, GPT2Model

    GPT2Model(GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=8))  # transformers' first model gives every nn.Module a method more
    assert {name for name in dir(nn.Module()) if not name.startswith("_")} <= MODULE


def test_whole_numbers_that_jax_has_not_are_told() -> None:
    program = compiled(fragment("const c = 10 ** 12", "y[b,t,d] = x[b,t,d] * c"))
    with pytest.raises(FdlError, match=r"does not fit into int32.* write 1000000000000\.0"):
        BACKENDS["jax"].print(program)
    assert BACKENDS["cpp"].print(program)


def test_a_unit_of_three_thousand_lines_is_printed_soon() -> None:
    lines = ["y0[b,t,d] = x[b,t,d]", *(f"y{i}[b,t,d] = y{i - 1}[b,t,d] + 1.0" for i in range(1, 2999)), "y[b,t,d] = y2998[b,t,d]"]
    begun = time.process_time()
    assert "y2998" in BACKENDS["jax"].print(compiled(fragment(*lines)))["module_jax.py"]
    assert time.process_time() - begun < 15, "it was over 20 s while each line looked through all others"


SHIFTED = "fragment G(x: f32[b,t,d]) -> f32[b,t,d]:\n  y[b,t,d] = x[b,t,d] + layer\n  return y\n"
UNUSUAL = {
    "conditions as a result": "fragment F(x: f32[a]) -> bool[a]:\n  y[a] = x[a] > 0.0\n  return y\n",
    "layers without parameters and prefix": SHIFTED + "model M = G * 3\n",
    "layers with and without": SCALED + SHIFTED + 'model M = (F prefix "a.{i}." ; G * 2) * 2 ; G * 2\n',
    "brackets in a stored name": SCALED.replace('"w"', '"a{0}b"') + 'model M = F * 2 prefix "l.{i}."\n',
    "quotes in a stored name": SCALED.replace('"w"', "\"'''+exit()\""),
    "what is no number in all": "fragment F(x: f32[a]) -> f32[a]:\n  y[a] = log(x[a]) + x[a] / (x[a] - x[a])\n  return y\n",
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_texts_give_the_same_in_all_back_ends(name: str) -> None:
    assert all(one.equal for one in trial.compare(compiled(UNUSUAL[name])))


def test_a_result_that_is_finite_in_one_back_end_alone_is_different() -> None:
    import numpy as np

    ones, broken = np.ones(3, np.float32), np.array([1, np.nan, 1], np.float32)
    for left, right in ((ones, broken), (broken, ones)):
        found = dict(trial._differences({"torch": trial.Ran([left]), "jax": trial.Ran([right])}))
        assert found["torch and jax"] == float("inf")
    assert dict(trial._differences({"torch": trial.Ran([broken]), "jax": trial.Ran([broken])}))["torch and jax"] == 0


def test_division_of_whole_numbers_by_zero_is_told() -> None:
    program = compiled("fragment F(x: i64[a]) -> i64[a]:\n  y[a] = x[a] // (x[a] - x[a])\n  return y\n")
    with pytest.raises(FdlError, match=r"torch cannot compute F .* keep whole divisors above 0"):
        trial.compare(program)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "marked.fdl"
    file.write_bytes(b"\xef\xbb\xbf" + SCALED.encode())
    main(["fdl", "check", str(file)])
    assert "1 unit" in capsys.readouterr().out
