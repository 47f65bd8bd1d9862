"""Technical terms of a text as SciERC marks them: spans of methods and tasks, by rules over noun phrases.

A phrase is a run of words between words of closed classes and verbs; its head decides: "parser" -> method, "parsing" -> task. Terms that
the ontology knows and long forms of abbreviations count as well; a head alone ("the method") does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.components.abbreviations import definitions
from forge_assets.components.folding import singular
from forge_assets.components.lexicon import Mention
from forge_assets.components.noun_phrases import BREAKS, GENERIC, proper
from forge_assets.components.text import Reading, Span

TermKind = Literal["method", "task"]


@dataclass(frozen=True, slots=True)
class Term:
    """A method or a task named at text[start:end]."""

    start: int
    end: int
    kind: TermKind


METHOD_HEADS = frozenset(
    "model system algorithm approach method technique representation parser grammar framework classifier network strategy "
    "architecture procedure "
    "theory paradigm heuristic formalism scheme mechanism stemmer decoder recognizer engine tagger filter kernel module "
    "component learner tracker "
    "boosting regression optimization propagation programming automaton transducer machine field lattice analyzer generator "
    "summarizer detector "
    "estimator tool methodology svm hmm crf pcfg gmm cnn rnn lstm gan em ransac pca lda markov net autoencoder transformer "
    "embedding sampling search "
    "descent minimization maximization factorization decomposition voting training clustering smoothing interpolation decoding unification "
    "cross-validation backoff tree forest prior regularization pruning processing solver planner agent formulation transform bagging "
    "descriptor recogniser aligner ranker reranker editor interface wordnet logic calculus relaxation cut sfm slam".split()
)
TASK_HEADS = frozenset(
    "recognition parsing classification translation detection retrieval understanding generation summarization alignment "
    "reconstruction resolution "
    "acquisition extraction segmentation tagging estimation identification correction tracking disambiguation answering "
    "verification indexing "
    "prediction reduction enhancement registration inpainting adaptation lemmatization super-resolution animation mining transliteration "
    "localization planning matching annotation problem task analysis inference interpretation construction synthesis mt asr "
    "ir ie nlp smt wsd ner "
    "vision categorization completion deblurring denoising calibration pose-estimation stitching reranking induction "
    "filtering comprehension mosaicing "
    "modeling labeling labelling application summarisation".split()
)
_VERBS = re.compile(r"(?:[a-z]{3,}(?:ify|ifies|izes|ises)|[a-z]{3,}(?:ates)|[a-z]{4,}ly)\Z")
_VERB_WORDS = frozenset(
    "present presents propose proposes describe describes show shows demonstrate demonstrates introduce introduces develop "
    "develops evaluate evaluates "
    "compare compares investigate investigates consider considers discuss discusses examine examines explore explores apply "
    "applies employ employs "
    "exploit exploits improve improves outperform outperforms achieve achieves perform performs require requires provide "
    "provides produce produces "
    "obtain obtains yield yields make makes take takes give gives find finds found suggest suggests argue argues report "
    "reports allow allows enable "
    "enables help helps lead leads include includes contain contains incorporate incorporates combine combines integrate "
    "integrates extend extends "
    "address addresses solve solves handle handles deal deals focus focuses rely relies depend depends become becomes remain "
    "remains appear appears "
    "seem seems need needs learn learns train compute computes capture captures define defines derive derives determine "
    "determines estimate "
    "construct constructs create creates build builds generate generates identify identifies extract extracts select selects "
    "assign assigns "
    "represent represents involve involves play plays serve serves adopt adopts leverage leverages reduce reduces increase "
    "increases obtained proposed "
    "presented described developed introduced compared evaluated implemented designed proven shown tested performed achieved "
    "applied built created "
    "followed motivated obtaining using applying including containing following existing finding producing making providing "
    "allowing showing "
    "improving requiring leading resulting reducing solving identifying determining exploiting generating incorporating "
    "combining regarding "
    "concerning according considering constructing developing building extracting estimating predicting exploring detecting "
    "tackling addressing recovering".split()
)
_BEFORE_VERBS = frozenset("we can could will would may might must should cannot not i they".split())
_ENDS = BREAKS - {"named"}
_DROPPED = GENERIC - {"large", "small", "general", "specific", "complete", "full"} | frozenset(
    "resulting whole entire overall underlying corresponding respective related real actual single".split()
)
_WORD = re.compile(r"[^\s,;:.()\[\]\"“”?!]+(?:\.\d+)?")
_JOINS = re.compile(r"[ \n]")


def technical_terms(reading: Reading, mentions: Sequence[Mention] = ()) -> list[Term]:
    """Methods and tasks that a text names, in order and without overlap. `mentions`: what the ontology found; each is a method."""
    found = [*_of_definitions(reading), *_of_phrases(reading)]
    found.extend(Term(mention.start, mention.end, "method") for mention in mentions)
    chosen: list[Term] = []
    for term in sorted(found, key=lambda term: (term.start - term.end, term.start, term.kind)):
        if all(term.end <= other.start or other.end <= term.start for other in chosen):
            chosen.append(term)
    return sorted(chosen, key=lambda term: term.start)


def _of_phrases(reading: Reading) -> Iterator[Term]:
    for start, end in reading.sentences:
        for phrase in _phrases(reading.text, start, end):
            term = _term(reading.text, phrase)
            if term:
                yield term


def _phrases(text: str, start: int, end: int) -> Iterator[list[Span]]:
    """Runs of words of a sentence that can be one noun phrase."""
    run: list[Span] = []
    previous = ""
    for found in _WORD.finditer(text, start, end):
        word = found[0].lower()
        if run and _JOINS.sub("", text[run[-1][1] : found.start()]):
            yield run
            run = []
        verb = word in _VERB_WORDS or previous in _BEFORE_VERBS or _VERBS.match(word) is not None
        previous = word
        if verb or word in _ENDS or not any(letter.isalpha() for letter in word):
            if run:
                yield run
            run = []
            continue
        run.append(found.span())
    if run:
        yield run


def _term(text: str, run: list[Span]) -> Term | None:
    words = [text[start:end] for start, end in run]
    first = 0
    while first < len(words) - 1 and words[first].lower() in _DROPPED:
        first += 1
    last = len(words) - 1
    kind = None
    while last >= first:
        kind = _kind(words[last], last > first)
        if kind:
            break
        last -= 1
    if kind is None or last < first or last < len(words) - 1 and not _may_follow(words[last + 1 :]):
        return None
    return Term(run[first][0], run[last][1], kind)


def _may_follow(rest: Sequence[str]) -> bool:
    """Whether what follows a head may be left out of the phrase; a noun may not ("parsing accuracy" names no task)."""
    return all(word.lower().endswith(("ed", "ing")) for word in rest[:1])


def _kind(word: str, modified: bool) -> TermKind | None:
    low = singular(word.lower())
    if low == "processing":
        return "task" if modified else None
    last = low.split("-")[-1]
    if low in TASK_HEADS or last in TASK_HEADS:
        return "task" if modified or low not in _BARE_NO else None
    if low in METHOD_HEADS or last in METHOD_HEADS:
        return "method" if modified or low not in _BARE_NO else None
    return None


_BARE_NO = frozenset(
    "model system algorithm approach method technique representation framework strategy architecture procedure theory "
    "paradigm scheme mechanism module "
    "component tool methodology problem task analysis application process training field formulation network machine tree "
    "search engine prior "
    "filter interface agent generation identification detection construction interpretation alignment processing reduction "
    "adaptation optimization "
    "logic prediction estimation matching modeling annotation reconstruction understanding acquisition resolution extraction "
    "grammar kernel "
    "transform cut embedding net completion correction learner labeling sampling recognition classification retrieval "
    "induction verification".split()
)


def _of_definitions(reading: Reading) -> Iterator[Term]:
    """Short forms whose long form ends in the head of a method or task, and such made-up names wherever they stand again."""
    text = reading.text
    for definition in definitions(reading):
        kind = _kind(definition.long.split()[-1], modified=True)
        if kind is None:
            continue
        yield Term(definition.long_start, definition.long_end, kind)
        for place in re.finditer(rf"(?<![\w-]){re.escape(definition.short)}s?(?![\w-])", text):
            if proper(definition.short):
                yield Term(place.start(), place.end(), kind)
