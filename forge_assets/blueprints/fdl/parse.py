"""Reads FDL text into the tree of syntax.py: text -> lark tree -> dataclasses, and keeps the comments for the formatter.

Raises FdlError with line and column; the message says what may stand at that place, and what is near to what was found.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError
from lark.indenter import DedentError, Indenter

from forge_assets.blueprints.fdl import syntax as s
from forge_resources.errors import FdlError

KEYWORDS = ("axis", "fragment", "piece", "optimizer", "schedule", "model", "const", "param", "state", "return", "from", "init", "prefix")
RESERVED = frozenset({*KEYWORDS, "f32", "i64", "bool", "and", "or", "not"})
DEEPEST, MOST_OPERATORS = 60, 200  # nested brackets, and operators of an expression; Python's own stack ends later
OPERATORS = re.compile(r"\*\*|//|[<>=!]=|[-+*/%<>]|\b(?:and|or|not)\b")
_QUOTED = re.compile(r'"[^"]*"|#.*')
LARGEST_WHOLE, LARGEST = 2**63, 3.4028236e38
"""The first that i64 and f32 do not have."""
MEANT = {"^": "** for a power", "−": "a minus sign, -", "–": "a minus sign, -", "×": "*", "·": "*", "÷": "/", "≤": "<=", "≥": ">=",
         "≠": "!=", "←": "=", "“": 'straight quotes, "', "”": 'straight quotes, "', "'": 'double quotes, "', "&": "and",
         "|": "or", "!": "not", "@": "a sum, such as sum[d](x[b,d] * W[h,d])",
         "{": "brackets, ( or [", "}": "brackets, ) or ]", "²": "x * x for a square", "³": "x * x * x for a cube"}  # fmt: skip
"""Signs of other languages, and what FDL has in their place."""
SAID = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'a text in quotes, such as "model.norm.weight"',
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the indented lines",
    "$END": "the end of the text",
    "DTYPE": "f32, i64 or bool",
    "KIND": "fragment, piece, optimizer or schedule",
    "DOTS": "'..'",
    "PLUSMINUS": "+ or -",
    "STARS": "*",
    "SLASH": "/, // or %",
    "POWER": "**",
    "COMPARE": "a comparison",
    "AND": "'and'",
    "OR": "'or'",
    "NOT": "'not'",
    "LSQB": "'['",
    "RSQB": "']'",
    "LPAR": "'('",
    "RPAR": "')'",
    "COLON": "':'",
    "COMMA": "','",
    "EQUAL": "'='",
    "SEMICOLON": "';'",
    "STAR": "'*'",
}


class _Lines(Indenter):
    NL_type = "_NL"
    OPEN_PAREN_types = ["LPAR", "LSQB"]  # noqa: RUF012 (lark's own interface)
    CLOSE_PAREN_types = ["RPAR", "RSQB"]  # noqa: RUF012
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


def _at(token: Token) -> s.Place:
    return s.Place(token.line or 1, token.column or 1)


def _present(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(item for item in items if item is not None)


def _name(token: Token) -> s.Name:
    return s.Name(str(token), _at(token))


def _operation(left: s.Expression, operator: Token, right: s.Expression) -> s.Operation:
    return s.Operation(str(operator), (left, right), _at(operator))


@v_args(inline=True)
class _Build(Transformer[Token, tuple[s.Axis | s.Unit | s.Model, ...]]):
    def start(self, *items: Any) -> tuple[Any, ...]:
        return items

    def number(self, token: Token) -> s.Number:
        made = s.Number(str(token), _at(token))
        if made.value >= (LARGEST_WHOLE if made.text.isdigit() else LARGEST):
            told = f"{made.text[:30]} is larger than any number of {'i64' if made.text.isdigit() else 'f32'}; write a smaller one"
            raise FdlError(told, made.place.line, made.place.column)
        return made

    def name(self, token: Token) -> s.Name:
        return _name(token)

    def DOTS(self, token: Token) -> s.Dots:  # noqa: N802
        return s.Dots(_at(token))

    def dots(self, dots: s.Dots) -> s.Dots:
        return dots

    def STRING(self, token: Token) -> Token:  # noqa: N802
        return token.update(value=token[1:-1])

    def indices(self, *indices: s.Expression) -> tuple[s.Expression, ...]:
        return indices

    def access(self, name: Token, indices: tuple[s.Expression, ...] | None) -> s.Access:
        return s.Access(str(name), indices or (), _at(name))

    def keyword(self, name: Token, value: s.Expression) -> tuple[str, s.Expression]:
        return str(name), value

    def placed(self, prefix: Token) -> Token:
        return prefix

    def function(self, name: Token, *passed: Any) -> s.Function:
        given = _present(passed)
        texts = [one for one in given if isinstance(one, Token)]
        if len(texts) > 1:
            raise FdlError("a call has one prefix; two are given here, leave one out", texts[1].line or 0, texts[1].column or 0)
        keywords = tuple(one for one in given if isinstance(one, tuple))
        plain = tuple(one for one in given if not isinstance(one, Token | tuple))
        return s.Function(str(name), plain, keywords, str(texts[0]) if texts else None, _at(name))

    def parts(self, *names: Token) -> tuple[s.Name, ...]:
        return tuple(_name(name) for name in names)

    def over(self, name: Token, axes: Any, parts: Any, *arguments: s.Expression) -> s.Over:
        return s.Over(str(name), axes or (), parts or (), arguments, _at(name))

    either = both = comparison = sum = product = power = lambda self, left, operator, right: _operation(left, operator, right)

    def negated(self, operator: Token, operand: s.Expression) -> s.Operation:
        return s.Operation(str(operator), (operand,), _at(operator))

    signed = negated

    def group(self, *names: Token) -> tuple[s.Name, ...]:
        return tuple(_name(name) for name in names)

    def type(self, dtype: Token, *dims: Any) -> s.Type:
        groups = [one if isinstance(one, tuple) else ((_name(one) if isinstance(one, Token) else one),) for one in _present(dims)]
        return s.Type(str(dtype), tuple(groups), _at(dtype))

    def argument(self, name: Token, type_: s.Type) -> s.Argument:
        return s.Argument(str(name), type_, _at(name))

    def results(self, *results: s.Argument) -> tuple[s.Argument, ...]:
        return results

    def const(self, name: Token, value: s.Expression) -> s.Constant:
        return s.Constant(str(name), value, _at(name))

    def init(self, name: Token, value: Token | None) -> tuple[str, float | None]:
        return str(name), None if value is None else float(value)

    def param(self, name: Token, type_: s.Type, stored: Token, init: Any) -> s.Parameter:
        return s.Parameter(str(name), type_, str(stored), init, _at(name))

    def state(self, name: Token, type_: s.Type) -> s.State:
        return s.State(str(name), type_, _at(name))

    def left(self, *names: Any) -> tuple[s.Name | s.Dots, ...]:
        return tuple(_name(one) if isinstance(one, Token) else one for one in _present(names))

    def define(self, name: Token, axes: Any, value: s.Expression) -> s.Define:
        return s.Define(str(name), axes, value, _at(name))

    def return_(self, *names: Token) -> s.Return:
        return s.Return(tuple(_name(name) for name in names), _at(names[0]))

    def unit(self, kind: Token, name: Token, *rest: Any) -> s.Unit:
        arguments = tuple(one for one in rest if isinstance(one, s.Argument))
        body = tuple(one for one in rest if isinstance(one, s.Statement))
        given = next((one for one in rest if isinstance(one, s.Type | tuple)), ())
        results = (s.Argument("", given, given.place),) if isinstance(given, s.Type) else given
        return s.Unit(str(kind), str(name), arguments, results, body, _at(name))

    def axis(self, name: Token, size: s.Expression | None, description: Token | None) -> s.Axis:
        return s.Axis(str(name), size, str(description or ""), _at(name))

    def stages(self, *stages: s.Stage) -> tuple[s.Stage, ...]:
        return stages

    def single(self, name: Token) -> s.Stage:
        return s.Stage(str(name), (), None, None, _at(name))

    def repeated(self, name: Token, count: s.Expression, prefix: Token | None) -> s.Stage:
        return s.Stage(str(name), (), count, None if prefix is None else str(prefix), _at(name))

    def prefixed(self, name: Token, prefix: Token) -> s.Stage:
        return s.Stage(str(name), (), None, str(prefix), _at(name))

    def grouped(self, stages: tuple[s.Stage, ...], count: s.Expression | None, prefix: Token | None) -> s.Stage:
        return s.Stage(None, stages, count, None if prefix is None else str(prefix), stages[0].place)

    def model(self, name: Token, stages: tuple[s.Stage, ...]) -> s.Model:
        return s.Model(str(name), stages, _at(name))


setattr(_Build, "return", _Build.return_)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", postlex=_Lines(), maybe_placeholders=True)


def parse(text: str) -> s.Text:
    """The tree of a text. Raises FdlError where the text breaks the grammar."""
    _look_over(text)
    try:
        items = _Build().transform(_parser().parse(text.rstrip() + "\n"))
    except VisitError as error:
        if isinstance(error.orig_exc, FdlError):
            raise error.orig_exc from None
        raise
    except DedentError:
        line, column = _odd_indent(text)
        raise FdlError("the line is indented as no line above it; indent all lines of a body by two spaces", line, column) from None
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    return s.Text(items, _comments(text))


def _look_over(text: str) -> None:
    """What the grammar would report badly: tabs, and expressions too deep for the stack."""
    depth = operators = 0
    for number, line in enumerate(text.split("\n"), 1):
        code = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), line).rstrip(" ")
        if "\t" in code:
            raise FdlError("a tab; FDL is indented and spaced with spaces, replace it", number, code.index("\t") + 1)
        for column, letter in enumerate(code, 1):
            depth += (letter in "([") - (letter in ")]")
            if depth > DEEPEST:
                raise FdlError(f"more than {DEEPEST} open brackets; name parts of the expression in lines of their own", number, column)
        for sign in OPERATORS.finditer(code):
            operators += 1
            if operators > MOST_OPERATORS:
                told = f"more than {MOST_OPERATORS} operators in one expression; name parts of it in lines of their own"
                raise FdlError(told, number, sign.start() + 1)
        operators = operators if depth > 0 else 0
        if len(code) > 4000:
            raise FdlError("the line has more than 4,000 characters; name parts of the expression in lines of their own", number, 4001)


def _comments(text: str) -> dict[int, tuple[int, str]]:
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        quoted = False
        for column, letter in enumerate(line):
            quoted ^= letter == '"'
            if letter == "#" and not quoted:
                found[number] = (column + 1, line[column:].rstrip())
                break
    return found


def _odd_indent(text: str) -> tuple[int, int]:
    levels: list[int] = [0]
    for number, line in enumerate(text.split("\n"), 1):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if indent > levels[-1]:
            levels.append(indent)
        while indent < levels[-1]:
            levels.pop()
        if indent != levels[-1]:
            return number, indent + 1
    return 1, 1


def _explained(error: UnexpectedInput, text: str) -> FdlError:
    """The parser's complaint in the words of the language."""
    if isinstance(error, UnexpectedCharacters):
        letter = error.char
        if letter == '"':
            return FdlError('a text in quotes does not end; close it with " on the same line', error.line, error.column)
        if letter in "0123456789.":
            return FdlError(
                "this is no number; numbers are written 3, 0.5 or 1e-5, and names begin with a letter", error.line, error.column
            )
        if letter in MEANT:
            return FdlError(f"FDL knows no {letter!r}; write {MEANT[letter]}", error.line, error.column)
        if not letter.isascii() or not letter.isprintable():
            told = f"FDL knows no {_called(letter)}; outside of comments and quotes a text is plain ASCII"
            return FdlError(told, error.line, error.column)
        return FdlError(f"FDL knows no {letter!r} here; expected {_told(set(error.allowed or ()))}", error.line, error.column)
    if isinstance(error, UnexpectedToken):
        return _unexpected(error, text)
    if isinstance(error, UnexpectedEOF):
        return FdlError("the text ends too early; the last line is not complete", text.count("\n") + 1, 1)
    return FdlError("the text does not follow the grammar here", error.line, error.column)


def _called(letter: str) -> str:
    """A sign by itself where it can be seen, and by its name in Unicode."""
    name = unicodedata.name(letter, f"sign number {ord(letter)}")
    return f"{letter!r} ({name})" if letter.isprintable() else f"invisible sign ({name})"


def _unexpected(error: UnexpectedToken, text: str) -> FdlError:
    token, expected = error.token, set(error.accepts or error.expected)
    line, column = token.line or text.rstrip().count("\n") + 1, token.column or 1
    if token.type == "_NL":
        before = text.split("\n")[line - 1].split("#")[0].rstrip()
        column = len(before) + 1
    found = {"_NL": "the end of the line", "$END": "the end of the text", "_INDENT": "an indented line", "_DEDENT": "a line indented less"}
    said = found.get(token.type, f"'{token}'")
    if expected & {"_INDENT"}:
        return FdlError(f"expected indented lines after the ':', found {said}; indent the body by two spaces", line, column)
    if token.type == "_INDENT":
        line, column = token.end_line or line + 1, 1
        return FdlError("this line is indented, but no line above it opens a body; remove the spaces before it", line, column)
    if "NAME" in expected and str(token) in RESERVED:
        return FdlError(f"'{token}' is a word of the language and cannot be a name; choose another name", line, column)
    words = {word for word in RESERVED if word.upper() in expected} | _words(expected)
    near = difflib.get_close_matches(str(token), words, 1, 0.6)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return FdlError(f"expected {_told(expected)}, found {said}{hint}", line, column)


def _words(expected: set[str]) -> set[str]:
    words: set[str] = set()
    if "KIND" in expected:
        words |= {"fragment", "piece", "optimizer", "schedule"}
    if "DTYPE" in expected:
        words |= {"f32", "i64", "bool"}
    return words


def _told(expected: set[str]) -> str:
    said = sorted({SAID.get(name, name.lower() if name.isupper() else name) for name in expected if name not in ("_INDENT", "_DEDENT")})
    if len(said) > 6:
        said = [one for one in said if one in ("a name", "a number", "'('", "')'", "']'", "','", "the end of the line")] or said[:6]
    return " or ".join(filter(None, [", ".join(said[:-1]), said[-1]])) if said else "nothing more"
