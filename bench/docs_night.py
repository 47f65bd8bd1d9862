"""What a night of 1% does to the documentation: pages made anew, pages that came out other than before, and CPU seconds.

    python bench/docs_night.py --home HOME [--lots 10]

HOME has its volumes built. First 1% of the documents (by the hash of their ids, so many lots of a thousand) are taken out, as if they
were gone from their sources; then they are parsed again, as if they were new. After each the stages run, and `forge docs build`. At the
end every page must be, byte for byte, what it was at the beginning. CPU seconds are those of `forge docs build`, without Postgres.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from common import machine, table

from forge_resources.database import Database
from forge_resources.settings import settings

LOT = "('x' || substr(md5(document_id::text), 1, 6))::bit(24)::int % 1000"
GONE = ("works", "lexical_index", "component_catalog", "compatibility_graph")
NEW = ("parsed_papers", "works", "lexical_index", "component_mentions", "component_catalog", "compatibility_graph")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--lots", type=int, default=10, help="thousandths of the corpus")
    chosen = parser.parse_args()
    os.environ |= {"FORGE_HOME": str(chosen.home.absolute())}
    print(machine())
    with Database.open(settings(), migrate=False) as db:
        first = pages(db)
        with db.begin() as connection:
            gone = connection.execute(sa.text(f"DELETE FROM document WHERE {LOT} < {chosen.lots}")).rowcount
        told(f"{gone:,} documents gone", db, first, GONE)
        middle = pages(db)
        told(f"{gone:,} documents new", db, middle, NEW)
        last = pages(db)
    other = [page for page in first.keys() | last.keys() if first.get(page) != last.get(page)]
    print(
        f"{len(first) - len(other):,} of {len(first):,} pages are as they were at the beginning"
        + (f"; others: {other[:5]}" if other else "")
    )
    if other:
        sys.exit(1)


def pages(db: Database) -> dict[str, tuple[str, str]]:
    """Page -> its kind and digest."""
    with db.begin() as connection:
        return {row.page: (row.kind, row.sha256) for row in connection.execute(sa.text("SELECT page, kind, sha256 FROM doc_page"))}


def told(what: str, db: Database, before: dict[str, tuple[str, str]], stages: tuple[str, ...]) -> None:
    run("forge", "run", *stages)
    cpu = run("forge", "docs", "build")
    now = pages(db)
    kinds = Counter(one[0] for one in now.values())
    changed = Counter(one[0] for page, one in now.items() if page in before and before[page] != one)
    fresh = Counter(one[0] for page, one in now.items() if page not in before)
    lost = Counter(one[0] for page, one in before.items() if page not in now)
    rows = [[kind, f"{kinds[kind]:,}", f"{changed[kind]:,}", f"{fresh[kind]:,}", f"{lost[kind]:,}"] for kind in sorted(kinds)]
    rows.append(["all", *(f"{sum(one.values()):,}" for one in (kinds, changed, fresh, lost))])
    print(f"\n{what}: `forge docs build` took {cpu:.1f} CPU s\n")
    print(table(["kind", "pages", "changed", "new", "gone"], rows), flush=True)


def run(*command: str) -> float:
    """CPU seconds of the command; what it says goes to standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run([program, *command[1:]], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "", flush=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
