"""What a sentence does in its document: background, method, result, limitation or other.

Headings decide where they say it; else cue words weigh, and where no cue stands, the place of the sentence among its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from forge_assets.components.lexicon import Role
from forge_assets.components.text import Reading

_HEADING_WORDS: tuple[tuple[Role, str], ...] = (
    (
        "other",
        r"references\b|bibliography|acknowledg|citation|citing|cite\b|licen[sc]e|contact|how to cite|authors?\b|contribut|"
        r"table of contents",
    ),
    (
        "limitation",
        r"limitation|future work|bias\b|biases|risks?\b|ethic|out.of.scope|broader impact|caveat|known issues|"
        r"threats to validity",
    ),
    ("background", r"introduction|background|related work|prior work|preliminar|motivation|literature|state of the art"),
    ("result", r"results?\b|evaluation|experiment|performance|benchmark|ablation|findings|comparison|leaderboard|metrics"),
    (
        "method",
        r"methods?\b|methodology|approach|architecture|model\b|training|implementation|setup|algorithm|procedure|hyper-?parameters|"
        r"framework|optimi[sz]|pre-?training|fine-?tuning|data\b|datasets?\b|usage|how to use|intended use|system|design|technique|"
        r"proposed|our\b",
    ),
)
_HEADINGS = [(role, re.compile(rf"\b(?:{words})", re.I)) for role, words in _HEADING_WORDS]
_ROLES: tuple[Role, ...] = ("result", "method", "limitation", "background")


def _weights(role: Role, text: str) -> dict[str, tuple[Role, float]]:
    return {word: (role, float(weight)) for word, weight in (item.rsplit(":", 1) for item in text.split())}


# Words, and pairs of words joined by _, with what they weigh for a role.
_CUES: dict[str, tuple[Role, float]] = {
    **_weights(
        "result",
        "outperform:3 outperforms:3 outperformed:3 outperforming:3 surpass:3 surpasses:3 surpassing:3 achieve:1.5 achieves:2 "
        "achieved:2 achieving:1 "
        "experiments:2 experiment:1 experimental:2 experimentally:2 results:1.5 empirical:1 empirically:2 accuracy:1 "
        "improvement:1.2 improvements:1.2 "
        "improves:1 demonstrate:1.2 demonstrates:1.2 demonstrated:.7 evaluated:1.5 evaluate:1 evaluation:.8 significantly:.8 competitive:1 "
        "comparable:1 superior:1.5 superiority:1.5 gains:1 reduces:.5 yields:1 obtains:1.5 obtained:1 attains:1.5 reaches:1 "
        "scores:1 simulations:1 "
        "faster:.8 we_show:1.2 we_find:2.5 we_found:2.5 we_observe:2.5 we_evaluate:2.5 we_demonstrate:2 we_report:2.5 "
        "we_achieve:2 show_that:1.5 "
        "shows_that:1.5 compared_to:1 compared_with:1 benchmark_datasets:1 real_world:.3 verify:1 validate:1 validated:1 "
        "confirm:1.5 reveals:1 "
        "loss_of:0 following_results:3 f1:1 bleu:1 perplexity:.7 rouge:.7",
    ),
    **_weights(
        "method",
        "propose:2.5 proposes:2.5 proposed:1.2 proposing:1.5 introduce:2.2 introduces:2.2 introducing:1.5 present:1 "
        "presents:1.5 develop:1.5 develops:1.5 "
        "developed:.7 novel:1 our:.6 we:.8 called:.8 dubbed:1.5 termed:1 in_this:1 this_paper:1.5 this_work:1.2 "
        "this_article:1.2 this_study:1 we_use:2 "
        "we_train:2 we_apply:1.5 we_employ:2 we_adopt:2 we_combine:2 we_extend:2 we_describe:2 we_design:2 we_present:2.2 "
        "we_study:1.5 we_investigate:1.5 "
        "we_consider:1.5 we_formulate:2 we_derive:1.5 we_leverage:2 uses:.8 using:.4 used:.2 trained:.7 fine_tuned:.8 "
        "consists:1.2 comprises:1 "
        "based_on:.5 leverages:1 utilizes:1 employs:1 combines:1 integrates:1 incorporates:1 applies:.7 extends:.7 specifically:1 first:.2 "
        "then:.5 this_model:1.2 the_model:.6 was_trained:2 is_trained:1.5 were_trained:2 following_hyperparameters:3",
    ),
    **_weights(
        "limitation",
        "limitation:2.5 limitations:2.5 drawback:2 drawbacks:2 shortcoming:2 shortcomings:2 future_work:3.5 we_leave:2.5 "
        "future_research:2 unfortunately:1 "
        "may_not:1.5 should_not:1 might_not:1.5 not_suitable:2.5 struggles:2 fails:1 fail_to:1.5 hallucinate:2",
    ),
    **_weights(
        "background",
        "recent:2 recently:2.2 existing:1.5 previous:1.2 previously:1 prior:.8 traditional:1.5 traditionally:2 "
        "conventional:1.2 however:1.5 despite:1.2 "
        "widely:1.5 become:1.5 becomes:1 challenging:1 challenge:.8 have_been:1.5 has_been:1.5 typically:1 usually:1.2 "
        "popular:1.2 current:.8 many:.8 often:1.2 "
        "commonly:1 progress:1 success:.8 increasingly:1.5 growing:1 important:.8 problem:.4 remains:1 yet:.7 plays:1 "
        "is_a:.7 are_a:.5 ubiquitous:1.5 "
        "years:1 decade:1 century:1 fundamental:.7 essential:.7 crucial:.7 tend_to:1 suffer:1.5 suffers:1.5 rely_on:1 "
        "relies_on:.6 most:.4 demand:.5",
    ),
}
_OF_OTHERS = frozenset(
    "existing previous prior overcome overcomes overcoming address addresses addressing these current mitigate alleviate".split()
)


def roles(reading: Reading) -> list[Role]:
    """The role of each sentence of `reading.sentences`."""
    sections = _sections(reading)
    found: list[Role] = []
    seen_method = seen_result = False
    for index, (start, end) in enumerate(reading.sentences):
        section = sections[index] if sections else None
        if section in ("method", "result", "limitation", "other"):
            found.append(cast(Role, section))
            continue
        role = _by_cues(reading, start, end)
        if role is None:
            role = _by_place(section, bool(sections), seen_method, seen_result)
        seen_method = seen_method or role == "method"
        seen_result = seen_result or role == "result"
        found.append(role)
    return found


def _by_place(section: str | None, has_headings: bool, seen_method: bool, seen_result: bool) -> Role:
    if section == "background":
        return "background"
    if has_headings:
        return "other"
    if seen_result:
        return "result"
    return "method" if seen_method else "background"


def _by_cues(reading: Reading, start: int, end: int) -> Role | None:
    words = [reading.lower[index] for index in reading.word_range(start, end)]
    weights: dict[Role, float] = {}
    cues = _CUES
    for index, word in enumerate(words):
        cue = cues.get(word)
        if cue:
            weights[cue[0]] = weights.get(cue[0], 0.0) + cue[1]
        if index and (pair := cues.get(f"{words[index - 1]}_{word}")):
            weights[pair[0]] = weights.get(pair[0], 0.0) + pair[1]
    if "%" in reading.text[start:end]:
        weights["result"] = weights.get("result", 0.0) + 1.0
    if "limitation" in weights and not _OF_OTHERS.isdisjoint(words):
        weights["background"] = weights.get("background", 0.0) + weights.pop("limitation")
    if not weights:
        return None
    best = max(_ROLES, key=lambda role: weights.get(role, 0.0))
    return best if weights.get(best, 0.0) >= 0.7 else None


def _sections(reading: Reading) -> list[str | None]:
    """The role that the headings above each sentence give it, or None; empty where the text has no headings."""
    headings = [block for block in reading.blocks if block.kind == "heading"]
    if not headings:
        return []
    found: list[str | None] = []
    path: list[tuple[int, Role | None]] = []
    upcoming = iter([*headings, None])
    following = next(upcoming)
    for start, _ in reading.sentences:
        while following is not None and following.start <= start:
            path = [entry for entry in path if entry[0] < following.level]
            path.append((following.level, heading_role(reading.text[following.start : following.end])))
            following = next(upcoming)
        found.append(next((role for _, role in reversed(path) if role is not None), None))
    return found


def heading_role(heading: str) -> Role | None:
    """What a heading says of the sentences under it; None where it says nothing ("Conclusion", "RoBERTa")."""
    if len(heading) > 90:
        return None
    return next((role for role, pattern in _HEADINGS if pattern.search(heading)), None)


def role_at(reading: Reading, found: Sequence[Role], position: int) -> Role:
    """The role of the sentence that holds `position`, from what `roles` returned."""
    return found[reading.sentence_at(position)] if found else "other"
