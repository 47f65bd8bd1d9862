"""`unstructured` is really used, and neither it nor any reader ever opens a connection or loads spaCy or torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import io, socket, sys

class Forbidden(socket.socket):
    def connect(self, *_):
        raise AssertionError("a reader opened a connection")
    connect_ex = connect

def refuse(*_, **__):
    raise AssertionError("a reader looked up or opened an address")

socket.socket = Forbidden
socket.create_connection = socket.getaddrinfo = refuse

import docx
from forge_assets.corpus.parse import parse
out = io.BytesIO()
document = docx.Document()
document.add_paragraph("A paragraph that describes how the model was trained.")
document.save(out)
for name, data in {
    "a.md": b"# T\\n\\nThe model learns to translate.",
    "a.html": b"<html><body><img src='http://example.org/x.png'><p>The model learns.</p></body></html>",
    "a.txt": b"The model learns to translate sentences.",
    "a.docx": out.getvalue(),
    "a.rst": b"T\\n=\\n\\n.. image:: http://example.org/x.png\\n\\nThe model learns.",
}.items():
    assert parse(data, name).passages, name
assert "unstructured.partition.html" in sys.modules and "unstructured.partition.docx" in sys.modules
print(sorted({"spacy", "torch", "transformers", "iso639.language"} & set(sys.modules)))
"""
TABLES = """
import sys, unicodedata
from forge_assets.corpus.readers.unstructured_offline import partition_text
assert [str(element) for element in partition_text("The model learns.")] == ["The model learns."]
whole = sys.maxunicode
from unstructured.cleaners import core
from unstructured.partition import text_type
from unstructured.partition.common.lang import detect_languages
assert whole == 0x10FFFF and core.tbl == dict.fromkeys(i for i in range(whole + 1) if unicodedata.category(chr(i)).startswith("P"))
assert text_type.contains_english_word("a zygote") and not text_type.contains_english_word("zzgote")
assert detect_languages("Le modèle apprend à traduire des phrases entières.", ["auto"]) == ["fra"]
import iso639, unstructured.partition.common.lang as lang
assert iso639 is not lang.iso639 and lang.iso639.Language is iso639.Language
"""


def test_no_reader_opens_a_connection_or_loads_a_model() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_what_unstructured_makes_later_or_in_part_is_what_it_would_have_made() -> None:
    done = subprocess.run([sys.executable, "-c", TABLES], capture_output=True, text=True, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == 0, done.stderr


def test_the_stand_in_has_every_function_the_partitioners_import() -> None:
    import unstructured.partition

    folder = Path(unstructured.partition.__file__).parent
    wanted = {
        name.strip()
        for path in folder.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("from unstructured.nlp.tokenize import")
        for name in line.partition(" import ")[2].split(",")
    }
    from forge_assets.corpus.readers import unstructured_offline

    assert wanted and all(hasattr(unstructured_offline, name) for name in wanted)
