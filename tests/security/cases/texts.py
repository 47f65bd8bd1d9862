"""Texts: directives that name files, TeX that would run for ever, bait for regular expressions, broken encodings."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import pairwise

from tests.security.cases import MARKER, SENTENCE, Bait, Case, case, noise

MARKS = {
    "spaces": " ",
    "tabs": "\t",
    "newlines": "\n",
    "stars": "*",
    "underscores": "_",
    "backticks": "`",
    "dollars": "$",
    "dashes": "-",
    "equals": "=",
    "hashes": "#",
    "pipes": "|",
    "brackets": "[",
    "closed": "]",
    "links": "[a](",
    "images": "![",
    "braces": "{",
    "less": "<",
    "and": "&",
    "quotes": ">",
    "quoted": "> ",
    "backslashes": "\\",
    "colons": ":",
    "tildes": "~",
    "dots": ".",
    "comments": "<!--",
    "tags": "<a ",
    "slashes": "</",
    "plus": "+ ",
    "items": "- ",
    "emphasis": "*a _b ",
    "footnotes": "[^a]",
    "references": "[a]: x\n",
    "at": "@",
    "percent": "%",
    "parentheses": "(",
    "words": "a1_",
    "hyphens": "a-\n",
    "quote": '"',
    "math": "$$",
}


def _baits(bait: Bait) -> Iterator[Case]:
    for name, mark in MARKS.items():
        run = mark * (20_000 // len(mark))
        yield case(f"bait/{name}.md", f"# T\n\n{SENTENCE}\n\n{run}\n")
        yield case(f"bait/{name}.txt", f"{SENTENCE} {run}!")
    for ext in ("rst", "org", "adoc", "textile", "wiki", "typ", "tex", "mdx", "html", "bbl", "srt"):
        for name in ("spaces", "stars", "brackets", "braces", "pipes", "dollars", "backslashes", "items"):
            yield case(f"bait/{name}.{ext}", f"{SENTENCE}\n\n{MARKS[name] * (4_000 // len(MARKS[name]))}x\n")
    for name in ("spaces", "stars", "dashes", "less", "and", "newlines"):  # each reader's worst, at full length
        yield case(f"bait/{name}-long.md", f"# T\n\n{SENTENCE}\n\n{MARKS[name] * 100_000}\n")
    yield case("bait/table.md", "|" + " a |" * 2_000 + "\n|" + "-|" * 2_000 + "\n" + ("|" + " 1 |" * 2_000 + "\n") * 30)
    yield case("bait/nested.md", "".join("  " * n + "- x\n" for n in range(3_000)))
    yield case("bait/nested.rst", "".join("  " * n + "- x\n\n" for n in range(400)))
    yield case("bait/fences.md", "```\n" * 100_001)
    yield case("bait/setext.md", "a\n=\n" * 50_000)
    yield case("bait/one-line.txt", (SENTENCE + " ").encode() * 20_000)
    yield case("bait/one-word.txt", b"a" * 4_000_000)
    yield case("bait/one-line.md", b"*a* " * 100_000)
    yield case("bait/numbers.txt", b"1 " * 300_000)
    yield case("bait/dates.txt", "12:34:56,789 --> " * 50_000)
    yield case("bait/subtitles.srt", "1\n00:00:00,000 --> 99:99:99,999\n" + "{\\an8}<i>" * 50_000)
    yield case("bait/combining.txt", "a" + "\u0301" * 100_000)
    yield case("bait/directions.txt", SENTENCE + "\u202e\u2066" * 100_000)
    yield case("bait/ligatures.txt", "\ufdfa" * 300_000)


def _directives(bait: Bait) -> Iterator[Case]:
    file, url = bait.secret, bait.url
    rst = {
        "include": f".. include:: {file}",
        "literal": f".. literalinclude:: {file}",
        "passwd": ".. include:: /etc/passwd",
        "code": f".. include:: {file}\n   :code: text",
        "raw-file": f".. raw:: html\n   :file: {file}",
        "raw-url": f".. raw:: html\n   :url: {url}/raw",
        "csv-file": f".. csv-table:: T\n   :file: {file}",
        "csv-url": f".. csv-table:: T\n   :url: {url}/csv",
        "image": f".. image:: {url}/i.png",
        "raw-script": f".. raw:: html\n\n   <script>{MARKER}</script>",
        "role": f".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`<script>{MARKER}</script>`",
        "substitution": "\n".join(f".. |a{n}| replace:: {f'|a{n - 1}| ' * 10}" for n in range(1, 12)) + "\n\n|a11|",
        "substitution-loop": ".. |a| replace:: |b|\n.. |b| replace:: |a|\n\n|a|",
        "default-role": ".. default-role:: raw\n\n`x`",
        "sections": "\n\n".join(f"T{n}\n{sign * 4}" for n, sign in enumerate("=-~^\"'`#*+.:_" * 90)),
    }
    for name, text in rst.items():
        yield case(
            f"directive/{name}.rst", f"Title\n=====\n\n{SENTENCE}\n\n{text}\n", never=() if name == "role" else (f"<script>{MARKER}",)
        )
    others = {
        "include.org": f'#+TITLE: T\n#+INCLUDE: "{file}" src\n{SENTENCE}',
        "setup.org": f"#+TITLE: T\n#+SETUPFILE: {url}/s.org\n{SENTENCE}",
        "run.org": f"#+TITLE: T\n{SENTENCE}\n#+BEGIN_SRC sh :results output\ntouch {bait.trap}/org\n#+END_SRC\n#+CALL: x()",
        "macro.org": "#+MACRO: a {{{a}}}{{{a}}}\n" + SENTENCE + " {{{a}}}",
        "eval.org": f'#+TITLE: T\n#+MACRO: e (eval (shell-command "touch {bait.trap}/eval"))\n{SENTENCE} {{{{{{e}}}}}}',
        "include.adoc": f"= T\n\n{SENTENCE}\n\ninclude::{file}[]\n\ninclude::{url}/x.adoc[]",
        "image.adoc": f"= T\n\n{SENTENCE}\n\nimage::{url}/x.png[]",
        "attribute.adoc": "= T\n:a: {b}{b}\n:b: {a}{a}\n\n" + SENTENCE + " {a}",
        "include.typ": f'= T\n{SENTENCE}\n#include "{file}"\n#read("{file}")',
        "loop.typ": f"= T\n{SENTENCE}\n#while true {{}}",
        "recursion.typ": f"= T\n{SENTENCE}\n#let f(x) = f(x) + f(x)\n#f(1)",
        "json.typ": f'#let d = json("{file}")\n= T\n{SENTENCE} #d',
        "template.wiki": "== T ==\n" + SENTENCE + " {{:" + str(file) + "}} {{" * 3_000,
        "include.textile": f"h1. T\n\n{SENTENCE}\n\n!{url}/x.png!\n\n<script>{MARKER}</script>",
        "include.md": f"# T\n\n{SENTENCE}\n\n!include {file}\n\n{{{{< include {file} >}}}}\n\n![i]({file})\n\n<!-- {MARKER} -->",
        "html.md": f"# T\n\n{SENTENCE}\n\n<script>\n{MARKER}\n</script>\n<iframe src='{url}'></iframe>",
        "import.mdx": f"import X from '{url}/x.js'\nexport const y = require('{file}')\n\n# T\n\n{SENTENCE}\n\n"
        f"<X on={{() => {{ '{MARKER}' }}}} />",
        "image.md": f"# T\n\n{SENTENCE}\n\n![i]({url}/i.png) ![d](data:image/png;base64,{'QUJD' * 300_000})",
        "references.md": "# T\n\n" + SENTENCE + "\n\n" + "".join(f"[a{n}]: x\n" for n in range(20_000)) + "[a1][" * 5_000,
        "run.qmd": f"# T\n\n{SENTENCE}\n\n```{{r}}\nsystem('touch {bait.trap}/r')\n```",
        "object.rtf": "{\\rtf1\\ansi "
        + SENTENCE
        + "{\\object\\objdata "
        + "41" * 100_000
        + "}{\\field{\\*\\fldinst INCLUDETEXT "
        + str(file)
        + "}}}",
        "deep.rtf": "{\\rtf1 " + "{" * 100_000 + SENTENCE,
        "bin.rtf": "{\\rtf1 " + SENTENCE + "\\bin999999999 x}",
        "numbers.rtf": "{\\rtf1 \\u99999999999? \\'zz " + SENTENCE + "}",
    }
    for name, text in others.items():
        yield case(f"directive/{name}", text + "\n", never=(f"<script>{MARKER}",))


def _laughing() -> str:
    letters = "abcdefghijkl"
    return "\\def\\a{ha}" + "".join(f"\\def\\{after}{{" + f"\\{before}" * 10 + "}" for before, after in pairwise(letters))


def _tex(bait: Bait) -> Iterator[Case]:
    file = bait.secret
    bodies = {
        "input": f"\\input{{{file}}} \\input {file} \\include{{{file}}} \\subfile{{{file}}}",
        "passwd": "\\input{/etc/passwd} \\verbatiminput{/etc/passwd} \\lstinputlisting{/etc/passwd}",
        "piped": f'\\input|"touch {bait.trap}/piped"',
        "write18": f"\\immediate\\write18{{touch {bait.trap}/write18}}",
        "lua": f"\\directlua{{os.execute('touch {bait.trap}/lua')}}",
        "openin": f"\\newread\\f \\openin\\f={file} \\read\\f to\\x \\x \\closein\\f",
        "openout": f"\\newwrite\\f \\immediate\\openout\\f={bait.trap}/openout \\immediate\\write\\f{{x}}",
        "graphics": f"\\includegraphics{{{bait.url}/x.png}} \\includegraphics{{{file}}}",
        "bibliography": f"\\bibliography{{{file}}} \\bibdata{{{file}}} \\addbibresource{{{file}}}",
        "def-loop": "\\def\\a{\\a} \\a",
        "def-grow": "\\def\\a{\\a\\a x} \\a",
        "def-pair": "\\def\\a{\\b\\b}\\def\\b{\\a\\a} \\a",
        "newcommand": "\\newcommand{\\a}[1]{\\a{#1#1}} \\a{x}",
        "renew": "\\renewcommand{\\section}{\\section} \\section{x}",
        "csname": "\\expandafter\\def\\csname a\\endcsname{\\csname a\\endcsname} \\csname a\\endcsname",
        "loop": "\\loop\\iftrue\\repeat",
        "catcode": "\\catcode`\\@=13 \\def@{@@} @",
        "laughs": _laughing() + "\\l",
        "newenvironment": "\\newenvironment{e}{\\begin{e}}{\\end{e}} \\begin{e}x\\end{e}",
        "arguments": "\\newcommand{\\a}[9]{#1#2#3#4#5#6#7#8#9} " + "\\a" * 20_000,
        "braces": "{" * 100_000 + "}" * 100_000,
        "environments": "\\begin{itemize}\\item " * 3_000,
        "math": "$" + "{" * 20_000 + "x" + "}" * 20_000 + "$",
        "frac": "$" + "\\frac{" * 5_000,
        "tabular": "\\begin{tabular}{" + "c" * 20_000 + "}" + "&" * 20_000 + "\\end{tabular}",
        "multicolumn": "\\begin{tabular}{cc}\\multicolumn{999999999}{c}{x}\\\\ \\multirow{999999999}{*}{y}\\end{tabular}",
        "star-columns": "\\begin{tabular}{*{9999}{*{9999}{c}}} a & b \\end{tabular}",
        "numbers": "\\setcounter{section}{99999999999999999999} \\section{x}",
        "roman": "\\begin{enumerate}\\setcounter{enumi}{2147483646}\\item x\\end{enumerate}",
        "percent": "%" * 100_000,
        "comments": "\\begin{comment}" * 2_000,
        "verbatim": "\\begin{verbatim}" + SENTENCE,
        "cite": "\\cite{" + "a," * 50_000 + "}",
        "iffalse": "\\iffalse " * 5_000,
    }
    for name, body in bodies.items():
        head = "\\documentclass{article}\n\\begin{document}\n\\section{One}\n" + SENTENCE
        yield case(f"tex/{name}.tex", f"{head}\n\n{body}\n\n\\end{{document}}\n")
    yield case(
        "tex/preamble.tex",
        f"\\documentclass{{{file}}}\\usepackage{{{file}}}\\begin{{document}}{SENTENCE}\\end{{document}}",
        says=SENTENCE[:20],
    )
    yield case("tex/bibliography.bbl", "\\begin{thebibliography}{9}" + "\\bibitem{a} " * 50_000)
    yield case("tex/cut.tex", "\\documentclass{article}\\begin{document}\\section{A" + SENTENCE)


def _encodings(bait: Bait) -> Iterator[Case]:
    text = SENTENCE + " Überprüfung naïve"
    for name in ("utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-7", "cp500", "punycode", "utf-8-sig"):
        yield case(f"encoding/{name}.txt", text.encode(name) * 5)
        yield case(f"encoding/{name}.html", f"<html><head><meta charset={name}></head><body><p>{text}</p></body></html>".encode(name))
    mixed = {
        "bom-wrong": codecs.BOM_UTF16_LE + text.encode(),
        "bom-two": codecs.BOM_UTF8 + codecs.BOM_UTF16_BE + text.encode(),
        "bom-only": codecs.BOM_UTF8 * 50,
        "odd": codecs.BOM_UTF16_LE + text.encode("utf-16-le")[:-1],
        "half-pair": codecs.BOM_UTF16_LE + b"\x00\xd8" * 500,
        "overlong": b"\xc0\xaf\xe0\x80\xaf" * 500 + text.encode(),
        "surrogates": b"\xed\xa0\x80" * 500 + text.encode(),
        "nul-runs": text.encode() + b"\0" * 100_000 + text.encode(),
        "nul-only": b"\0" * 100_000,
        "nul-between": b"\0".join(b"%c" % c for c in text.encode()),
        "noise": noise(50_000),
        "high": b"\xff" * 50_000,
        "controls": bytes(range(32)) * 500,
        "escape": b"\x1b$B" * 5_000 + text.encode(),
        "hz": b"~{" * 5_000 + text.encode(),
        "torn": text.encode() * 30 + b"\xe2\x82",
        "mojibake": "Ã¼Ã¤â\u0082¬".encode() * 20_000,
        "line-ends": b"\r\n\n\r\x0b\x0c\x85\xe2\x80\xa8" * 5_000 + text.encode(),
        "noncharacters": "\ufffe\uffff\U0010ffff".encode() * 5_000 + text.encode(),
        "empty": b"",
        "blank": b" \t\r\n" * 500,
    }
    for name, data in mixed.items():
        yield case(f"encoding/{name}.txt", data, "empty" if name in ("empty", "blank", "nul-only") else "")
    for name in ("zlib_codec", "hex", "rot13", "idna", "unicode_escape", "undefined", "mbcs", "base64_codec", "../x", "utf_7"):
        yield case(
            f"encoding/says-{name.strip('./')}.tex",
            f"% -*- coding: {name} -*-\n\\documentclass{{a}}\\begin{{document}}{SENTENCE} caf".encode() + b"\xe9\\end{document}",
        )


def cases(bait: Bait) -> Iterator[Case]:
    for group in (_baits, _directives, _tex, _encodings):
        yield from group(bait)
