"""A language model behind any OpenAI-compatible endpoint: settings -> LanguageModel, or None where none is configured.

Answers are cached in Postgres by what was asked; tokens are counted against a budget per run.
"""

from forge_resources.language_model.interface import Answer, Question, Usage
from forge_resources.language_model.json_answers import read_json
from forge_resources.language_model.model import LanguageModel, load_language_model

__all__ = ["Answer", "LanguageModel", "Question", "Usage", "load_language_model", "read_json"]
