"""Whether a solved blueprint would come out better today: its pinned stack, judged by what is known now, beside the best one now.

Nothing is written: a blueprint's pins move only by `forge blueprint refresh`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.blueprints import inputs_now, solve_within
from forge_assets.compatibility.stack.build import Inputs, build
from forge_assets.compatibility.stack.explain import restored
from forge_assets.compatibility.stack.local_search import Score
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack, outdated
from forge_assets.compatibility.stack.solver import Effort
from forge_resources.database import Database
from forge_resources.errors import BlueprintError, ForgeError

SECONDS = 10.0
"""That one blueprint may take of a night."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`gain`: points that the best stack of now has over the pinned one, None where the pinned one is not to be had any more.

    `changes`: slot, component pinned, component of now. `changed`: what is new since: evidence, ontology, constraints, profile.
    """

    name: str
    gain: int | None
    changes: tuple[tuple[str, str | None, str | None], ...]
    changed: tuple[str, ...]
    problem: str | None = None

    @property
    def better(self) -> bool:
        return self.gain is None or self.gain > 0

    @property
    def told(self) -> str:
        """A sentence for the night's report."""
        anew = f"`forge blueprint refresh {self.name}`"
        changes = ", ".join(f"{slot} {before or 'nothing'} -> {after or 'nothing'}" for slot, before, after in self.changes)
        if self.problem:
            said = self.problem
        elif self.gain is None:
            said = f"its stack is no longer allowed ({changes}); {anew} solves it anew"
        elif self.better:
            said = f"a better stack exists, by {self.gain:,} points ({changes}); {anew} takes it"
        else:
            said = "its stack is still the best"
        return f"blueprint {self.name}: {said}"


def outlooks(db: Database, overrides: Path | None = None, names: list[str] | None = None) -> list[Outlook]:
    """Of the solved blueprints, or those of `names`; those from which nothing has changed are not solved again, and have no changes."""
    found: list[Outlook] = []
    now: Inputs | None = None
    for name in store.names(db) if names is None else names:
        request, stack = store.find(db, name), store.stack(db, name)
        if stack is None:
            continue
        now = now or inputs_now(db, overrides)
        changed = outdated(stack.pins, now)
        found.append(_outlook(request, stack, now, changed) if changed else Outlook(name, 0, (), ()))
    return found


def _outlook(request: Request, stack: Stack, now: Inputs, changed: list[str]) -> Outlook:
    worth = _worth(request, stack, now)
    kept = [one for one in stack.slots.values() if one] if worth is not None else []
    try:
        built, best = solve_within(build(request, now, keep=kept), Effort(seconds=SECONDS, seed=request.seed))
    except ForgeError as error:
        return Outlook(stack.name, None, (), tuple(changed), str(error))
    if best.chosen is None:
        return Outlook(stack.name, None, (), tuple(changed), "nothing meets its request any more; `forge stack explain` says why")
    slots = {slot: built.component(best.chosen, slot) for slot in now.profile.slots}
    changes = tuple((slot, stack.slots.get(slot), one) for slot, one in slots.items() if stack.slots.get(slot) != one)
    gain = None if worth is None else best.objective - worth
    return Outlook(stack.name, gain if changes or gain is None else 0, changes, tuple(changed))


def _worth(request: Request, stack: Stack, now: Inputs) -> int | None:
    """Points of the pinned stack today; None where a row of it is gone or a hard rule forbids it now."""
    try:
        built, pinned = restored(request, stack, now)
    except BlueprintError:
        return None
    score = Score(built.problem)
    worth = score.total(pinned)
    return worth if worth > -score.penalty // 2 else None
