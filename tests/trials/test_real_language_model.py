"""A real server (llama.cpp) with a real model made here, of random weights: its grammar gives JSON of the right shape, the rest is noise.

No model is fetched. Needs the extra `models` (xllamacpp, gguf).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from forge_assets.components.proposals import propose
from forge_assets.components.verify import REASONS
from forge_resources.database import Database
from forge_resources.doctor import examine
from forge_resources.errors import NoAnswer
from forge_resources.language_model import Answer, Question, load_language_model, read_json
from forge_resources.settings import settings
from tests.components.test_proposals import ONTOLOGY, RECORD, SHARDS, TEXT, put, queue

pytestmark = pytest.mark.trial

SERVE = """import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.n_ctx, p.n_parallel, p.port = sys.argv[1], 32768, 2, 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(p)
print(server.listening_address, flush=True)
time.sleep(300)
"""
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def make_model(path: Path, dim: int = 32, feed_forward: int = 32, heads: int = 2) -> None:
    """A llama of one layer over bytes, as GGUF."""
    gguf = pytest.importorskip("gguf")
    draw = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(32768)
    writer.add_embedding_length(dim)
    writer.add_block_count(1)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(dim // heads)
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3] + [6] * 256)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    shapes = {"token_embd": (len(tokens), dim), "output": (len(tokens), dim)}
    shapes |= {f"blk.0.attn_{part}": (dim, dim) for part in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_gate": (feed_forward, dim), "blk.0.ffn_up": (feed_forward, dim), "blk.0.ffn_down": (dim, feed_forward)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (draw.standard_normal(shape) * 0.3).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(dim, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def llama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("xllamacpp")
    make_model(tmp_path / "tiny.gguf")
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path / "tiny.gguf")], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert server.stdout is not None
        url = next((line.strip() for line in server.stdout if line.startswith("http")), None)
        assert url, (tmp_path / "log").read_text()[-2000:]
        _wait_for(f"{url}/health")
        monkeypatch.setenv("FORGE_LLM_BASE_URL", f"{url}/v1")
        with urllib.request.urlopen(f"{url}/v1/models") as offered:
            monkeypatch.setenv("FORGE_LLM_MODEL", json.load(offered)["data"][0]["id"])
        yield url
    finally:
        server.kill()
        server.wait()
        if server.stdout:
            server.stdout.close()


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


def test_a_real_model_that_talks_nonsense_adds_nothing(database: Database, llama: str) -> None:
    (finding,) = (finding for finding in examine() if finding.name == "language model")
    assert (finding.status, finding.message) == ("ok", "answers (200) and offers this model")
    for number in range(12):
        put(database, RECORD | {"doc_id": f"t:{number}", "abstract": f"{TEXT} Note {number}."}, {"muon": "Muon", "adamw": "AdamW"})
    model = load_language_model(settings(), database)
    assert model is not None
    with model:
        report = propose(database, model, SHARDS, ontology=ONTOLOGY)
        assert (report.proposed, queue(database)) == (0, [])
        assert report.asked >= 3  # where noise breaks the grammar, the server answers 500; three of those in a row end the run
        assert report.stopped is None or "3 questions in a row" in report.stopped
        assert report.usage.prompt_tokens > len(TEXT)  # a token is a byte here
        with database.begin() as connection:
            forms = connection.execute(sa.text("SELECT DISTINCT form FROM language_model_answer")).scalars().all()
        assert forms == ["json_schema"]
        assert set(report.rejected) <= set(REASONS) and report.rejected.total() >= 3
        print(model.name, report)


def test_a_real_server_holds_its_model_to_a_schema(database: Database, llama: str) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "string", "enum": ["a", "b"]}},
        "required": ["n"],
        "additionalProperties": False,
    }
    model = load_language_model(settings(), database)
    assert model is not None
    with model:
        answers = dict(model.ask_many(Question("Choose.", f"a or b, {n}?", schema, max_tokens=400) for n in range(6)))
        whole = [answer for answer in answers.values() if isinstance(answer, Answer) and answer.finish == "stop"]
        assert len(whole) >= 3
        assert all(read_json(answer.text or "")["n"] in ("a", "b") for answer in whole)
        with pytest.raises(NoAnswer, match="context"):
            model.ask(Question("Read.", "x" * 60_000, schema))
        assert model.usage.failed == 1
