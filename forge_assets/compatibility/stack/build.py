"""Request, ontology, constraints, evidence -> the problem: what can fill each slot, what it is worth, what is forbidden."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.model import Value, number
from forge_assets.compatibility.constraints.model import slot as variable
from forge_assets.compatibility.stack import plans
from forge_assets.compatibility.stack.batches import Batch, first
from forge_assets.compatibility.stack.benefit import Benefits
from forge_assets.compatibility.stack.evidence import Evidence
from forge_assets.compatibility.stack.hardware import cards_of
from forge_assets.compatibility.stack.model import both_forms
from forge_assets.compatibility.stack.options import Settings, mirror, settings_of, told_apart_by_settings
from forge_assets.compatibility.stack.problem import Box, Choice, Group, Limit, Problem, Row
from forge_assets.compatibility.stack.profile import GIVEN, NumberRule, Profile
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.shortlist import SHORTLIST, reach, shortlist
from forge_assets.compatibility.stack.truth import holds, variables_of
from forge_assets.compatibility.stack.wishes import Meant, understand
from forge_assets.components.ontology import Ontology

MODEL, PLAN, ASKED = "model", "plan", "request"
EMPTY = "nothing"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a blueprint is solved with."""

    ontology: Ontology
    profile: Profile
    base: ConstraintBase
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Built:
    """The problem, and what its rows stand for. `batches`: of each split; `fixed`: numbers that the request speaks of.

    `eligible`: slot -> components that could fill it, `in play` those of the problem.
    """

    request: Request
    inputs: Inputs
    problem: Problem
    benefits: Benefits
    shapes: tuple[ModelShape, ...]
    splits: tuple[Split, ...]
    batches: tuple[Batch, ...]
    fixed: frozenset[str]
    settings: Settings | None
    eligible: Mapping[str, tuple[str, ...]]

    @property
    def in_play(self) -> int:
        return sum(row.name != EMPTY for group in self.problem.groups.values() if group.id.startswith("slot:") for row in group.rows)

    def component(self, chosen: Mapping[str, int], slot: str) -> str | None:
        value = self.problem.groups[variable(slot)].rows[chosen[variable(slot)]].values[0]
        return None if value is None else str(value)


@dataclass(slots=True)
class _Draft:
    groups: dict[str, Group] = field(default_factory=dict)
    eligible: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: dict[tuple[Choice, Choice], int] = field(default_factory=dict)


def build(request: Request, inputs: Inputs, *, keep: Collection[str] = (), ask: Collection[str] = (), most: int = SHORTLIST) -> Built:
    """The problem of a request. `keep`: components that stay in play whatever they are worth; `ask`: slots that may be filled too.

    Raises BlueprintError for wishes that mean nothing, contradict each other, or ask for what cannot be built.
    """
    meant = understand(request, inputs.ontology, inputs.profile, inputs.base)
    constraints = inputs.base.in_scope(request.framework)
    benefits = Benefits(inputs.profile, request.goal, inputs.evidence)
    draft = _Draft()
    _slots(draft, request, inputs, benefits, meant, {*keep, *meant.components}, ask, most)
    shapes = tuple(plans.shapes(request))
    splits = tuple(plans.splits(request, shapes))
    batches = tuple(first(request, split, meant.pinned_numbers) for split in splits)
    settings = _numbers(draft, request, inputs, shapes, tuple(zip(splits, batches, strict=True)))
    limits = [
        *_implied(draft, inputs.profile),
        *_numbered(draft, inputs.profile),
        _kinds(draft, shapes),
        *_uncut(draft, shapes, splits),
        *(settings.limits if settings else ()),
    ]
    if request.gpu_memory:
        limits.append(_memory(draft, request, inputs.profile, shapes, tuple(zip(splits, batches, strict=True))))
    wishes = meant.wishes(draft.groups)
    problem = Problem(draft.groups, draft.pairs, constraints, tuple(limits), wishes)
    return Built(request, inputs, problem, benefits, shapes, splits, batches, meant.numbers, settings, draft.eligible)


def eligible(request: Request, inputs: Inputs, slot: str) -> list[str]:
    """The components that can fill a slot of a language model, and that Forge can build (or, for research, not yet)."""
    if slot in GIVEN:
        return cards_of(request, inputs.ontology)
    asked = inputs.profile.precisions[request.precision] if slot == "precision" else None
    return [
        one.id
        for one in inputs.ontology.in_slot(slot)
        if (asked is None or one.id in asked)
        and inputs.profile.fits(one, inputs.ontology) is None
        and (one.build != "described" or request.research)
    ]


def _slots(draft: _Draft, request: Request, inputs: Inputs, benefits: Benefits, meant: Meant,
           kept: Collection[str], ask: Collection[str], most: int) -> None:  # fmt: skip
    """Groups of the slots, with the pairs between them."""
    asked = {*request.optional, *meant.slots, *ask}
    for slot, rule in inputs.profile.slots.items():
        pinned = meant.of_slot(slot)
        able = eligible(request, inputs, slot) if rule.role != "asked" or slot in asked else []
        draft.eligible[slot] = tuple(dict.fromkeys([*able, *pinned]))
        benefits.of_slot(slot, draft.eligible[slot])
    slots = {one: slot for slot, components in draft.eligible.items() for one in components}
    alone = {one: sum(term.points for term in benefits.terms(slot, one)) for one, slot in slots.items()}
    support = {
        (a, b): points
        for a, b in benefits.pairs(slots)
        if (points := sum(term.points for term in benefits.pair_terms((slots[a], a), (slots[b], b))))
    }
    ranges = reach(slots, alone, support)
    place: dict[str, Choice] = {}
    for slot, rule in inputs.profile.slots.items():
        seen = _seen_by_rules(slot, inputs, meant, request.framework)
        chosen = shortlist([ranges[one] for one in draft.eligible[slot]], set(kept), seen, most)
        cost = inputs.profile.goals[request.goal]["filled"] if rule.role != "required" else 0
        may_be_empty = rule.role != "required" and slot not in request.optional or not chosen
        rows = [Row(EMPTY, (None,))] if may_be_empty else []
        rows += [Row(one, (one,), alone[one] - cost) for one in chosen]
        group = draft.groups[variable(slot)] = Group(variable(slot), (variable(slot),), tuple(rows))
        place |= {row.name: (group.id, index) for index, row in enumerate(rows) if row.name != EMPTY}
    for (a, b), points in support.items():
        if a in place and b in place:
            first, second = sorted((place[a], place[b]))
            draft.pairs[first, second] = points


def _seen_by_rules(slot: str, inputs: Inputs, meant: Meant, framework: str | None) -> Callable[[str], object]:
    """component -> what constraints, settings, definitions, memory and wishes see of it; two seen alike can stand for each other."""
    place, profile = variable(slot), inputs.profile
    forms = (form for one in inputs.base.in_scope(framework) for both in both_forms(one) for form in both)
    conditions = [form for form in dict.fromkeys(forms) if variables_of(form) == (place,)]
    sets = [names for one in profile.implied for where, names in ((one.slot, one.holds), (one.then, one.one_of)) if where == slot and names]
    sets += [one.holds for one in profile.numbers if one.slot == slot]
    sets += [frozenset([str(one.value)]) for one in meant.ones if one.variable == place]
    sets += told_apart_by_settings(inputs.base, framework, slot) if framework else []
    effects = profile.effects.values()
    seen: dict[str, object] = {}

    def of(component: str) -> object:
        if component not in seen:
            truths = tuple(holds(each, {place: component}) for each in conditions)
            seen[component] = (*truths, *(component in names for names in sets), *(effect.get(component) for effect in effects))
        return seen[component]

    return of


def _numbers(
    draft: _Draft, request: Request, inputs: Inputs, shapes: Sequence[ModelShape], cut: Sequence[tuple[Split, Batch]]
) -> Settings | None:
    """Groups of numbers, and with a target framework those of its settings."""
    asked = (number("sequence_length"), number("max_positions"))
    numbered = frozenset([*plans.SHAPE_VARIABLES, *plans.PLAN_VARIABLES, *asked])
    settings = settings_of(inputs.base, request.framework, _by_variable(draft), numbered) if request.framework else None
    follow = settings.follow if settings else {}
    cost = inputs.profile.goals[request.goal]["split"]
    for id_, variables, rows in (
        (MODEL, plans.SHAPE_VARIABLES, plans.shape_rows(shapes)),
        (PLAN, plans.PLAN_VARIABLES, plans.plan_rows(request, cut, cost)),
        (ASKED, asked, [Row(f"{request.context} tokens", (request.context, request.context))]),
    ):
        mirrored, made = mirror(rows, variables, follow)
        draft.groups[id_] = Group(id_, mirrored, made)
    if settings:
        draft.groups |= {group.id: group for group in settings.groups}
    return settings


def _by_variable(draft: _Draft) -> dict[str, Group]:
    return {group.variables[0]: group for group in draft.groups.values()}


def _implied(draft: _Draft, profile: Profile) -> list[Limit]:
    """What follows from components by their definitions."""
    limits = []
    for number_, one in enumerate(profile.implied):
        first, second = draft.groups[variable(one.slot)], draft.groups[variable(one.then)]
        there = frozenset(i for i, row in enumerate(first.rows) if row.name != EMPTY and (one.holds is None or row.name in one.holds))
        wrong = frozenset(
            i for i, row in enumerate(second.rows) if row.name == EMPTY or (one.one_of is not None and row.name not in one.one_of)
        )
        if there and wrong:
            names = "anything" if one.one_of is None else " or ".join(sorted(one.one_of))
            holds_told = "anything" if one.holds is None else " or ".join(sorted(one.holds))
            statement = f"{one.slot}={holds_told} goes with {one.then}={names}"
            limits.append(Limit(f"definition:{number_}", statement, one.source, (Box(((first.id, there), (second.id, wrong)), statement),)))
    return limits


def _numbered(draft: _Draft, profile: Profile) -> list[Limit]:
    """What components say of the numbers of the model and of the plan."""
    limits = []
    for place, one in enumerate(profile.numbers):
        group = draft.groups[variable(one.slot)]
        there = frozenset(i for i, row in enumerate(group.rows) if row.name in one.holds)
        numbered, statement = draft.groups[PLAN if one.above_one else MODEL], _number_told(one)
        wrong = frozenset(
            i for i, row in enumerate(numbered.rows) if not _number_fits(one, dict(zip(numbered.variables, row.values, strict=True)))
        )
        if there and wrong:
            limits.append(Limit(f"numbers:{place}", statement, one.source, (Box(((group.id, there), (numbered.id, wrong)), statement),)))
    return limits


def _number_told(one: NumberRule) -> str:
    names = " or ".join(sorted(one.holds))
    if one.above_one:
        return f"{one.slot}={names} means {one.above_one} above 1"
    return f"{one.slot}={names} means {one.kv_heads} key heads"


def _number_fits(one: NumberRule, values: Mapping[str, Value]) -> bool:
    if one.above_one:
        return int(values[number(one.above_one)] or 0) > 1
    keys, heads = values[number("num_kv_heads")], values[number("num_heads")]
    return {"all": keys == heads, "one": keys == 1, "grouped": keys not in (1, heads)}[one.kv_heads or ""]


def _kinds(draft: _Draft, shapes: Sequence[ModelShape]) -> Limit:
    """Sizes go with the attention and the FFN that they were fitted for."""
    boxes = []
    for slot in ("attention", "ffn"):
        group = draft.groups[variable(slot)]
        for index, shape in enumerate(shapes):
            wrong = frozenset(
                i for i, row in enumerate(group.rows) if not plans.suits(shape, slot, None if row.name == EMPTY else row.name)
            )
            if wrong:
                boxes.append(Box(((MODEL, frozenset([index])), (group.id, wrong)), f"these sizes are for another {slot}"))
    statement = "a model comes to the parameters asked for with its own attention and FFN"
    return Limit("sizes", statement, "stack/parts.py: Touvron et al. 2023 (arXiv 2307.09288, appendix A.2.1)", tuple(boxes))


def _uncut(draft: _Draft, shapes: Sequence[ModelShape], splits: Sequence[Split]) -> list[Limit]:
    """Shapes that a plan cannot cut."""
    boxes = []
    for index, shape in enumerate(shapes):
        wrong = frozenset(i for i, split in enumerate(splits) if not plans.can_be_cut(shape, split))
        if wrong:
            boxes.append(Box(((MODEL, frozenset([index])), (PLAN, wrong)), "the plan does not divide the model"))
    statement = "a plan of parallelism divides heads, layers, widths and experts evenly"
    return (
        [
            Limit(
                "cut",
                statement,
                "arithmetic/plan.py: Shoeybi et al. 2019 (arXiv 1909.08053), Narayanan et al. 2021 (arXiv 2104.04473)",
                tuple(boxes),
            )
        ]
        if boxes
        else []
    )


def _memory(draft: _Draft, request: Request, profile: Profile, shapes: Sequence[ModelShape], cut: Sequence[tuple[Split, Batch]]) -> Limit:
    """What does not fit. Shapes with the same kind of FFN are judged by the one that needs most."""
    places = {
        "precision": ("precision", "mixed"), "attention": ("attention_kernel", "eager"), "optimizer": ("optimizer", "adamw"),
        "zero": ("parallelism", 0), "recompute": ("activation_memory", "none"),
    }  # fmt: skip
    rows: dict[str, dict[str | int, frozenset[int]]] = {}
    for name, (slot, plain) in places.items():
        effect = profile.effects[name]
        kinds: dict[str | int, set[int]] = {}
        for index, row in enumerate(draft.groups[variable(slot)].rows):
            kinds.setdefault(effect.get(row.name, plain), set()).add(index)
        rows[name] = {kind: frozenset(of) for kind, of in kinds.items()}
    boxes = []
    for alike in _alike(shapes):
        for index, (split, batch) in enumerate(cut):
            able = [shapes[one] for one in sorted(alike) if plans.can_be_cut(shapes[one], split)]
            if not able:
                continue
            judged = plans.hungriest(request, able, split, batch)
            for setting in plans.beyond(request, judged, split, batch, {name: tuple(kinds) for name, kinds in rows.items()}):
                sets = [(variable(slot), rows[name][getattr(setting, name)]) for name, (slot, _) in places.items()]
                boxes.append(Box(((MODEL, alike), (PLAN, frozenset([index])), *sets), "it does not fit into memory"))
    source = "arithmetic/training.py: Korthikanti et al. 2022 (arXiv 2205.05198), Rajbhandari et al. 2020 (arXiv 1910.02054)"
    return Limit("memory", plans.limit_told(request), source, tuple(merged(boxes)))


def merged(boxes: Sequence[Box]) -> list[Box]:
    """The same combinations in fewer boxes: those that differ in one group alone become one."""
    sets = [box.sets for box in boxes]
    for place in reversed(range(len(sets[0]) if sets else 0)):
        alike: dict[tuple[tuple[str, frozenset[int]], ...], set[int]] = {}
        for each in sets:
            alike.setdefault((*each[:place], *each[place + 1 :]), set()).update(each[place][1])
        group = sets[0][place][0]
        sets = [(*rest[:place], (group, frozenset(rows)), *rest[place:]) for rest, rows in alike.items()]
    return [Box(each, boxes[0].reason) for each in sets]


def _alike(shapes: Sequence[ModelShape]) -> list[frozenset[int]]:
    """Shapes by their kind of FFN."""
    kinds: dict[tuple[bool, bool], set[int]] = {}
    for index, shape in enumerate(shapes):
        kinds.setdefault((shape.moe is not None, shape.gated), set()).add(index)
    return [frozenset(of) for of in kinds.values()]
