"""Relations between components as claims with evidence: sentence -> skeleton -> patterns -> conditions -> `Relation`.

- requires: the subject does not work without the object; conflicts_with: the two do not work together.
- composes_with: the two are used, or can be used, together in one system.
- alternative_to: one can stand in the other's place; supersedes: the subject has taken it, in time or use.
- improves_on: the subject is said to do better than the object, by what measure and how much where it is stated.
"""

from __future__ import annotations

from forge_assets.components.relations.claim import SYMMETRIC, Kind, Relation
from forge_assets.components.relations.extract import measures_of, relations
from forge_assets.components.relations.patterns import PATTERNS, Pattern

__all__ = ["PATTERNS", "SYMMETRIC", "Kind", "Pattern", "Relation", "measures_of", "relations"]
