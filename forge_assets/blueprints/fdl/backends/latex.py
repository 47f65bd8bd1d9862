"""Prints a LaTeX document: the model as an algorithm, line by line, with its axes and weights.

It needs what Debian's texlive-latex-recommended has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import notation

GREEK = frozenset(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
)
ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
} | {sign: "\\" + sign for sign in "&%$#_{}"}
WHOLE = frozenset({"weight_decay", "final_over_lr"})
"""Constants of optimizers whose name is several words and no place in a piece."""
NAMED = {"exp", "log", "sin", "cos", "tan", "tanh", "max", "min"}
LONGEST_FRACTION, LONGEST_CASES = 30, 70  # characters of FDL; longer ones are written in a line, which can be broken
HEAD = r"""\documentclass[10pt,a4paper]{article}
\usepackage[margin=22mm]{geometry}
\usepackage{amsmath,amssymb,booktabs,longtable,array,microtype}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\setlength{\LTpre}{4pt}
\setlength{\LTpost}{0pt}
\newcounter{algline}
\newenvironment{algorithmlines}{\setcounter{algline}{0}\begin{list}{\footnotesize\arabic{algline}}{\usecounter{algline}%
  \setlength{\topsep}{2pt}\setlength{\leftmargin}{9mm}\setlength{\labelwidth}{6mm}\setlength{\itemsep}{2pt}\setlength{\parsep}{0pt}\raggedright\hangindent=16mm}}{\end{list}}
\newcommand{\algsection}[1]{\vspace{3pt}\item[]\hspace{-9mm}\textit{\small #1}}
\newcommand{\size}[1]{\lvert #1\rvert}
\allowdisplaybreaks
"""


def print_latex(program: ir.Program) -> dict[str, str]:
    """algorithm.tex, a whole document."""
    return {"algorithm.tex": HEAD + "\n".join(_document(program)) + "\n"}


def escaped(text: str) -> str:
    """Any text as LaTeX prints it; letters it has no font for become their nearest ASCII ones."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()
    return "".join(ESCAPES.get(sign, sign) for sign in plain if sign.isprintable())


def symbol(name: str) -> str:
    """A name as a symbol; what pieces put before their names stands above it: `a_qr_theta` is theta with a.qr above.

    `m_new`, the value that an update rule gives m, is m with a dash.
    """
    if name in WHOLE:
        return f"\\mathit{{{escaped(name)}}}"
    if name.endswith("_new") and name != "_new":
        return f"{{{symbol(name.removesuffix('_new'))}}}'"
    *before, last = [part for part in name.split("_") if part] or [name]
    if last.isdigit() and before:
        last = before.pop() + last
    number = re.fullmatch(r"([A-Za-z]+)(\d+)", last)
    if number and number[1] in GREEK:
        return f"{{{symbol('_'.join([*before, number[1]]))}_{{{number[2]}}}}}"  # in braces: an index may follow
    if number and len(number[1]) == 1:
        before, last = [*before, number[2]], number[1]
    shown = "\\" + last if last in GREEK else last if len(last) == 1 else f"\\mathit{{{escaped(last)}}}"
    return f"{shown}^{{\\mathrm{{{escaped('.'.join(before))}}}}}" if before else shown


class Latex(notation.Notation):
    """Mathematics that can be broken at operators: no brackets that grow."""

    signs = notation.SIGNS | {
        "mul": r"\,", "le": r"\le", "ge": r"\ge", "ne": r"\ne", "eq": "=", "and": r"\land", "or": r"\lor", "not": r"\lnot ", "mod": r"\bmod"
    }  # fmt: skip

    def number(self, value: int | float) -> str:
        text = super().number(value)
        if "e" not in text:
            return text
        factor, power = text.split("e")
        power_text = f"10^{{{int(power)}}}"
        return {"1": power_text, "-1": "-" + power_text}.get(factor, f"{factor}\\cdot {power_text}")

    def constant(self, node: ir.Constant) -> str:
        return symbol(node.name)

    def position(self, node: ir.Position) -> str:
        return symbol(node.axis)

    index_position = position

    def size_of(self, node: ir.SizeOf) -> str:
        return f"\\size{{{symbol(node.axis)}}}"

    def layer(self) -> str:
        return r"\ell"

    def axis(self, name: str) -> str:
        return symbol(name)

    def element(self, name: str, indices: list[str]) -> str:
        return f"{symbol(name)}_{{{','.join(indices)}}}" if indices else symbol(name)

    def reduction(self, node: ir.Reduce) -> str:
        over, body = ",".join(map(symbol, node.over)), self.of(node.body)
        if node.function == "sum":
            product = isinstance(node.body, ir.Apply) and notation.level(node.body) <= notation.LEVELS["add"]
            return f"\\textstyle\\sum_{{{over}}} " + (f"({body})" if product else body)
        return f"\\operatorname{{{node.function}}}_{{{over}}}({body})"

    def cat(self, node: ir.Cat) -> str:
        return f"\\operatorname{{cat}}_{{{symbol(node.axis)}}}({', '.join(self.of(part) for _, part in node.parts)})"

    def apply(self, node: ir.Apply, in_index: bool) -> str:
        function, plain = node.function, notation.Notation(self.scan)
        if function == "div" and all(len(plain.of(one)) <= LONGEST_FRACTION for one in node.arguments):
            return "\\tfrac{" + "}{".join(self.of(one, in_index) for one in node.arguments) + "}"
        if function == "floordiv":
            return "\\lfloor " + " / ".join(self.of(one, in_index) for one in node.arguments) + "\\rfloor"
        if function == "pow":
            base = self.of(node.arguments[0], in_index)
            base = f"({base})" if notation.level(node.arguments[0]) < notation.ATOM else base
            return f"{{{base}}}^{{{self.of(node.arguments[1], in_index)}}}"
        if function == "mul":
            return self._product(node, in_index)
        if function == "where" and len(plain.of(node)) <= LONGEST_CASES:
            condition, yes, no = (self.of(one, in_index) for one in node.arguments)
            return f"\\begin{{cases}}{yes} & \\text{{if }} {condition}\\\\ {no} & \\text{{otherwise}}\\end{{cases}}"
        return super().apply(node, in_index)

    def _product(self, node: ir.Apply, in_index: bool) -> str:
        """Sums below a product stand in brackets too, for their sign reaches to the end of the line."""
        sides = []
        for place, one in enumerate(node.arguments):
            text = self.of(one, in_index)
            sum_before = place == 0 and isinstance(one, ir.Reduce) and one.function == "sum"
            sides.append(f"({text})" if notation.needs_brackets(node, place) or sum_before else text)
        numbers = isinstance(node.arguments[1], ir.Number)
        return (r" \cdot " if numbers else r"\;").join(sides)

    def call(self, function: str, arguments: list[str]) -> str:
        given = ", ".join(arguments)
        if function in ("sqrt", "rsqrt"):
            return f"\\sqrt{{{given}}}" if function == "sqrt" else f"({given})^{{-1/2}}"
        if function == "sigmoid":
            return f"\\sigma({given})"
        if function in NAMED:
            return f"\\{function}({given})"
        if function in ("floor", "ceil"):
            return f"\\l{function} {given}\\r{function}"
        if function == "abs":
            return f"\\lvert {given}\\rvert"
        return f"\\operatorname{{{function}}}({given})"


def _document(program: ir.Program) -> Iterator[str]:
    title = escaped(", ".join([*program.models] or [*program.units]))
    yield f"\\title{{\\vspace{{-15mm}}{title}}}\\author{{}}\\date{{}}"
    yield from ("\\begin{document}", "\\maketitle\\vspace{-12mm}")
    for model in program.models.values():
        told = escaped(notation.flow(model.stages)).replace(" ; ", " $\\to$ ").replace(" * ", " $\\times$ ")
        yield f"\\textbf{{Model {escaped(model.name)}}}: {told}\n"
    yield r"\begin{longtable}{@{}l l p{100mm}@{}}\toprule axis & size & what it is\\\midrule\endhead"
    for axis in program.axes.values():
        size = axis.size.text()
        yield f"${symbol(axis.name)}$ & {'given' if size == axis.name else f'${_size(size)}$'} & {escaped(axis.description)}\\\\"
    yield r"\bottomrule\end{longtable}"
    for unit in program.units.values():
        yield from _unit(unit)
    yield "\\end{document}"


def _size(text: str) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda found: symbol(found[0]), text).replace(" * ", r"\,")


def _tensors(tensors: tuple[ir.Tensor, ...] | tuple[ir.Result, ...]) -> str:
    return ", ".join(f"${Latex().element(one.name, list(map(symbol, one.axes)))}$" for one in tensors)


def _unit(unit: ir.Unit) -> Iterator[str]:
    yield f"\\subsection*{{{unit.kind.capitalize()} {escaped(unit.name)}}}"
    yield f"\\textbf{{Input:}} {_tensors((*unit.inputs, *unit.states)) or 'nothing'}\\quad\\textbf{{Output:}} {_tensors(unit.results)}"
    if unit.constants:
        yield "\\quad\\textbf{Constants:} " + ", ".join(
            f"${symbol(name)} = {Latex().number(value)}$" for name, value in unit.constants.items()
        )
    yield ""
    if unit.parameters:
        yield r"\begin{longtable}{@{}l l l@{}}\toprule weight & axes & stored as\\\midrule\endhead"
        for one in unit.parameters:
            groups = ",".join(f"{symbol(group[0])}" if len(group) == 1 else f"({' '.join(map(symbol, group))})" for group in one.groups)
            yield f"${symbol(one.name)}$ & ${groups}$ & \\texttt{{{escaped(one.stored)}}}\\\\"
        yield r"\bottomrule\end{longtable}"
    yield "\\begin{algorithmlines}"
    section = ""
    for definition in unit.definitions:
        if notation.heading(definition) != section:
            section = notation.heading(definition)
            yield f"\\algsection{{{escaped(section)}}}" if section else ""
        spelled = Latex(definition)
        left = spelled.element(definition.name, list(map(symbol, definition.axes)))
        step = f" \\quad\\textbf{{for}} ${symbol(definition.scan)} = 0, 1, \\ldots$ (0 before)" if definition.scan else ""
        yield f"\\item ${left} \\leftarrow {spelled.of(definition.value)}${step}"
    yield f"\\item \\textbf{{return}} {_tensors(unit.results)}"
    yield "\\end{algorithmlines}"
