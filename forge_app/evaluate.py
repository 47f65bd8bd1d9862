"""`forge eval`: quality against gold data, by the same code that serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from forge_app.output import as_json


@click.group("eval")
def evaluate() -> None:
    """Measure quality against gold data."""


@evaluate.command("retrieval")
@click.option("--gold", type=click.Path(path_type=Path), help="methods.jsonl of pwc_methods; default: beside the checkout")
@click.option("--articles", type=click.Path(path_type=Path), help="folder of article dumps; default: beside the checkout")
@click.option("--folder", type=click.Path(path_type=Path), help="where the corpus is built and kept; default: FORGE_HOME/eval")
@click.option("--records", default=7000, show_default=True, help="random records beside the targets")
@click.option("--haystack", is_flag=True, help="also run the stock Haystack hybrid on the same corpus")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def retrieval(gold: Path | None, articles: Path | None, folder: Path | None, records: int, haystack: bool, json_: bool) -> None:
    """How often search finds the paper that introduced a method, from its description with the name masked."""
    from forge_assets.embeddings.evaluation import evaluate_retrieval
    from forge_resources.settings import settings

    report = evaluate_retrieval(
        settings(), gold, articles, folder, records=records, haystack=haystack, say=lambda text: click.echo(text, err=True)
    )
    if json_:
        as_json(asdict(report))
    else:
        click.echo(report.table())


HALF = click.option(
    "--half", type=click.Choice(["dev", "test", "both"]), default="dev", show_default=True, help="test: once, at the end, not for tuning"
)


@evaluate.command("mentions")
@HALF
@click.option("--unseen", type=int, help="instead of a half: the N-th set drawn since; once, at the end, not for tuning")
@click.option("--errors", is_flag=True, help="print what is wrong, piece by piece")
def mentions(half: str, unseen: int | None, errors: bool) -> None:
    """Components found in passages that two readers labelled, beside a plain dictionary."""
    from forge_assets.components.evaluation.labels import evaluate_mentions

    if unseen is not None:
        scores = evaluate_mentions(_ontology(), None, purpose=f"unseen-{unseen}")
    else:
        scores = evaluate_mentions(_ontology(), _half(half))
    _scores(scores, errors)


@evaluate.command("parameters")
@HALF
@click.option("--errors", is_flag=True, help="print what is wrong, piece by piece")
def parameters(half: str, errors: bool) -> None:
    """Values of parameters found in passages that two readers labelled, in all and by parameter."""
    from forge_assets.components.evaluation.labels import evaluate_parameters

    _scores(evaluate_parameters(_ontology(), _half(half)), errors)


def _half(name: str) -> Any:
    return None if name == "both" else name


def _ontology() -> Any:
    """As it is shipped: what this team accepted must not change a figure."""
    from forge_assets.components.ontology import load_ontology

    return load_ontology()


def _scores(scores: Sequence[Any], errors: bool) -> None:
    for score in scores:
        click.echo(score.line())
        for kind, piece, start, end, what in score.errors if errors else ():
            click.echo(f"    {kind:<7} piece {piece} {start}..{end}: {what}")


@evaluate.command("scierc")
@click.option("--gold", type=click.Path(path_type=Path), help="folder of SciERC's files; default: beside the checkout")
@click.option("--errors", is_flag=True, help="print what is wrong, abstract by abstract")
def scierc(gold: Path | None, errors: bool) -> None:
    """Methods, tasks and relations found in SciERC's dev abstracts, beside a dictionary of its train part."""
    from forge_assets.components.evaluation.scierc import GOLD, evaluate_scierc

    _scores(evaluate_scierc(_ontology(), gold or GOLD), errors)


GOLD = click.option("--gold", type=click.Path(path_type=Path), help="methods.jsonl of pwc_methods; default: beside the checkout")
ARTICLES = click.option("--articles", type=click.Path(path_type=Path), help="folder of article dumps; default: beside the checkout")
FOLDER = click.option("--folder", type=click.Path(path_type=Path), help="where the corpus is built and kept; default: FORGE_HOME/eval")
RECORDS = click.option("--records", type=click.IntRange(0), help="only so many random records beside the introducing papers; default: all")
ERRORS = click.option("--errors", is_flag=True, help="print what is missed or wrong, method by method")
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@evaluate.command("components")
@GOLD
@ARTICLES
@FOLDER
@RECORDS
@ERRORS
@JSON
def components(gold: Path | None, articles: Path | None, folder: Path | None, records: int | None, errors: bool, json_: bool) -> None:
    """Methods of Papers with Code over the article dumps: found where they occur, or back as candidates, in the right slot."""
    from forge_assets.components.evaluation.found import evaluate_components
    from forge_resources.settings import settings

    _report(evaluate_components(settings(), _ontology(), gold, articles, folder, records, _say), errors, json_)


@evaluate.command("candidates")
@GOLD
@ARTICLES
@FOLDER
@RECORDS
@ERRORS
@JSON
def candidates(gold: Path | None, articles: Path | None, folder: Path | None, records: int | None, errors: bool, json_: bool) -> None:
    """Methods of Papers with Code are taken out of the ontology: which come back as candidates, and from the right paper."""
    from forge_assets.components.evaluation.returning import evaluate_candidates
    from forge_resources.settings import settings

    _report(evaluate_candidates(settings(), _ontology(), gold, articles, folder, records, _say), errors, json_)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _report(report: Any, errors: bool, json_: bool) -> None:
    if json_:
        as_json(asdict(report))
        return
    click.echo(report.table())
    for line in report.errors() if errors else ():
        click.echo(f"    {line}")


@evaluate.command("topics")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def topics(json_: bool) -> None:
    """What topics cost over the vectors there are, whether works keep them over a refit, and how they agree with arXiv's categories."""
    from forge_assets.topics.evaluation import evaluate_topics
    from forge_resources.database import Database

    with Database.open() as db:
        report = evaluate_topics(db)
    if json_:
        as_json(asdict(report))
    else:
        click.echo(report.table())


@evaluate.command("relations")
def relations() -> None:
    """Claims judged by reading, pattern by pattern, and how many of them the rules still make."""
    from forge_assets.components.evaluation.claims import evaluate_claims

    for score in evaluate_claims(_ontology()):
        click.echo(score.line())


@evaluate.command("graph")
@JSON
def graph(json_: bool) -> None:
    """How often works that compare two components agree with the confidence that the other works alone give."""
    from dataclasses import asdict

    from forge_app.output import table
    from forge_assets.compatibility.graph.calibration import calibrate
    from forge_assets.compatibility.graph.claims import read_claims
    from forge_resources.database import Database

    with Database.open() as db, db.begin() as connection:
        found = calibrate(read_claims(connection, _ontology().components))
    if json_:
        as_json(None if found is None else asdict(found))
    elif found is None:
        click.echo("no two works of the corpus compare the same two components: nothing can be foretold")
    else:
        rows = [[f"{one.low:.1f} to {one.high:.1f}", one.cases, f"{one.said:.3f}", f"{one.true:.3f}"] for one in found.bins]
        table(["confidence of the surer side", "works left out", "said", "came true"], rows)
        click.echo(f"{found.cases:,} works left out of {found.pairs:,} pairs; Brier score {found.brier:.3f} (no opinion: 0.250); "
                   f"likeliest prior {found.best_prior:g} works")  # fmt: skip


@evaluate.command("constraints")
@JSON
def constraints(json_: bool) -> None:
    """Facts of validation code per framework, and how many speak of ideas or numbers common to all."""
    from forge_app.output import table
    from forge_assets.compatibility.constraints.base import own_constraints, shares

    ontology = _ontology()
    made = own_constraints(ontology)
    rows = shares(made)
    if json_:
        names = ("framework", "technique", "linked", "ideas_only", "facts")
        as_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    head = ["framework", "technique facts", "of them with an idea or common number", "wholly of such", "all facts"]
    table(
        head,
        [[name, technique, _share(linked, technique), _share(whole, technique), facts] for name, technique, linked, whole, facts in rows],
    )
    origins = {origin: sum(one.origin == origin for one in made) for origin in ("port", "fact", "arithmetic")}
    click.echo(", ".join(f"{count:,} of origin {origin}" for origin, count in origins.items()))


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.0%})" if whole else "none"


@evaluate.command("stacks")
@click.option("--draws", default=4, show_default=True, type=click.IntRange(1, 50), help="times that each checkpoint is completed")
@JSON
def stacks(draws: int, json_: bool) -> None:
    """Published stacks: three slots given, the others chosen by the solver with weights of other lineages, beside the commonest values."""
    from forge_assets.compatibility.stack.published import agreement

    report = agreement(draws=draws, say=_say)
    if json_:
        as_json(asdict(report))
    else:
        click.echo(report.table())


@evaluate.command("docs")
@click.option("--gold", type=click.Path(path_type=Path), help="questions.jsonl of cs_rubrics; default: beside the checkout")
@JSON
def docs_(gold: Path | None, json_: bool) -> None:
    """How much of what experts want in an answer stands on pages written of this corpus, and in its volumes, beside lead and LexRank."""
    from forge_assets.documentation import shelf
    from forge_assets.documentation.evaluation.rubrics import evaluate_rubrics
    from forge_resources.database import Database
    from forge_resources.object_store import open_store
    from forge_resources.settings import settings

    with Database.open() as db:
        report = evaluate_rubrics(db, settings().home / "lexical", gold, _say, shelf.volumes(db, open_store()))
    if json_:
        as_json(asdict(report))
    else:
        click.echo(report.table())
