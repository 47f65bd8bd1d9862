"""Forge against paper-qa's indexer on native documents (PDF, HTML, Markdown, text, Word) of ../shared/corpus/formats, in one run.

    python3 -m venv /tmp/paperqa
    /tmp/paperqa/bin/pip install "paper-qa==2026.8.12" "paper-qa-pypdf==2026.8.12"
    taskset -c 0,1 python bench/ingest_paperqa.py --peer-python /tmp/paperqa/bin/python [--files 200]

Only the suffixes that paper-qa takes, the same files for both. paper-qa runs without a language model and with its sparse embedding,
once as it is and once guarded (built again after each document that ends its build); Forge without vectors.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from common import Measured, machine, measured, table

from forge_resources.database import Database
from forge_resources.settings import PROJECT, Settings

HERE = Path(__file__).parent
SUFFIXES = {".pdf", ".html", ".md", ".txt", ".docx"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--formats", type=Path, default=PROJECT.parent / "shared" / "corpus" / "formats")
    parser.add_argument("--files", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        source = Path(folder) / "source"
        count = choose(options.formats, options.files, source)
        print(f"{machine()}; {count} files\n", flush=True)
        runs = {"Forge": run_forge(Path(folder) / "home", source)}
        for who, more in (("paper-qa", []), ("paper-qa, guarded", ["--guarded"])):
            command = [str(options.peer_python), str(HERE / "peers" / "paperqa_index.py"), "--files", str(source)]
            offline = {"HF_HUB_OFFLINE": "1", "PQA_HOME": str(Path(folder) / "pqa"), "OPENAI_API_KEY": "none"}
            runs[who] = measured([*command, "--index", str(Path(folder) / who.replace(", ", "-")), *more], **offline)
    print(
        table(
            ("who", "documents", "not read", "seconds", "docs/s", "CPU s", "peak MB", "what ended its build"),
            [row(*one) for one in runs.items()],
        )
    )


def row(who: str, run: Measured) -> tuple[object, ...]:
    told = run.told
    unread = told.get("quarantine", told.get("failed"))
    speed = f"{told['document'] / told['seconds']:.1f}"
    return who, told["document"], unread, f"{told['seconds']:.1f}", speed, f"{run.cpu:.0f}", f"{run.peak_mb:.0f}", told.get("error") or ""


def choose(formats: Path, count: int, target: Path) -> int:
    """Every n-th file that both can read, by the order of the manifest."""
    manifest = formats / "MANIFEST.jsonl"
    if not manifest.is_file():
        raise SystemExit(f"no {manifest}; name the folder by --formats")
    paths = [json.loads(line)["path"] for line in manifest.read_text(encoding="utf-8").splitlines()]
    fitting = [path for path in paths if Path(path).suffix.lower() in SUFFIXES]
    chosen = [fitting[i * len(fitting) // min(count, len(fitting))] for i in range(min(count, len(fitting)))]
    for path in chosen:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(formats / path, target / path)
    return len(chosen)


def run_forge(home: Path, source: Path) -> Measured:
    with Database.open(Settings(home=home)):
        return measured([sys.executable, str(HERE / "forge_side.py"), "--home", str(home), "--source", str(source)], home=home)


if __name__ == "__main__":
    main()
