"""What relations cost beside what was found before: measured on real records."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import pytest

from forge_assets.components.lexicon import Lexicon
from forge_assets.components.new_names import new_names
from forge_assets.components.ontology import load_ontology
from forge_assets.components.relations import PATTERNS, relations
from tests.components.labels.draw_claims import readings

RECORDS = 2000
MOST = 0.6
"""CPU milliseconds a record of title and abstract."""


@pytest.mark.trial
@pytest.mark.timeout(600)
def test_a_record_costs_less_than_six_tenths_of_a_millisecond(shared_corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lexicon = Lexicon(load_ontology())
    read = []
    for reading in islice(readings(shared_corpus, "dev", "03"), RECORDS):
        mentions = lexicon.find(reading)
        read.append((reading, mentions, new_names(reading, mentions)))
    assert all(pattern.expression for pattern in PATTERNS)  # compiled once in a process, when first tried
    begin = time.process_time()
    claims = sum(len(relations(*each)) for each in read)
    cost = (time.process_time() - begin) / len(read) * 1000
    with capsys.disabled():
        print(f" {cost:.3f} CPU ms a record, {claims} claims in {len(read)} records")
    assert len(read) == RECORDS and claims > 0
    assert cost < MOST
