"""JSON, notebooks, dumps, YAML front matter and tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.security.cases import MARKER, SENTENCE, Bait, Case, case, noise

RECORD = {"id": "r:1", "title": "A title", "abstract": SENTENCE}


def _line(**fields: Any) -> str:
    return json.dumps(RECORD | fields)


def _json(bait: Bait) -> Iterator[Case]:
    odd = {
        "deep-list": "[" * 200_000,
        "deep-list-closed": "[" * 100_000 + "]" * 100_000,
        "deep-object": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "deep-metadata": _line(extra="@").replace('"@"', '{"a":' * 900 + "1" + "}" * 900),
        "exponent": _line(year="@").replace('"@"', "1e999999"),
        "digits": _line(year="@").replace('"@"', "9" * 100_000),
        "digits4000": _line(extra="@").replace('"@"', "9" * 4_000),
        "negative": _line(year=-(2**63), month=99),
        "nan": _line(extra="@").replace('"@"', "[NaN, Infinity, -Infinity]"),
        "keys": '{"title": "a", "title": "b", "abstract": "' + SENTENCE + '", "abstract": "c"}',
        "surrogates": '{"id": "\\ud800", "title": "T \\udfff", "abstract": "' + SENTENCE + ' \\ud83d"}',
        "nul": '{"id": "a\\u0000b", "title": "T\\u0000", "abstract": "' + SENTENCE + '"}',
        "types": '{"id": [1], "title": {"a": 1}, "abstract": [[["x"]]], "authors": 5, "year": [], "license": {}, "language": [[]]}',
        "authors": _line(authors=[None, 1, [], {}, {"name": None}, {"name": ["x"]}, "a" * 100_000]),
        "many-authors": _line(authors=["A B"] * 100_000),
        "license": _line(license=noise(6_000).hex()),
        "language": _line(language=noise(6_000).hex()),
        "venue": _line(venue=noise(60_000).hex(), url=noise(60_000).hex(), title=noise(60_000).hex()),
        "identifier": _line(doi="10.1/" + noise(6_000).hex(), arxiv_id=noise(6_000).hex()),
        "id": _line(id=noise(6_000).hex()),
        "climbing": _line(id="../../../../../../" + str(bait.trap) + "/id", doc_id="/etc/passwd"),
        "controls": _line(id="a\nb\x1b[31m\u202e", title="\u202etxt.exe"),
        "sql": _line(id="'; DROP TABLE document; --", title="$$; DROP TABLE document; --", abstract=SENTENCE + "\\N\t\\."),
        "script": _line(abstract=f"<script>{MARKER}</script> {SENTENCE}"),
        "inverted": json.dumps({"title": "T", "abstract_inverted_index": {"word": [2**60], "other": [-5], "x": ["y"]}}),
        "inverted-wide": json.dumps({"title": "T", "abstract_inverted_index": {"word": [500_000_000]}}),
        "spaces": _line(abstract="a" + " " * 2_000_000 + "b"),
        "card": json.dumps({"modelId": "../../x", "cardData": {"license": [noise(3000).hex()]}, "front_matter": 5, "text": SENTENCE}),
        "dates": _line(
            published="9" * 50, update_date="\u0662\u0660\u0662\u0661-\u00b2\u00b2", date={"x": 1}, year="\u00b2\u00b2\u00b2\u00b2"
        ),
        "card-file": json.dumps({"modelId": "x", "text": f"---\ninclude: {bait.secret}\n---\n{SENTENCE}"}),
    }
    for name, text in odd.items():
        one = [
            case(f"json/{name}.json", text.encode("utf-8", "surrogatepass")),
            case(f"json/{name}.jsonl", text.replace('"r:1"', f'"l:{name}"')),
        ]
        yield from one
    records = ",".join(odd[name] for name in ("types", "authors", "nan", "climbing", "license"))
    yield case("json/array.json", f"[{records}]".replace("/etc/passwd", "/etc/shadow"))  # an id of its own: climbing.jsonl has that one
    yield case(
        "json/mixed.jsonl", "\n".join([_line(id="m:1"), "{", "null", "[]", '"x"', "1e999", _line(id="m:2"), "\x00", "{}", "[" * 5_000])
    )
    yield case("json/cut.json", _line()[:-8], "broken")
    yield case("json/long.jsonl", '{"id": "x", "title": "' + "x" * 34_000_000, "bad_record")


def _notebooks(bait: Bait) -> Iterator[Case]:
    def book(*cells: Any, **rest: Any) -> str:
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | rest)

    said = {"cell_type": "markdown", "source": [SENTENCE], "metadata": {}}

    def code(*outputs: Any) -> dict[str, Any]:
        return {"cell_type": "code", "source": "print(1)", "metadata": {}, "execution_count": None, "outputs": list(outputs)}

    books = {
        "outputs": book(said, code(*({"output_type": "stream", "name": "stdout", "text": "x" * 100_000} for _ in range(100)))),
        "picture": book(said, code({"output_type": "display_data", "data": {"image/png": "QUJD" * 1_000_000}})),
        "html": book(
            said,
            code({"output_type": "execute_result", "data": {"text/html": f"<table><script>{MARKER}</script><tr><td>1</td></tr></table>"}}),
        ),
        "javascript": book(
            said, code({"output_type": "display_data", "data": {"application/javascript": f"fetch('{bait.url}/{MARKER}')"}})
        ),
        "attachment": book({**said, "attachments": {"a.png": {"image/png": "QUJD" * 100_000}}}),
        "progress": book(
            said, code({"output_type": "stream", "name": "stdout", "text": "\r".join("5%|" + " " * 50 + "|" for _ in range(5_000))})
        ),
        "escapes": book(said, code({"output_type": "stream", "name": "stdout", "text": "\x1b[" + "0;" * 300_000})),
        "unknown": book(said, {"cell_type": "pwn"}, {"cell_type": None}, {}),
        "many": book(said, *([said] * 500)),
    }
    for name, text in books.items():
        yield case(f"notebook/{name}.ipynb", text, says=SENTENCE, never=(MARKER,))
    wrong: list[Any] = [
        None,
        5,
        "x",
        True,
        [5],
        {"a": 1},
        [[[]]],
        [None],
        [{"source": 5, "cell_type": "markdown"}],
        [{"cell_type": "code", "source": ["a", 1, None], "outputs": {"a": 1}}],
        [{"cell_type": "code", "outputs": [1, None, {"data": 5}, {"text": {"a": 1}}]}],
        [{"cell_type": "heading", "level": 10**9, "source": "x"}],
        [{"cell_type": "heading", "level": -1, "source": "x"}],
    ]
    for number, cells in enumerate(wrong):
        yield case(f"notebook/wrong{number}.ipynb", json.dumps({"cells": cells, "metadata": [1], "nbformat": "x"}))
    metadata: list[Any] = [None, 5, {"kernelspec": 5}, {"kernelspec": None, "language_info": 5}, {"authors": {"a": [1]}, "title": 5}]
    for number, value in enumerate(metadata):
        yield case(f"notebook/metadata{number}.ipynb", book(said, metadata=value))
    whole = book(said, code())
    yield case("notebook/cut.ipynb", whole[: len(whole) // 2], "broken")
    yield case("notebook/worksheets.ipynb", json.dumps({"worksheets": [{"cells": 5}, 5]}))
    yield case("notebook/deep.ipynb", '{"cells": ' + "[" * 100_000, "unsafe broken too_complex")


def _front(bait: Bait) -> Iterator[Case]:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    fronts = {
        "aliases": laughs,
        "merge": "a: &a\n  <<: *a\nb:\n  <<: [*a, *a]\n",
        "self": "a: &a [*a]\n",
        "python": f"title: !!python/object/apply:os.system ['touch {bait.trap}/yaml']\n",
        "python-new": f"x: !!python/object/new:subprocess.Popen [[touch, {bait.trap}/yaml2]]\n",
        "python-module": "x: !!python/module:antigravity\ny: !!python/name:os.system\n",
        "ruby": "x: !ruby/object:Gem::Installer\n  i: x\n",
        "deep": "x: " + "[" * 20_000 + "\n",
        "deep-block": "".join(" " * n + f"k{n}:\n" for n in range(400)),
        "license": f"license: {noise(6_000).hex()}\nlanguage: {noise(6_000).hex()}\n",
        "types": "title: [a]\nauthors: {a: [b]}\ndate: {x: y}\ntags: 5\nlicense: {a: b}\nlanguage: [[en]]\n",
        "octal": "date: 0o777\nyear: 1_000\nx: .nan\ny: .inf\nz: 1e999\n",
        "binary": "x: !!binary |\n  QUJDREVG\ny: !!set {a, b}\nz: !!timestamp 99999-99-99\n",
        "include": f"include: !include {bait.secret}\nx: !ENV ${{HOME}}\n",
        "nul": "title: a\x00b\n",
        "keys": "? [a, b]\n: c\n{x: y}: z\n",
        "tabs": "a:\n\t- b\n",
        "many": "".join(f"k{n}: v\n" for n in range(9_000)),
        "open": "title: x\n",
    }
    for name, text in fronts.items():
        end = "" if name == "open" else "---\n"
        yield case(f"front/{name}.md", f"---\n{text}{end}\n# A heading\n\n{SENTENCE}\n", says=SENTENCE)
    yield case("front/toml.md", f"+++\nx = {'[' * 5_000}\n+++\n\n{SENTENCE}\n", says=SENTENCE)
    yield case("front/dashes.md", "---\n" * 100_000 + SENTENCE)
    yield case("front/dashes-open.md", "---\n" + "-- -\n" * 100_000 + SENTENCE)
    yield case("front/comments.md", "<!--" * 50_000 + "\n---\nx: y\n" + SENTENCE)


def _tables(bait: Bait) -> Iterator[Case]:
    for ext, sign in (("csv", ","), ("tsv", "\t")):
        yield case(f"table/formula.{ext}", f"a{sign}b\n=cmd|' /C calc'!A0{sign}=HYPERLINK(\"{bait.url}\")\n", "no_reader")
        yield case(f"table/wide.{ext}", sign * 1_000_000, "no_reader empty")
        yield case(f"table/quote.{ext}", '"' + "x\n" * 100_000, "no_reader")
    yield case("table/settings.yaml", f"x: !!python/object/apply:os.system ['touch {bait.trap}/settings']\n", "no_reader")
    yield case("table/database.db", b"SQLite format 3\x00" + noise(500), "no_reader")
    yield case("table/program.txt", b"\x7fELF\x02\x01\x01\x00" + noise(500), "no_reader")


def cases(bait: Bait) -> Iterator[Case]:
    for group in (_json, _notebooks, _front, _tables):
        yield from group(bait)
