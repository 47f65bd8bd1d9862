"""What each operator of a condition means: a table, properties over drawn values, and the same reading as a second one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.compatibility.constraints.model import IDEA, Condition, Constraint, Source, Value, option
from forge_assets.compatibility.constraints.validator import holds, violation, violations
from forge_assets.compatibility.stack import truth
from tests.compatibility.planting import Given, means

X, Y, Z = "number:x", "number:y", "number:z"
VERSION = option("a/b", "version:torch")
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-4, 12), st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from(["", "a", "ab", "2", "moe"])
)
VALUES: st.SearchStrategy[Given] = st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(tuple))
LISTS = st.lists(SCALARS, max_size=3).map(tuple)
ALONE = ["on", "off", "set", "unset"]
AGAINST = ["==", "!=", "<", "<=", ">", ">=", "contains", "lacks", "starts_with", "not_starts_with", "divisible_by", "not_divisible_by"]
OPPOSITE = {"on": "off", "set": "unset", "==": "!=", "in": "not in", "contains": "lacks", "starts_with": "not_starts_with"}


@pytest.mark.parametrize(
    ("op", "value", "wanted", "expected"),
    [
        ("on", True, None, True), ("on", 2, None, True), ("on", 0, None, False), ("on", "", None, False), ("on", None, None, False),
        ("off", 0, None, True), ("off", (), None, True), ("off", ("a",), None, False), ("off", None, None, True),
        ("set", 0, None, True), ("set", False, None, True), ("set", None, None, False), ("unset", None, None, True),
        ("unset", "", None, False),         ("==", 1, 1, True), ("==", True, 1, False), ("==", 1.0, 1, True),
        ("==", None, None, True), ("!=", None, 3, True),
        ("!=", "a", "a", False),
        ("<", 1, 2, True), ("<", True, 2, False), ("<", "1", 2, False), ("<", None, 2, False), (">=", 2, 2, True), ("<=", 3, 2, False),
        ("in", "a", ("a", None), True), ("in", None, ("a", None), True), ("in", 1, (True,), False), ("not in", None, ("a",), True),
        ("contains", ("moe", "attn"), "moe", True), ("contains", ("moe_act",), "moe", False), ("contains", "moe_act", "moe", True),
        ("contains", None, "moe", False), ("lacks", None, "moe", True), ("lacks", ("mlp",), "moe", True), ("lacks", 3, 3, True),
        ("starts_with", "sm_90", "sm_", True), ("starts_with", None, "sm_", False), ("not_starts_with", "cpu", "sm_", True),
        ("divisible_by", 8, 4, True), ("divisible_by", 8, 3, False), ("not_divisible_by", 8, 3, True), ("not_divisible_by", 8, 0, False),
        ("divisible_by", 8, 0, False), ("not_divisible_by", None, 3, False), ("not_divisible_by", 8, None, False),
        ("divisible_by", 0, 4, True),
    ],
)  # fmt: skip
def test_what_an_operator_says(op: str, value: Given, wanted: Value | tuple[Value, ...], expected: bool) -> None:
    assert holds(Condition(X, op, wanted), {X: value}) is expected  # type: ignore[arg-type]


@settings(max_examples=400, deadline=None)
@given(op=st.sampled_from([*ALONE, *AGAINST]), value=VALUES, wanted=SCALARS)
def test_operators_read_as_a_second_table_reads_them(op: str, value: Given, wanted: Value) -> None:
    assert holds(Condition(X, op, wanted), {X: value}) == means(op, value, wanted)  # type: ignore[arg-type]


@settings(max_examples=400, deadline=None)
@given(op=st.sampled_from([*ALONE, *AGAINST, "in", "not in"]), value=SCALARS, wanted=SCALARS, listed=LISTS)
def test_the_solver_s_own_reading_agrees_with_the_validator_s(op: str, value: Value, wanted: Value, listed: tuple[Value, ...]) -> None:
    condition = Condition(X, op, listed if op in ("in", "not in") else wanted)  # type: ignore[arg-type]
    assert holds(condition, {X: value}) == truth.holds(condition, {X: value})


@settings(max_examples=200, deadline=None)
@given(op=st.sampled_from(["in", "not in"]), value=VALUES, wanted=LISTS)
def test_membership_reads_as_a_second_table_reads_it(op: str, value: Given, wanted: tuple[Value, ...]) -> None:
    assert holds(Condition(X, op, wanted), {X: value}) == means(op, value, wanted)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(op=st.sampled_from(sorted(OPPOSITE)), value=VALUES, wanted=SCALARS, listed=LISTS)
def test_of_two_opposites_one_holds_of_every_value_and_none_of_no_value(
    op: str, value: Given, wanted: Value, listed: tuple[Value, ...]
) -> None:
    compared = listed if op == "in" else None if op in ("on", "set") else wanted
    pair = [Condition(X, one, compared) for one in (op, OPPOSITE[op])]  # type: ignore[arg-type]
    assert sum(holds(one, {X: value}) for one in pair) == 1
    assert not any(holds(one, {}) for one in pair)


@settings(max_examples=200, deadline=None)
@given(op=st.sampled_from(AGAINST), value=VALUES, other=SCALARS)
def test_a_name_of_a_variable_means_its_value(op: str, value: Given, other: Value) -> None:
    named = Condition(X, op, Y)  # type: ignore[arg-type]
    assert holds(named, {X: value, Y: other}) == holds(Condition(X, op, other), {X: value})  # type: ignore[arg-type]
    assert not holds(named, {X: value})


def test_a_product_is_judged_when_all_factors_are_known() -> None:
    product = Condition(X, "product_is_not", (Y, Z, 2))
    assert holds(product, {X: 13, Y: 2, Z: 3})
    assert not holds(product, {X: 12, Y: 2, Z: 3})
    assert not holds(product, {X: 13, Y: 2})
    assert not holds(product, {X: 13, Y: 2, Z: None})


@pytest.mark.parametrize(
    ("found", "wanted", "older"),
    [("2.3.0", "2.10.0", True), ("2.10.0", "2.9.1", False), ("2.7.0", "2.7.0.dev0", False), ("2.7.0.dev1", "2.7.0", True),
     ("2.7", "2.7.0", False),
     ("1.10.0a0", "1.10.0", True), ("2.6.0dev0", "2.6.0dev0", False), ("2.6.0+cu126", "2.6.0", False), ("2.5.9", "2.6.0dev0", True)],
)  # fmt: skip
def test_versions_are_ordered_as_versions(found: str, wanted: str, older: bool) -> None:
    assert holds(Condition(VERSION, "<", wanted), {VERSION: found}) is older
    assert holds(Condition(VERSION, ">=", wanted), {VERSION: found}) is not older
    assert not holds(Condition(X, "<", wanted), {X: found}), "two texts that are no versions have no order"


def constraint(*forbidden: Condition, written: tuple[Condition, ...] = ()) -> Constraint:
    return Constraint("c", "fact", "hard", IDEA, forbidden, "a rule", Source("path.py:7", "a/b", "c0ffee" * 7), written)


def test_a_constraint_is_broken_when_all_conditions_hold_each_in_either_form() -> None:
    first, second = Condition("slot:norm", "in", ("rms-norm",)), Condition(X, ">", 1)
    rule = constraint(first, second, written=(Condition(option("a/b", "norm"), "==", "RMSNorm"), Condition(option("a/b", "x"), ">", 1)))
    assert violation({"slot:norm": "rms-norm", X: 2}, rule)
    assert violation({"slot:norm": "rms-norm", option("a/b", "x"): 2}, rule), "one resolved, one as written"
    assert violation({option("a/b", "norm"): "RMSNorm", option("a/b", "x"): 2}, rule)
    assert violation({"slot:norm": "rms-norm", X: 1}, rule) is None
    assert violation({X: 2}, rule) is None
    found = violation({"slot:norm": "rms-norm", X: 2, Y: 3}, rule)
    assert found
    assert found.found == {"slot:norm": "rms-norm", X: 2}
    assert found.told.endswith("norm is rms-norm, x is 2 (a/b@c0ffeec0ff path.py:7)")


def test_what_is_not_written_counts_as_off_or_unset_but_breaks_nothing_alone() -> None:
    rule = constraint(Condition(X, "on"), Condition(Y, "off"))
    [found] = violations({X: True}, [rule], unwritten=[Y])
    assert found.assumed == (Y,)
    assert "y is not written" in found.told
    assert not violations({X: True}, [rule]), "unassigned is not unwritten"
    assert not violations({X: True, Y: True}, [rule], unwritten=[Y])
    assert not violations({}, [rule, constraint(Condition(Y, "off"), Condition(Z, "unset"))], unwritten=[X, Y, Z])
    assert not violations({X: True}, [constraint(Condition(X, "on"), Condition(Y, "!=", 3))], unwritten=[Y]), "its default may be 3"
