"""Tokens of one run: what a question may cost is set aside before it is asked, what it did cost is counted afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from forge_resources.errors import BudgetSpent


@dataclass(slots=True)
class Reservation:
    """`cost` is what is counted in the end: nothing, unless whoever holds it says otherwise."""

    most: int
    cost: int = 0


class Budget:
    """`limit` tokens; safe in threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.spent = 0
        self._reserved = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, most: int) -> Iterator[Reservation]:
        """Waits for running questions where they might leave enough. Raises BudgetSpent where not even that would do."""
        with self._changed:
            while self.spent + self._reserved + most > self.limit:
                if not self._reserved:
                    raise BudgetSpent(
                        f"the language model's budget of {self.limit} tokens a run is used up ({self.spent} spent, the next question may"
                        f" take {most}); what was answered is kept, a later run goes on from there; FORGE_LLM_BUDGET_TOKENS sets the budget"
                    )
                self._changed.wait()
            self._reserved += most
        reservation = Reservation(most)
        try:
            yield reservation
        finally:
            with self._changed:
                self._reserved -= most
                self.spent += reservation.cost
                self._changed.notify_all()
