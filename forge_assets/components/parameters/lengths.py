"""Counts that tell how long, on how much and on what a model is trained: steps, batches, tokens, context, vocabulary, hours, machines."""

from __future__ import annotations

import re

from forge_assets.components.parameters.counting import Count, after, before

_ABOUT = r"(?: (?:about|approximately|roughly|around|nearly|almost|only|just|over|less than|under|more than|up to|a total of))*"
_LOOSE = (
    r"(?:(?!(?:more|fewer|less|times|additional|extra|percent|different|other|of|and|or|to|in|for|the|with|on|a|an|million|billion|time)\b)"
    r"[A-Za-z]+[\s-]+){0,%d}"
)
_STEPS = r"(?:steps|iterations|updates)\b(?! (?:per|each))"
_TRAINING = r"\b(?:pre-?|re|fine-?)?(?:trained|training|tuned|train|tuning)"
_TRAINED = (
    rf"{_TRAINING}(?: (?:it|them|the model|our model|a model|the network|models|from scratch|only|jointly))? (?:on|with|using|over|from"
    rf"|for){_ABOUT}"
    r"(?: (?:an?|an additional|another))? ?"
)
_LEARNT = r"\b(?:pre-?|re)?(?:train|tun|fine-?tun|optimi[sz])(?:ed|ing|e|s)?\b(?:[^.;]{0,50}\()?\s?"
_LASTED = (
    r"\b(?:train(?:ed|ing|s)?|pre-?train(?:ed|ing)|fine-?tun(?:ed|ing))\b(?:[^.;]|\.\d){0,60}\b(?:for|in|took|takes|within|lasted"
    r"|required?|less than"
    rf"|over){_ABOUT} "
)
_PIECES = r"(?:tokens?|sub-?words|word ?pieces)\b(?![- ]level)"
_CONTEXT = (
    r"\b(?:context|sequence|input)s?(?:[- ]windows?)?(?:[- ]lengths?| sizes?)?(?: (?:of|to|up ?to|is|can be|from|at|with|beyond"
    r"|as long as))*"
    r" (?:up to |over |length |about )*|\b(?:context(?:[- ](?:windows?|lengths?))? of [\w.-]+ (?:from|to|up to)|truncated? (?:to|at)"
    r"|sequences of"
    r"|contexts? of|length of|maximum of|chunks of)(?: (?:up ?to|length|at most|about|approximately|around|roughly|over|more than))* "
)
_LONG_TEXT = r"tokens?[- ](?:long[- ])?(?:documents?|inputs?|sequences?|contexts?|prompts?|windows?|passages|texts?|length)\b"
_WINDOW = (
    r"(?:tokens? )?(?:-?\s?)(?:context (?:length|window|size)s?|tokens? context|context(?=[.,;)])|(?:maximum |max )?sequence lengths?"
    r"|seq(?:uence)? len)\b"
)
_ITEMS = r"(?:\w+ )?(?:sequences|samples|examples|instances|sentences|images|pairs)\b"
_MACHINE = r"(?:(?:NVIDIA )?(?:RTX )?[AHVTBL]\d{1,4}S?(?: GPU)?|H800 GPU|GPU|TPU(?:v\d)?|MI\d{3}X?|core)[\s-]?"
_VOCABULARY = (
    r"(?:(?:sub-?word|word|token|wordpiece|BPE|word ?piece|SentencePiece|entry|type|token shared|joint|shared)s?[\s-]){0,2}(?:vocabulary"
    r"|vocab)"
    r"(?: size)?\b"
)
_CORPUS = r"\b(?:corpus|corpora|data ?sets?|collection|text data|benchmarks?|treebanks?)\b[^.;]{0,60} "

LENGTHS: tuple[Count, ...] = (
    Count(
        "warmup_steps",
        after(
            r"(?:linear |initial |LR |learning[- ]rate )?(?:warm-?up|warm up) (?:steps|iterations|updates)\b|(?:steps|iterations|updates)"
            r" (?:of |for |as )?(?:linear )?(?:warm-?up|warm up)\b"
        ),
    ),
    Count(
        "warmup_steps",
        after(r"(?:training |gradient |optimi[sz]ation |update )?(?:steps|iterations|updates)\b"),
        before=before(r"\bwarm(?:ed|ing|s|up|-up)?[- ]?(?:up)?\b[^.;]{0,50}"),
    ),
    Count(
        "gradient_accumulation_steps",
        after(r"(?:iterations|steps|batches|mini-?batches)\b"),
        before=before(r"\baccumulat\w+ (?:\w+ )?(?:over|for|across|every) "),
        words=True,
    ),
    Count("gradient_accumulation_steps", after(r"(?:gradient )?accumulation steps\b")),
    Count(
        "training_steps",
        after(
            r"(?:training|gradient|optimi[sz](?:ation|er)|update|parameter|total|pre-?training|fine-?tuning|SGD|environment"
            r"|interaction)[\s-](?:steps"
            r"|iterations|updates)\b|(?:steps|updates) of (?:interaction|training|pre-?training|fine-?tuning)\b"
        ),
    ),
    Count(
        "training_steps",
        after(r"(?:steps|iterations|updates|batches)\b(?! (?:per|each))"),
        before=before(
            r"\b(?:train\w*|pre-?train\w*|fine-?tun\w*|optimi[sz]ed|updated|ran|run|total|converge\w*)\b[^.;]{0,60}\b(?:for|of|after|in"
            r"|total|with|over"
            rf"|to){_ABOUT}(?: (?:another|the first|an additional))? "
        ),
    ),
    Count("training_steps", after(_STEPS), before=before(_LEARNT)),
    Count(
        "training_steps",
        after(_STEPS),
        before=before(r"(?:\bfor|\bepochs? \() ?(?:an? )?(?:additional |another |further |about |approximately )?"),
        least=100.0,
    ),
    Count("epochs", after(r"(?:training |full |complete |pre-?training |fine-?tuning |total )?epochs?\b"), words=True),
    Count("batch_size", after(r"tokens (?:per|in (?:a|each)) (?:mini-?)?batch\b"), unit="tokens"),
    Count(
        "batch_size",
        after(r"(?:tokens)\b"),
        before=before(r"\b(?:mini-?)?batch(?:es)?(?: sizes?)?(?: of)?(?: (?:about|approximately|up to|around))? "),
        unit="tokens",
    ),
    Count("batch_size", after(rf"{_ITEMS[:-2]} per (?:mini-?)?batch\b"), unit="sequences"),
    Count(
        "batch_size",
        after(_ITEMS),
        before=before(r"\b(?:mini-?)?batch(?:es)? (?:sizes? )?of (?:about |approximately )?"),
        unit="sequences",
    ),
    Count(
        "training_tokens",
        after(
            r"(?:training|pre-?training) tokens\b|tokens of (?:training|pre-?training|text|data|web|high-quality|code|multilingual"
            r"|English)\b"
        ),
        scale=1e6,
    ),
    Count(
        "context_length",
        re.compile(r"(?=[\s.,;)]|\Z)"),
        before=before(r"\b(?:sequences?|inputs?|segments?|examples|sentences) of (?:maximum |max )?length (?:of )?"),
    ),
    Count("context_length", after(r"tokens per (?:instance|sequence|example|sample|document|input)\b")),
    Count("context_length", after(_PIECES), before=before(_CONTEXT)),
    Count(
        "max_new_tokens",
        after(_PIECES),
        before=before(r"\b(?:output|generat|produc|respon|complet)\w*\b[^.;]{0,40}\b(?:up to|at most|maximum(?: length)? of|limited to) "),
    ),
    Count("context_length", after(_LONG_TEXT)),
    Count("context_length", after(_WINDOW)),
    Count("training_tokens", after(rf"{_LOOSE % 3}tokens\b(?!\s?/|\sper\b)"), before=before(_TRAINED)),
    Count("training_tokens", after(rf"{_LOOSE % 2}tokens\b(?! per| in )"), before=before(_LEARNT), scale=1e6),
    Count("dataset_size", after(rf"{_LOOSE % 2}tokens\b(?! (?:per|a)\b)"), before=before(_CORPUS), least=5000.0, unit="tokens"),
    Count("dataset_size", after(r"tokens?[- ](?:\w+ )?(?:corpus|corpora|data ?sets?|data)\b"), unit="tokens"),
    Count("training_tokens", after(r"tokens\b(?! (?:per|in|a)\b)"), scale=1e9),
    Count(
        "vocabulary_size",
        after(r"(?:sub-?word |BPE |unique |distinct )?(?:tokens|entries|sub-?words|word ?pieces|symbols|types)\b"),
        before=before(
            r"\b(?:tokeni[sz]er|vocabulary|vocab)\b[^.;]{0,40}\b(?:of|with|includes|including|contains|containing|has|to|from|comprising)"
            r"(?: (?:about|around|approximately|only|over))? "
        ),
    ),
    Count("vocabulary_size", after(_VOCABULARY)),
    Count("training_time", after(rf"{_MACHINE}hours?\b"), unit="hours"),
    Count("training_time", after(rf"{_MACHINE}days?\b"), unit="hours", factor=24.0),
    Count("training_time", after(r"hours? on (?:an?|one|two|four|eight|\d)"), unit="hours"),
    Count("training_time", after(r"hours?\b(?! of)"), before=before(_LASTED), unit="hours", words=True),
    Count("training_time", after(r"days?\b(?! of)"), before=before(_LASTED), unit="hours", factor=24.0, words=True),
    Count("training_time", after(r"weeks?\b(?! of)"), before=before(_LASTED), unit="hours", factor=168.0, words=True),
    Count("training_compute", after(r"(?:training )?FLOPs?\b(?!/)")),
    Count("training_compute", after(r"(?:petaflop/?s?|PF)[\s-]?days\b|petaflop/s-days\b"), factor=8.64e19),
    Count("tensor_parallel", after(r"(?:way|fold)[\s-](?:tensor|model)[\s-]?(?:model[\s-])?(?:slicing|parallel\w*)\b")),
    Count("pipeline_parallel", after(r"(?:way[\s-]pipeline[\s-]?(?:model[\s-])?parallel\w*|pipeline stages)\b")),
    Count("data_parallel", after(r"way[\s-]data[\s-]?parallel\w*\b")),
    Count("expert_parallel", after(r"way[\s-]expert[\s-]?parallel\w*\b")),
    Count("beam_size", after(r"beams\b")),
)
"""In order: the first that fits a number tells its parameter."""
