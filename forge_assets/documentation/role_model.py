"""A small classifier for the role of a sentence in which no cue stands: softmax over words, trained on sentences whose cues are sure.

`python -m forge_assets.documentation.role_model` trains it on the sentences of a home (FORGE_HOME) and writes role_model.json, which holds
words and weights and no text. What is learnt goes beyond the cues by the company they keep; it is asked only where they are silent.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from forge_assets.documentation.volume import Role

FILE = Path(__file__).with_name("role_model.json")
ROLES: tuple[Role, ...] = get_args(Role)
SURE = 0.62
"""Least probability at which its word is taken."""
FEATURES, FEWEST = 2500, 25
PENALTY = 2.0
TRAINED_ON = """SELECT s.role, substr(d.text, s.start + 1, s."end" - s.start) AS text
    FROM doc_sentence s JOIN document d USING (document_id)
    WHERE s.score >= 0.8 AND d.language = 'en' ORDER BY s.quote"""
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+|%")


def features(text: str) -> set[str]:
    """Words and pairs of neighbours in small letters, any number as 0, and how the sentence begins."""
    words = ["0" if word[0].isdigit() else word for word in _WORD.findall(text.lower())]
    pairs = {f"{a} {b}" for a, b in pairwise(words)}
    return {*words, *pairs, *(f"^{word}" for word in words[:2])}


class RoleModel:
    """Weights [roles][features] and biases [roles]."""

    def __init__(self, weights: dict[str, list[float]], bias: Sequence[float]) -> None:
        self._weights, self._bias = weights, bias

    def role(self, text: str) -> tuple[Role | None, float]:
        """The likeliest role and its probability; None where that is not sure."""
        import math

        scores = list(self._bias)
        for feature in features(text):
            for number, weight in enumerate(self._weights.get(feature, ())):
                scores[number] += weight
        top = max(scores)
        best = scores.index(top)
        probability = 1.0 / sum(math.exp(score - top) for score in scores)
        return (ROLES[best], probability) if probability >= SURE else (None, probability)


@cache
def role_model() -> RoleModel:
    given = json.loads(FILE.read_text(encoding="utf-8"))
    return RoleModel(given["weights"], given["bias"])


def train(rows: Iterable[tuple[Role, str]]) -> dict[str, Any]:
    """Rows of (role, sentence) -> the content of the file. Roles weigh alike, however many sentences they have."""
    import numpy as np
    from sklearn.feature_extraction import DictVectorizer  # type: ignore[import-untyped, unused-ignore]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped, unused-ignore]

    given = list(rows)
    counts = Counter(feature for _, text in given for feature in features(text))
    kept = {feature for feature, count in counts.most_common(FEATURES) if count >= FEWEST}
    table = DictVectorizer(dtype=np.float32)
    matrix = table.fit_transform(dict.fromkeys(sorted(features(text) & kept), 1.0) for _, text in given)
    model = LogisticRegression(C=1 / PENALTY, max_iter=300, class_weight="balanced")
    model.fit(matrix, [ROLES.index(role) for role, _ in given])
    order = [list(model.classes_).index(number) for number in range(len(ROLES))]
    weights = np.round(model.coef_[order], 2)
    names = list(table.get_feature_names_out())
    found = {name: weights[:, column].tolist() for column, name in enumerate(names) if np.abs(weights[:, column]).max() >= 0.1}
    return {"roles": list(ROLES), "bias": np.round(model.intercept_[order], 3).tolist(), "weights": found}


def main() -> None:
    """Trains on nine of ten sentences, prints how often the tenth ones' cues are met, and writes the file."""
    import sqlalchemy as sa

    from forge_resources.database import Database

    with Database.open() as db, db.begin() as connection:
        rows: list[tuple[Role, str]] = [(row.role, row.text) for row in connection.execute(sa.text(TRAINED_ON))]
    held = rows[::10]
    made = train(row for number, row in enumerate(rows) if number % 10)
    model = RoleModel(made["weights"], made["bias"])
    told = [(role, *model.role(text)) for role, text in held]
    sure = [(role, said) for role, said, _ in told if said is not None]
    most = Counter(role for role, _ in held).most_common(1)[0]
    print(f"{len(rows)} sentences; of {len(held)} held out {len(sure)} are sure, "
        f"{sum(a == b for a, b in sure) / len(sure):.3f} of them as their"
          f" cues say; always {most[0]!r}: {most[1] / len(held):.3f}")  # fmt: skip
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(weights)}" for name, weights in sorted(made["weights"].items()))
    head = f' "roles": {json.dumps(made["roles"])},\n "bias": {json.dumps(made["bias"])},\n'
    FILE.write_text("{\n" + head + ' "weights": {\n' + lines + "\n }\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
