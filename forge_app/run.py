"""`forge run`: materializes assets in this process, with a progress bar per stage; the events land in Dagster's storage."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Sequence
from typing import Any

import click
import sqlalchemy as sa

from forge_resources.errors import ForgeError, SettingError


@click.command()
@click.argument("assets", nargs=-1)
@click.option("--shards", default="00..3f", show_default=True, help="partitions of the corpus stages: 00..3f, 0a, 00,1f")
@click.option("--verbose", is_flag=True, help="show Dagster's log")
def run(assets: tuple[str, ...], shards: str, verbose: bool) -> None:
    """Materialize ASSETS, names or a Dagster selection such as 'parsed_papers+'; all of them by default."""
    materialize(assets, shards, verbose=verbose)


def materialize(assets: Sequence[str] = (), shards: str = "00..3f", verbose: bool = False) -> dict[str, dict[str, Any]]:
    """Runs the assets over the shards, a single run per unbroken range; returns asset -> metadata of its last materialization.

    Raises ForgeError where a stage failed for a reason the user can mend.
    """
    from forge_app.instance import instance, report_killed_runs
    from forge_app.progress_bars import Bars
    from forge_assets.corpus.addresses import parse_shards
    from forge_resources.settings import settings

    ranges = _ranges(parse_shards(shards))
    if not verbose:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
    made: dict[str, dict[str, Any]] = {}
    with instance(settings()) as home:
        report_killed_runs(settings().home, home)
        selected = select(assets)
        with Bars() as bars:
            for number, (first, last) in enumerate(ranges):
                # stages without partitions follow once, after the last range
                names = [n for n, partitioned in selected.items() if partitioned or number == len(ranges) - 1]
                made |= _execute(home, names, first, last, bars, verbose)
    return made


def select(assets: Sequence[str]) -> dict[str, bool]:
    """Asset names -> whether they have partitions, in the order of the graph. Raises SettingError for an unknown name."""
    import dagster as dg

    from forge_assets.definitions import defs

    graph = defs.resolve_asset_graph()
    known = {key.to_user_string(): graph.get(key).is_partitioned for key in graph.toposorted_asset_keys}
    apart = {key for key in graph.toposorted_asset_keys if isinstance(graph.get(key).partitions_def, dg.DynamicPartitionsDefinition)}
    unknown = [name for name in assets if name.isidentifier() and name not in known]
    if unknown:
        raise SettingError(f"no asset is called {', '.join(unknown)}; the assets are: {', '.join(known)}")
    try:
        chosen = set().union(*(dg.AssetSelection.from_string(part).resolve(graph) for part in assets or ("*",)))
    except Exception as error:
        raise SettingError(f"cannot read the selection {' '.join(assets)!r}: {error}") from None
    if not chosen:
        raise SettingError(f"the selection {' '.join(assets)!r} matches no asset; the assets are: {', '.join(known)}")
    if chosen <= apart:
        how = {
            "doc_volumes": "doc_volumes is made volume by volume; `forge docs build` makes it",
            "tech_spec": "tech_spec is made for one blueprint at a time; `forge spec show NAME` makes it",
            "infrastructure_files": "infrastructure_files are made for one blueprint at a time; `forge spec files NAME` writes them",
            "scaffold": "scaffold is made for one blueprint at a time; `forge scaffold NAME --to DIR` writes it",
        }
        names = [key.to_user_string() for key in chosen]
        raise SettingError(how.get(names[0], "technique_stack is made for one blueprint at a time; `forge stack solve NAME` makes it"))
    return {key.to_user_string(): known[key.to_user_string()] for key in graph.toposorted_asset_keys if key in chosen - apart}


def _ranges(shards: list[int]) -> list[tuple[str, str]]:
    """Sorted shards -> unbroken ranges of partition keys."""
    ranges: list[tuple[int, int]] = []
    for shard in shards:
        if ranges and ranges[-1][1] == shard - 1:
            ranges[-1] = (ranges[-1][0], shard)
        else:
            ranges.append((shard, shard))
    return [(f"{first:02x}", f"{last:02x}") for first, last in ranges]


def _execute(home: Any, names: list[str], first: str, last: str, bars: Any, verbose: bool) -> dict[str, dict[str, Any]]:
    """One run; its failures come out as the ForgeError that caused them, or as they are."""
    import dagster as dg

    from forge_app.instance import JOB, new_run
    from forge_assets.definitions import defs
    from forge_resources.settings import settings

    job = dg.define_asset_job(JOB, selection=dg.AssetSelection.assets(*names), executor_def=dg.in_process_executor)
    resolved = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def(JOB)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last, "forge/cause": "forge run"}
    bars.start(names)
    try:
        with new_run(settings().home) as run_id:
            result = resolved.execute_in_process(
                instance=home, tags=tags, raise_on_error=False, run_config=None if verbose else QUIET, run_id=run_id
            )
    except dg.DagsterExecutionInterruptedError:
        raise click.Abort from None
    except (sa.exc.DBAPIError, OSError) as error:  # of Dagster's own storage
        sentence = outage(type(error).__name__, str(error))
        if sentence is None:
            raise
        raise ForgeError(sentence) from None
    for event in result.all_events:
        if event.is_step_failure:
            _raise(event)
    made: dict[str, dict[str, Any]] = {}
    for event in result.all_events:
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            made.setdefault(materialization.asset_key.to_user_string(), {}).update(
                {k: v.value for k, v in materialization.metadata.items()}
            )
    bars.finish(made, [event for event in result.all_events if event.event_type_value == "ASSET_CHECK_EVALUATION"])
    return made


QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _raise(event: Any) -> None:
    """The sentence of a ForgeError or of an outage, found in the chain of causes; another error is shown whole."""
    error = event.step_failure_data.error
    if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
        raise click.Abort  # what is committed stays; the next run goes on from there
    names = {kind.__name__ for kind in _all_errors(ForgeError)}
    while error is not None:
        if error.cls_name in names:
            raise ForgeError(error.message.split(": ", 1)[-1].strip())
        sentence = outage(error.cls_name, error.message)
        if sentence:
            raise ForgeError(sentence)
        deeper = error.cause or error.context
        if deeper is None:
            break
        error = deeper
    raise RuntimeError(f"{event.step_key} failed:\n{event.step_failure_data.error_display_string}")  # a bug: everything is shown


def outage(kind: str | None, message: str) -> str | None:
    """The sentence for a database that broke off or a disk that is full, which are no bugs; None for any other error."""
    first = message.strip().splitlines()[0] if message.strip() else ""
    reason = NAMES_OF_ERRORS.sub("", first)
    if any(f"[Errno {number}]" in first for number in DISK_FULL) or any(
        words in (kind or "") + first for words in ("DiskFull", "disk is full", "No space left on device")
    ):
        return f"the disk is full ({reason}); make room and run again, what is finished is kept"
    if kind not in BROKEN_OFF:
        return None
    place = "Dagster's storage in FORGE_HOME" if "sqlite3" in first else "the database"
    return f"{place} broke off in the middle of the run: {reason}; run again, what is finished is kept"


NAMES_OF_ERRORS = re.compile(r"^(?:[\w.]+: )*(?:\([\w.]+\) )?")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
BROKEN_OFF = {"OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown", "CannotConnectNow", "ConnectionTimeout"}


def _all_errors(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all_errors(child))]
