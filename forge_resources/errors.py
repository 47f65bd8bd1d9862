"""Every failure a user of Forge can meet, on one page.

ForgeError                      a sentence for the user; commands print it and exit with code 2
├── SettingError                a setting is missing, malformed or contradicts another
├── DatabaseError               Postgres cannot be reached, started or migrated
├── ObjectStoreError            the folder or bucket cannot be read or written
│   ├── ObjectMissing           no object under this key
│   └── ObjectExists            a conditional put found the key taken
├── EmbedderError               the embedding model cannot be found or loaded
├── LanguageModelError          the language model cannot be used; asking on is useless
│   ├── BudgetSpent             the tokens of this run are used up
│   └── NoAnswer                one question got no answer; another may
├── SourceError                 a source is unknown, unreachable or listed twice
├── QueryError                  a search query, filter or run file is malformed
├── OntologyError               the ontology's files contradict themselves, or a decision does not fit them
├── ShapeError                  a model's shape, a card or a plan of memory is unknown or contradicts itself
├── BlueprintError              a blueprint's request is malformed, unknown, or cannot be met
├── ConstraintError             a rule, a mapping of settings or a configuration to be checked is malformed
├── FdlError                    a text of the language FDL is wrong, at a line and a column
├── FragmentError               a fragment of a model is missing, damaged, swapped or refused, or cannot be made
├── DecisionError               the log of decisions is malformed, or a decision cannot be added to it
└── DocumentProblem             one document cannot be used; it is quarantined, its neighbours go on

A message names the thing, what was expected, what was found, and what to do.
"""

from __future__ import annotations


class ForgeError(Exception):
    """Root of all errors that are meant to be read by the user."""


class SettingError(ForgeError):
    pass


class DatabaseError(ForgeError):
    pass


class ObjectStoreError(ForgeError):
    pass


class ObjectMissing(ObjectStoreError):
    pass


class ObjectExists(ObjectStoreError):
    pass


class EmbedderError(ForgeError):
    pass


class LanguageModelError(ForgeError):
    pass


class BudgetSpent(LanguageModelError):
    pass


class NoAnswer(LanguageModelError):
    """`transient`: the endpoint was away or busy; otherwise this very question gets none. `status`: of HTTP, 0 without an answer."""

    def __init__(self, message: str, *, transient: bool, status: int = 0) -> None:
        super().__init__(message)
        self.transient = transient
        self.status = status


class SourceError(ForgeError):
    pass


class FetchError(SourceError):
    """Another host did not give what was asked for. `transient`: another time it may; `status`: of HTTP, 0 without an answer."""

    def __init__(self, message: str, *, transient: bool, status: int = 0) -> None:
        super().__init__(message)
        self.transient = transient
        self.status = status


class QueryError(ForgeError):
    pass


class OntologyError(ForgeError):
    pass


class ShapeError(ForgeError):
    pass


class BlueprintError(ForgeError):
    pass


class ConstraintError(ForgeError):
    pass


class FdlError(ForgeError):
    """`line` and `column` count from 1; 0 where no place in a text is to blame. `message` is the sentence without the place."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {message}" if line else message)
        self.message, self.line, self.column = message, line, column

    def __reduce__(self) -> tuple[type[FdlError], tuple[str, int, int]]:
        return type(self), (self.message, self.line, self.column)


class FragmentError(ForgeError):
    pass


class DecisionError(ForgeError):
    pass


class DocumentProblem(ForgeError):
    """Why one document is quarantined.

    `code` is a stable word for machines (see `forge_assets.corpus.problems`), the message is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[DocumentProblem], tuple[str, str]]:
        return type(self), (self.code, str(self))
