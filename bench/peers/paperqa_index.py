"""The peer of ingest_paperqa.py: paper-qa's own indexer over a folder of native documents, without a language model and without a network.

    python paperqa_index.py --files FOLDER --index FOLDER [--guarded]

Stock, one document that raises ends the build. --guarded builds again after each failure: paper-qa marks such a document and skips it.
The last line is JSON: seconds, documents in the index, failed ones, builds, and the error that ended the first build.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

from paperqa import Settings
from paperqa.agents.search import FAILED_DOCUMENT_ADD_ID, get_directory_index
from paperqa.settings import AgentSettings, IndexSettings, ParsingSettings

MOST_BUILDS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--guarded", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    index = IndexSettings(name="bench", paper_directory=options.files, index_directory=options.index)
    given = Settings(
        embedding="sparse",
        agent=AgentSettings(index=index),
        parsing=ParsingSettings(use_doc_details=False, multimodal=False, defer_embedding=False, disable_doc_valid_check=True),
    )
    started = time.monotonic()
    files, builds, error = asyncio.run(build(given, options.guarded))
    failed = sum(value == FAILED_DOCUMENT_ADD_ID for value in files.values())
    told = {"seconds": time.monotonic() - started, "document": len(files) - failed, "failed": failed, "builds": builds, "error": error}
    print(json.dumps(told))


async def build(given: Settings, guarded: bool) -> tuple[dict[str, Any], int, str | None]:
    """What the index holds of each file, how often it was built, and what ended the first build."""
    first: str | None = None
    for number in range(1, MOST_BUILDS + 1):
        try:
            index = await get_directory_index(given)
            return dict(await index.index_files), number, first
        except Exception as error:
            first = first or reason(error)
        if not guarded:
            index = await get_directory_index(given, build=False)
            return dict(await index.index_files), number, first
    raise SystemExit(f"paper-qa still fails after {MOST_BUILDS} builds: {first}")


def reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:200]


if __name__ == "__main__":
    main()
