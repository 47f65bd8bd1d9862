"""Planted copies and near misses made of real articles, by the bench: recall per kind of copy, and no false joins to speak of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

RECORDS = 300


@pytest.mark.trial
def test_planted_copies_are_found_and_near_misses_are_not(shared_corpus: Path) -> None:
    command = [sys.executable, "bench/works.py", "planted", "--shared", str(shared_corpus), "--records", str(RECORDS)]
    printed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True, timeout=600).stdout
    copies = {m[1].strip(): (float(m[2]), float(m[3])) for m in re.finditer(r"^(.{32})\s+(\d\.\d{3})\s+(\d\.\d{4})", printed, re.M)}
    misses = {m[1].strip(): int(m[2]) for m in re.finditer(r"^(.{32}) +(\d+) +\d+  ", printed, re.M)}
    assert (len(copies), len(misses)) == (19, 6), printed
    for kind, (recall, precision) in copies.items():
        if kind.startswith(("title", "same", "another", "other title, 0%", "other title, 5%")):
            assert recall >= 0.99 and precision >= 0.98, (kind, printed)
    assert sum(misses.values()) <= RECORDS * len(misses) * 0.002, printed
