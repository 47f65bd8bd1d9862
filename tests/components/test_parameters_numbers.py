"""Numbers of all writings keep their value and their span."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.components.parameters import numbers

WRITINGS = [
    ("3e-4", 3e-4), ("5e−5", 5e-5), ("1E5", 1e5), ("3 x 10^{-4}", 3e-4), (r"3\times10^{-4}", 3e-4), ("1.24 \\cdot 10^{-4}", 1.24e-4),
    ("2.0 × 10−4", 2e-4), ("3 × 10⁻⁴", 3e-4), ("10⁻⁴", 1e-4), ("10^{-5}", 1e-5), (r"1\mathrm{e}{-4}", 1e-4),
    ("2^{17}", 131072.0), ("2^17", 131072.0),
    ("1/16", 0.0625), ("128k", 128_000.0), ("4M", 4e6), ("15T", 15e12), ("1.5 billion", 1.5e9), ("110 million", 1.1e8), ("1,024", 1024.0),
    ("65_536", 65536.0), ("15%", 0.15), ("0.9", 0.9), (".5", 0.5), ("twelve", 12.0),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), WRITINGS)
def test_a_writing_keeps_its_value_and_its_span(written: str, value: float) -> None:
    text = f"set to {written}, as before"
    found = numbers.find(text)
    assert [(text[q.start : q.end], q.value) for q in found] == [(written, pytest.approx(value, rel=1e-12))]


@pytest.mark.parametrize(
    "name", ["GPT-2", "CIFAR-10", "Llama-3-8B", "Qwen2.5-7B", "BLOOM-176B", "a 3D scene", "v0.1", "A100-80GB", "the 5th", "80GB", "x_3"]
)
def test_digits_of_names_are_no_numbers(name: str) -> None:
    assert numbers.find(f"with {name} here") == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{1e-4, 3e-4}", [1e-4, 3e-4]),
        ("(0.9,0.999)", [0.9, 0.999]),
        ("8, 16 and 32", [8, 16, 32]),
        ("0.1-0.3", [0.1, 0.3]),
        ("1.3B/2.7B", [1.3e9, 2.7e9]),
        ("from 1e-4-1e-3.", [1e-4, 1e-3]),
        ("$10^{-3}$ to $10^{-5}$", [1e-3, 1e-5]),
    ],
)
def test_lists_and_ranges_give_each_number(text: str, values: list[float]) -> None:
    assert [q.value for q in numbers.find(text)] == pytest.approx(values)


def test_sides_are_one_number_when_equal() -> None:
    assert [(q.value, q.sides) for q in numbers.find("224 × 224 and 16x16")] == [(224.0, True), (16.0, True)]
    assert math.isnan(numbers.find("640x480")[0].value)


@given(st.floats(min_value=1e-12, max_value=1e12), st.sampled_from(["{:.6e}", "{:.3E}", "{:.9f}", "{:,.2f}"]))
def test_what_python_writes_is_read_back(value: float, style: str) -> None:
    written = style.format(value)
    assert numbers.number(written) == pytest.approx(float(written.replace(",", "")), rel=1e-12)


@given(
    st.integers(1, 99),
    st.integers(-30, 30),
    st.sampled_from([r"{} \times 10^{{{}}}", "{} x 10^{{{}}}", "{}×10^{}", "{} · 10^{{{}}}", r"${}\cdot10^{{{}}}$"]),
)
def test_powers_of_ten_are_read_in_any_writing(mantissa: int, exponent: int, style: str) -> None:
    assert numbers.number(style.format(mantissa, exponent)) == pytest.approx(mantissa * 10.0**exponent, rel=1e-12)


@given(st.text(alphabet="0123456789.,eExk×^{}-−/$%MBT ⁻⁴()\\", max_size=40))
def test_any_text_gives_ordered_spans_of_numbers(text: str) -> None:
    found = numbers.find(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(any(c in "0123456789⁴" for c in text[q.start : q.end]) and q.value >= 0 or math.isnan(q.value) for q in found)
