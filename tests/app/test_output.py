"""What stands in documents and received files is shown as text: it colours nothing, moves no cursor and turns no line around."""

from __future__ import annotations

import json

import pytest

from forge_app.output import Coloured, as_json, printable, table

EVIL = "[red]\x1b[2J\x1b]0;owned\x07 \u202etxt.exe\u2066 [/bar] \x9b31m \udcff"


def test_tables_show_brackets_and_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "n", "state"], [[EVIL, 12345, Coloured("ok", "green")]], title=EVIL)
    shown = capsys.readouterr().out
    assert not [one for one in shown if one != "\n" and not one.isprintable()]
    assert "[red]\\x1b[2J\\x1b]0;owned\\x07 \\u202etxt.exe\\u2066 [/bar] \\x9b31m \\udcff" in shown
    assert "12,345" in shown and " ok " in shown


def test_json_is_json_and_escapes_them(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"name": EVIL, "é": ["Ünïcode", "日本", 1]}
    as_json(given)
    shown = capsys.readouterr().out
    assert json.loads(shown) == given and "日本" in shown
    assert not [one for one in shown if one != "\n" and not one.isprintable()]


def test_lines_and_tabs_stay() -> None:
    assert printable("a\tb\nc\u00a0d") == "a\tb\nc\u00a0d"
    assert printable("a\r\x00") == "a\\r\\x00"
