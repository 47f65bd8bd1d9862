"""README.md of a fragment: what it is, how to use it, and the documents it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from forge_assets.fragments.chain import CHAIN, TOKENIZER
from forge_assets.fragments.plan import Plan

MOST_SOURCES = 200


def card(plan: Plan, fragment: str, parents: Mapping[str, str], figures: Mapping[str, str], use: str) -> str:
    """`figures`: rows of a table; `use`: Python that loads the fragment."""
    one = CHAIN[fragment]
    slots = {slot: component for slot in one.slots if (component := plan.slots.get(slot))}
    held = ", ".join(f"{slot} {name}" for slot, name in slots.items())
    lines = ["---", f"license: {plan.licence.lower()}", "library_name: pytorch", "tags: [forge, fragment]", "---", "",
             f"# {one.title} of {plan.blueprint}", "",
             f"Fragment `{fragment}` of a model planned by Forge{': ' * bool(slots)}{held}.",
             told_of_weights(plan, fragment), "",
             "| | |", "|---|---|"]  # fmt: skip
    lines += [f"| {name} | {value} |" for name, value in figures.items()]
    lines += [
        f"| seed | {plan.seed} |",
        f"| spec, SHA-256 | `{plan.spec or 'none'}` |",
        f"| corpus, pinned state | `{plan.snapshot or 'none'}` |",
    ]
    lines += [f"| made from {name} | `{digest}` |" for name, digest in parents.items()]
    lines += ["", "## Use", "", "```python", use.strip(), "```", "",
              "`forge fragments verify .` checks every byte and number without running anything of this folder; "
              "`pytest test_contract.py` runs its contract.", "", "## Sources", ""]  # fmt: skip
    cited = plan.cited(fragment)
    lines += [
        f"- {plain(source.title or source.document)} ({source.component}): <{plain(source.document)}>" for source in cited[:MOST_SOURCES]
    ]
    if len(cited) > MOST_SOURCES:
        lines.append(f"- and {len(cited) - MOST_SOURCES:,} more in the header of the weights")
    if not cited:
        lines.append("No document of the corpus is named for what this fragment holds.")
    return "\n".join(lines) + "\n"


def told_of_weights(plan: Plan, fragment: str) -> str:
    if fragment == TOKENIZER:
        return ""
    return f"Its weights are trained, by the run `{plan.run[:16]}`." if plan.run else "Its weights are first values; it is not trained."


def plain(text: str) -> str:
    """One line that Markdown takes as words."""
    return "".join("\\" + letter if letter in "\\`*_[]<>|#" else letter for letter in " ".join(text.split()))
