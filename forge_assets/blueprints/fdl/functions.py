"""The functions of the language: how many arguments, and the dtype they give. Back-ends print all of them."""

from __future__ import annotations

from collections.abc import Sequence

FLOAT = ("exp", "log", "log1p", "sin", "cos", "tan", "tanh", "erf", "sqrt", "rsqrt", "sigmoid", "silu", "softplus", "float")
SAME = ("abs", "relu", "sign", "floor", "ceil", "stop")  # the dtype of the argument; stop: no gradient flows through
FUNCTIONS = dict.fromkeys((*FLOAT, *SAME, "int"), 1) | {"max": 2, "min": 2, "where": 3}
REDUCTIONS = ("sum", "mean", "max", "min", "logsumexp", "softmax", "cumsum", "rank")
OPERATORS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow",
    "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne", "and": "and", "or": "or", "not": "not",
}  # fmt: skip
COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
LOGIC = frozenset({"and", "or", "not"})


class WrongDtype(Exception):
    """`hint`: what is wrong with the dtypes and what to do."""

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


def _joined(dtypes: Sequence[str]) -> str:
    return "f32" if "f32" in dtypes else "i64"


def dtype_of(function: str, dtypes: Sequence[str]) -> str:
    """The dtype of an elementwise function or operator. Raises WrongDtype."""
    if function in LOGIC:
        if set(dtypes) != {"bool"}:
            raise WrongDtype(f"'{function}' joins conditions (bool), not numbers; compare the numbers first, such as x > 0")
        return "bool"
    if function == "where":
        if dtypes[0] != "bool":
            raise WrongDtype(f"the first argument of where is a condition (bool), not {dtypes[0]}; compare it, such as x > 0")
        if len(set(dtypes[1:])) == 2 and "bool" in dtypes:
            values = dtypes[1:]
            if "bool" in values:
                raise WrongDtype("where has a condition (bool) in one branch and a number in the other; both must be of one kind")
        return "bool" if set(dtypes[1:]) == {"bool"} else _joined(dtypes[1:])
    if "bool" in dtypes and function not in ("stop", "float", "int"):
        raise WrongDtype(f"'{function}' works on numbers, not on a condition (bool); write where(condition, 1.0, 0.0)")
    if function in COMPARISONS:
        return "bool"
    if function in FLOAT or function == "div":
        return "f32"
    if function == "int":
        return "i64"
    return _joined(dtypes) if function != "stop" else dtypes[0]
