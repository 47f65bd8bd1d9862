"""Why a component is in a stack, and why another is not: what each is worth and what rests on, or the conflict that keeps it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forge_assets.compatibility.constraints.model import number
from forge_assets.compatibility.constraints.model import slot as variable
from forge_assets.compatibility.stack.batches import BATCH
from forge_assets.compatibility.stack.benefit import Term
from forge_assets.compatibility.stack.build import EMPTY, Built, Inputs, build
from forge_assets.compatibility.stack.conflict import Because, because, minimal, with_wish
from forge_assets.compatibility.stack.problem import UNWRITTEN, Problem, Wish
from forge_assets.compatibility.stack.profile import GIVEN
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack, broken
from forge_assets.compatibility.stack.solver import Effort, solve
from forge_assets.components.ontology.model import Component
from forge_assets.components.ontology.naming import find_one
from forge_resources.errors import BlueprintError

SECONDS = 8.0
TOLD = 8
BRIEF = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` in one sentence; `reasons` each with a source; `changes`: what else would be chosen; `edges` of the graph to quote from."""

    question: str
    verdict: str
    reasons: tuple[Because, ...]
    changes: tuple[str, ...] = ()
    edges: tuple[str, ...] = field(default=(), repr=False)


def restored(
    request: Request, stack: Stack, inputs: Inputs, *, keep: Sequence[str] = (), ask: Sequence[str] = ()
) -> tuple[Built, dict[str, int]]:
    """The problem again, with the rows that the stack chose. Raises BlueprintError where they are not to be had any more."""
    chosen_components = [one for one in stack.slots.values() if one]
    built = build(request, inputs, keep=[*chosen_components, *keep], ask=ask)
    chosen: dict[str, int] = {}
    later = {each for name in map(number, BATCH) for each in (name, *(built.settings.follow.get(name, ()) if built.settings else ()))}
    for group in built.problem.groups.values():
        wanted = {at: value for at, value in _values(group.variables, stack).items() if group.variables[at] not in later}
        rows = [i for i, row in enumerate(group.rows) if all(row.values[at] == value for at, value in wanted.items())]
        names = [row.name for row in group.rows]
        rows.sort(key=lambda i, names=names: names[i] != stack.model)  # type: ignore[misc]  # two kinds of model may have the same numbers
        if not rows:
            gone = f"{group.id} has changed since it was solved"
            raise BlueprintError(f"the stack of {stack.name} cannot be explained: {gone}; `forge blueprint refresh {stack.name}`")
        chosen[group.id] = rows[0]
    return built, chosen


def _values(variables: Sequence[str], stack: Stack) -> dict[int, object]:
    found: dict[int, object] = {}
    for at, name in enumerate(variables):
        if name.startswith("slot:"):
            found[at] = stack.slots.get(name.removeprefix("slot:"))
        elif name.startswith("number:"):
            found[at] = stack.numbers.get(name.removeprefix("number:"))
        elif stack.framework:
            value = stack.options.get(name.removeprefix(f"option:{stack.framework}:"), UNWRITTEN)
            found[at] = tuple(value) if isinstance(value, list) else value
    return found


def why(request: Request, stack: Stack, inputs: Inputs, name: str) -> Answer:
    """What speaks for a component of the stack, alone and with the others, and what would take its place."""
    component, slot = _named(name, inputs), ""
    slot = next((each for each, one in stack.slots.items() if one == component.id), "")
    if not slot:
        there = f"{component.slot} is {stack.slots.get(component.slot) or 'left empty'}"
        raise BlueprintError(f"{component.id} is not in the stack of {stack.name}, where {there}; ask --why-not {component.id}")
    built, chosen = restored(request, stack, inputs)
    terms = _terms(built, chosen, slot, component.id)
    without = solve(_banned(built.problem, variable(slot), chosen[variable(slot)]), Effort(seconds=SECONDS))
    wished = [because(wish) for wish in built.problem.wishes if wish.group == variable(slot) and chosen[variable(slot)] in wish.allowed]
    reasons = [*wished, *_told(terms), *_introduced(component)]
    if without.chosen is None:
        verdict = f"{component.id} fills {slot} because nothing else can"
        reasons = [*(because(part) for part in minimal(_banned(built.problem, variable(slot), chosen[variable(slot)]))), *reasons]
        changes: tuple[str, ...] = ()
    else:
        loss = stack.objective - without.objective
        instead = built.component(without.chosen, slot) or "nothing"
        verdict = (
            f"{component.id} fills {slot}: without it the best stack has {instead} and is worth {loss:,} of {stack.objective:,} points less"
        )
        changes = _changes(built, chosen, without.chosen)
    return Answer(f"why {component.id}", verdict, tuple(reasons[:TOLD]), changes, _edges(terms))


def why_not(request: Request, stack: Stack, inputs: Inputs, name: str) -> Answer:
    """What keeps a component out of the stack: that it cannot be chosen, a conflict, or that it is worth less."""
    component = _named(name, inputs)
    question = f"why not {component.id}"
    if component.id in stack.slots.values():
        raise BlueprintError(f"{component.id} is in the stack of {stack.name}; ask --why {component.id}")
    barred = _barred(component, request, inputs)
    if barred:
        return Answer(question, f"{component.id} cannot be chosen: {barred.statement}", (barred, *_introduced(component)))
    slot = variable(component.slot)
    built, chosen = restored(request, stack, inputs, keep=[component.id], ask=[component.slot])
    index = next(i for i, row in enumerate(built.problem.groups[slot].rows) if row.name == component.id)
    pinned = with_wish(built.problem, Wish("asked", slot, frozenset([index]), f"{component.slot} is {component.id}", 100))
    direct = _direct(built, chosen, slot, index)
    with_it = solve(pinned, Effort(seconds=SECONDS, warm_steps=0), start=chosen | {slot: index})
    terms = _terms(built, chosen | {slot: index}, component.slot, component.id)
    if with_it.infeasible:
        parts = tuple(because(part) for part in minimal(pinned) if not (isinstance(part, Wish) and part.id == "asked"))
        return Answer(
            question, f"{component.id} fits into no stack that meets the request", (*parts, *_introduced(component)), (), _edges(terms)
        )
    if with_it.chosen is None:
        return Answer(
            question, f"no stack with {component.id} was found in {SECONDS:.0f} s", (*direct, *_told(terms), *_introduced(component))
        )
    loss = stack.objective - with_it.objective
    chosen_now = stack.slots.get(component.slot)
    beside = f"{loss:,} less than with {chosen_now or 'nothing'} in {component.slot}"
    verdict = f"the best stack with {component.id} is worth {with_it.objective:,} points, {beside}"
    if inputs.profile.slots[component.slot].role == "asked" and not chosen_now:
        direct = (Because(f"{component.slot} is left empty unless a pin or --fill asks for it", "stack/profile.yaml"), *direct)
        verdict = (
            f"{component.slot} was not asked for; the best stack with {component.id} is worth {with_it.objective:,} points, {-loss:+,}"
        )
    instead = _terms(built, chosen, component.slot, chosen_now) if chosen_now else []
    reasons = [
        *direct,
        *_told(terms),
        *(Because(f"{chosen_now}: {one.statement}", one.source) for one in _told(instead)[:3]),
        *_introduced(component),
    ]
    return Answer(question, verdict, tuple(reasons[: TOLD + 4]), _changes(built, chosen, with_it.chosen), _edges([*terms, *instead]))


def reasons_of(
    built: Built, chosen: Mapping[str, int], slot: str, component: str
) -> tuple[tuple[Because, ...], tuple[str, ...], tuple[str, ...]]:
    """(the weightiest reasons for a component of a stack, no changes, edges to quote from)."""
    terms = _terms(built, chosen, slot, component)[:BRIEF]
    told = _told(terms) or _introduced(built.inputs.ontology.components[component])
    return tuple(told), (), ()


def _named(name: str, inputs: Inputs) -> Component:
    return find_one(inputs.ontology, name)


def _barred(component: Component, request: Request, inputs: Inputs) -> Because | None:
    """Why it is no candidate at all."""
    if component.slot in GIVEN:
        return Because(f"the request says which {component.slot} there is", "the blueprint's request")
    why_unfit = inputs.profile.fits(component, inputs.ontology)
    if why_unfit:
        return Because(why_unfit, f"components/ontology, {component.slot}: {component.id}; stack/profile.yaml")
    if component.build == "described" and not request.research:
        return Because(
            "Forge can describe it but not build it yet; --research would allow it",
            f"components/ontology, {component.slot}: {component.id}",
        )
    return None


def _direct(built: Built, chosen: Mapping[str, int], slot: str, index: int) -> tuple[Because, ...]:
    """Constraints that it breaks together with the rest of the stack as it stands."""
    values = built.problem.assignment(dict(chosen) | {slot: index})
    hard = (one for one in broken(values, built.problem) if one.constraint.severity == "hard")
    found = [Because(one.constraint.statement, one.constraint.source.told) for one in hard]
    for limit in built.problem.limits:
        for box in limit.boxes:
            now = dict(chosen) | {slot: index}
            if all(now[group] in rows for group, rows in box.sets):
                found.append(Because(limit.statement, limit.source))
                break
    return tuple(found)


def _terms(built: Built, chosen: Mapping[str, int], slot: str, component: str) -> list[Term]:
    """All that a component gives beside the others of a stack, the weightiest first."""
    found = built.benefits.terms(slot, component)
    for other, rule_group in ((each, variable(each)) for each in built.inputs.profile.slots):
        partner = built.problem.groups[rule_group].rows[chosen[rule_group]].name
        if other != slot and partner != EMPTY:
            first, second = sorted([(slot, component), (other, partner)], key=lambda pair: pair[1])
            found += built.benefits.pair_terms(first, second)
    return sorted(found, key=lambda term: -abs(term.points))


def _told(terms: Sequence[Term]) -> list[Because]:
    return [Because(f"{term.points:+,} {term.kind}: {term.statement}", term.source) for term in terms[:TOLD]]


def _introduced(component: Component) -> list[Because]:
    one = component.introduced
    if one is None:
        return [Because(f"{component.id}: {component.description}", f"components/ontology, {component.slot}")]
    where = f"arxiv:{one.arxiv}" if one.arxiv else f"doi:{one.doi}" if one.doi else one.url or "components/ontology"
    return [Because(f"{component.id} was introduced in {one.title}, {one.year}", where)]


def _edges(terms: Sequence[Term]) -> tuple[str, ...]:
    named = (word.rstrip(",:") for term in terms if term.kind == "claims" for word in term.source.split() if len(word.rstrip(",:")) == 16)
    return tuple(dict.fromkeys(named))


def _banned(problem: Problem, group: str, index: int) -> Problem:
    rest = frozenset(range(len(problem.groups[group].rows))) - {index}
    kept = tuple(wish for wish in problem.wishes if not (wish.group == group and wish.allowed == {index}))
    return with_wish(Problem(problem.groups, problem.pairs, problem.constraints, problem.limits, kept, problem.soft_cost),
                     Wish("without", group, rest, f"without {problem.groups[group].rows[index].name}"))  # fmt: skip


def _changes(built: Built, before: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, ...]:
    """Groups that change, as people read them."""
    told = []
    for group, index in after.items():
        rows = built.problem.groups[group].rows
        if index != before[group]:
            told.append(f"{group.removeprefix('slot:')}: {rows[before[group]].name} -> {rows[index].name}")
    return tuple(told)
