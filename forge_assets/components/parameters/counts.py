"""The counts of prose as data: what follows a number ("32 attention heads"), and where the noun is loose, what stands before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_I = re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Count:
    """number + `after` says the parameter; `before`, where given, must end right before the number (80 characters are seen)."""

    parameter: str
    after: re.Pattern[str]
    before: re.Pattern[str] | None = None
    words: bool = False
    unit: str | None = None
    factor: float = 1.0


def _after(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\$?(?:[\s~‑-]|\\,){{1,2}}(?:{pattern})", _I)


_ADJECTIVES = (
    r"(?:(?!(?:more|fewer|less|times|additional|extra|percent|different|other|of|and|or|to|in|for|the|with|on|a|an"
    r"|million|billion|time)\b)[A-Za-z]+[\s-]+){0,%d}"
)
_KINDS = (
    r"(?:hidden|convolution(?:al)?|conv|fully|connected|fully-connected|dense|transformer|transform|encoder|decoder|Bi-?LSTM"
    r"|LSTM|GRU|RNN|recurrent|attention|self-attention"
    r"|stacked|residual|linear|neural|network|deep|feed-?forward|graph|GCN|GNN|weight|trainable|total|CNN|bi-?directional|Mamba"
    r"|identical|model|MoE|conformer|ResNet|SSM"
    r"|pooling|spiking|learnable|unidirectional|causal|self|depth|dilated|parameteri[sz]ed|backbone|nonlinear|additional|BERT|ViT)"
)
_LAYERS = (
    rf"(?:{_KINDS}[\s-]){{0,3}}layers?\b(?![\s-]?norm)(?! (?:of|per|at|in) (?:defen|protect))|(?:transformer|encoder"
    rf"|decoder|residual|conformer|attention)[\s-]blocks\b"
)
_FEW_LAYERS = (
    rf"(?:{_KINDS}[\s-]){{1,3}}layers\b|(?:hidden[\s-])?layer(?:ed)?\s(?:\w+\s)?(?:(?:neural |feed-?forward |deep "
    rf"|fully connected )?(?:networks?|Bi-?LSTM|LSTM|CNN|RNN|MLP|perceptron|transformer|GRU|encoder|decoder))s?\b"
)
_MODEL_SIZE = (
    r"(?:(?:trainable|learnable|model|total|non-embedding|tunable|free|language[- ]model|additional trainable|network"
    r"|adjustable|dense)[\s-]){0,2}"
)
_EXAMPLES = (
    r"(?:labell?ed |unlabell?ed |training |annotated |high-quality |natural |(?:image|text|question|sentence|parallel"
    r"|video|instruction)[- ](?:text |answer |caption )?|real |synthetic |RGB |colou?r |chest |web |English ){0,3}(?:images"
    r"|samples|examples|instances|sentences|sentence pairs|pairs|videos|documents|utterances|dialogues|questions|captions"
    r"|articles|conversations|tweets|reviews|queries)\b"
)
_DATA = re.compile(
    r"\b(?:dataset|data set|corpus|benchmark|treebank|collection)s?(?: \([^()]{1,40}\))?(?:,)? (?:(?:that|which) )?(?:of|with"
    r"|containing|contains|composed of|comprised of|totall?ing|consisting of|consists of|comprising|comprises|includes"
    r"|including|has)(?: (?:over|about|more"
    r" than|approximately|around|nearly|almost|a total of|roughly|some|up to|~))? ?[~∼$]?\Z",
    _I,
)
_TRAINED = re.compile(
    r"\b(?:pre-?|re|fine-?)?(?:trained|training|tuned|train|tuning)(?: (?:it|them|the model|our model|a model|the network"
    r"|models|from scratch|only|jointly))? (?:on|with|using|over|from|for)(?: (?:a total of|over|about|more than"
    r"|approximately|around|nearly|only|roughly|just|up to|a dataset of|a corpus of|~|a|an additional))? ?[~∼$]?\Z",
    _I,
)
_LASTED = re.compile(
    r"\b(?:train(?:ed|ing|s)?|pre-?train(?:ed|ing)|fine-?tun(?:ed|ing))\b[^.;]{0,50}\b(?:for|in|took|takes|within|lasted"
    r"|required?|less than|about|approximately|roughly) [~∼$]?\Z",
    _I,
)
_CONTEXT_BEFORE = re.compile(
    r"\b(?:context|sequence|input)s?(?: window)?(?: lengths?| sizes?)?(?: (?:of|to|up to|is|from|at|with|beyond|as long as))*"
    r" (?:up to |over |length |about )*[~∼$]?\Z|\b(?:truncated? (?:to|at)|sequences of|contexts? of|length of|maximum of"
    r"|chunks of)(?: up to| length| at most)? \Z",
    _I,
)
_WARMED = re.compile(r"\bwarm(?:ed|ing|s|up|-up)?[- ]?(?:up)?\b[^.;]{0,50}\Z", _I)

_ACTIVATING = re.compile(r"\bactivat(?:es|ing|e|ed)(?: (?:only|about|around|approximately|just|up to))? [~∼$]?\Z", _I)

COUNTS: tuple[Count, ...] = (
    Count("kv_heads", _after(r"(?:KV|key[-/ ]?value|key and value|K/V)[\s-]heads?\b")),
    Count(
        "heads",
        _after(r"(?:parallel )?(?:(?:self-?)?attention|query|Q)[\s-](?:heads?)\b|head(?:ed)? (?:self-|multi-head )?attention\b"),
        words=True,
    ),
    Count("heads", _after(r"heads\b")),
    Count(
        "experts_per_token",
        _after(
            r"(?:(?:are |is )?(?:active|activated|selected) experts|experts? (?:(?:are |is )?(?:active|activated|selected)|per"
            r" token|for each token))"
        ),
    ),
    Count("shared_experts", _after(r"shared experts?\b"), words=True),
    Count("experts", _after(r"(?:(?:routed|fine-grained|total|feed-forward|sparse|FFN|small|local) ){0,2}experts\b"), words=True),
    Count("layers", _after(_LAYERS)),
    Count("layers", _after(_FEW_LAYERS), words=True),
    Count(
        "active_parameters",
        _after(
            r"(?:active|activated) (?:model )?(?:parameters?|params?)\b|(?:parameters?|params?)? ?(?:are |is )?(?:active"
            r"|activated)(?: parameters?)?(?: per| for| during)\b"
        ),
    ),
    Count("active_parameters", _after(r"(?:parameters|params)\b"), before=_ACTIVATING),
    Count(
        "parameters",
        _after(
            rf"{_MODEL_SIZE}(?:parameters?|params?)\b(?!\s+(?:active|activated|are activ))(?!\s(?:reduc|sav|overhead|bits?"
            rf"|updates?|groups?|settings?|combin|choices|values?))"
        ),
    ),
    Count(
        "warmup_steps",
        _after(
            r"(?:linear |initial |LR |learning[- ]rate )?(?:warm-?up|warm up) (?:steps|iterations|updates)\b|(?:steps"
            r"|iterations|updates) (?:of |for |as )?(?:linear )?(?:warm-?up|warm up)\b"
        ),
    ),
    Count("warmup_steps", _after(r"(?:training |gradient |optimi[sz]ation |update )?(?:steps|iterations|updates)\b"), before=_WARMED),
    Count(
        "training_steps",
        _after(
            r"(?:training|gradient|optimi[sz](?:ation|er)|update|parameter|total|pre-?training|fine-?tuning|SGD)[\s-](?:steps"
            r"|iterations|updates)\b"
        ),
    ),
    Count(
        "training_steps",
        _after(r"(?:steps|iterations|updates|batches)\b"),
        before=re.compile(
            r"\b(?:train\w*|pre-?train\w*|fine-?tun\w*|optimi[sz]ed|updated|ran|run|total)\b[^.;]{0,60}\b(?:for|of|after|in"
            r"|total)(?: (?:a total of|about|another|up to|only|over))? \Z",
            _I,
        ),
    ),
    Count("epochs", _after(r"(?:training |full |complete |pre-?training |fine-?tuning |total )?epochs?\b"), words=True),
    Count("batch_size", _after(r"tokens (?:per|in (?:a|each)) (?:mini-?)?batch\b"), unit="tokens"),
    Count(
        "batch_size",
        _after(r"(?:tokens)\b"),
        before=re.compile(r"\b(?:mini-?)?batch(?:es)?(?: sizes?)?(?: of)?(?: (?:about|approximately|up to|around))? [~∼$]?\Z", _I),
        unit="tokens",
    ),
    Count("batch_size", _after(r"(?:sequences|samples|examples|images|sentences|pairs) per (?:mini-?)?batch\b"), unit="sequences"),
    Count(
        "training_tokens",
        _after(
            r"(?:training|pre-?training) tokens\b|tokens of (?:training|pre-?training|text|data|web|high-quality|code"
            r"|multilingual|English)\b"
        ),
    ),
    Count("context_length", _after(r"(?:tokens?|sub-?words|word ?pieces)\b(?![- ]level)"), before=_CONTEXT_BEFORE),
    Count(
        "context_length",
        _after(
            r"(?:tokens? )?(?:-?\s?)(?:context (?:length|window|size)s?|tokens? context|context(?=[.,;)])|(?:maximum |max"
            r" )?sequence lengths?|seq(?:uence)? len)\b"
        ),
    ),
    Count("training_tokens", _after(rf"{_ADJECTIVES % 3}tokens\b"), before=_TRAINED),
    Count(
        "vocabulary_size",
        _after(
            r"(?:(?:sub-?word|word|token|wordpiece|BPE|word ?piece|SentencePiece|entry|type|token shared|joint"
            r"|shared)s?[\s-]){0,2}(?:vocabulary|vocab)(?: size)?\b"
        ),
    ),
    Count(
        "embedding_dim",
        _after(
            r"dim(?:ensional|ensions?)? (?:(?:dense|word|sentence|text|GloVe|Word2Vec|fastText|pre-?trained|feature|semantic|output) ){0,3}"
            r"(?:embeddings?|vector space|embedding space)\b"
            r"|dim(?:ensional)? (?:(?:dense|word|sentence|text|GloVe|Word2Vec|fastText|feature|semantic|embedding|real-valued)"
            r" ){1,3}vectors?\b"
            r"|dimensional vectors? of embeddings\b"
        ),
    ),
    Count(
        "hidden_size",
        _after(
            r"(?:dimensional )?(?:hidden (?:size|units?|dimensions?|states?|cells|neurons|dim\b|nodes|layer size"
            r"|representations?)|model dimension|embedding size|embedding dimensions?)\b|d_?model\b"
        ),
    ),
    Count(
        "intermediate_size",
        _after(r"(?:intermediate (?:size|dimension)|(?:FFN|feed-?forward|MLP) (?:hidden )?(?:size|dimension|units|dim))\b"),
    ),
    Count("bits", _after(r"bits?\b(?! per| flip|s? of (?:information|space))")),
    Count(
        "num_classes",
        _after(
            r"(?:(?:object|action|semantic|activity|image|target|output|disease|emotion|scene|fine-grained|sound|event|intent"
            r"|distinct|entity|food|gesture|class) ){0,2}classes\b(?! of)|(?:object|semantic|action|activity|image|scene|event"
            r"|disease|fine-grained|sound|emotion|entity|food) categories\b(?! of)"
        ),
    ),
    Count("training_samples", _after(_EXAMPLES), before=_TRAINED),
    Count("training_samples", _after(r"training (?:samples|examples|images|instances|sentences|pairs)\b")),
    Count("dataset_size", _after(_EXAMPLES), before=_DATA),
    Count("dataset_size", _after(r"(?:word |text |English )?tokens\b"), before=_DATA, unit="tokens"),
    Count(
        "image_size",
        _after(r"(?:pixels?|px)?\s?(?:input )?(?:resolutions?|images?|pixels?|inputs?|crops?)\b"),
    ),
    Count(
        "image_size",
        re.compile(r"", _I),
        before=re.compile(
            r"\b(?:resolutions?|(?:image|input|crop)s?(?: sizes?)?|resized"
            r"|cropped|rescaled|images)(?: (?:of|at|to|with|size|the size of|a size of|is|resolution|the|a|resolution of))* \$?\Z",
            _I,
        ),
    ),
    Count("patch_size", _after(r"(?:pixel |image |non-overlapping )?patch(?:es)?\b|pixel patches")),
    Count(
        "kernel_size",
        _after(
            r"(?:(?:2D|depthwise|standard|dilated|separable|vanilla|regular|spatial|strided|group) ){0,2}(?:conv\w*|kernels?|filters?)\b"
        ),
    ),
    Count(
        "training_time",
        _after(r"(?:(?:NVIDIA )?[AHVT]\d{2,3}(?: GPU)?|H800 GPU|GPU|TPU(?:v\d)?|H800|MI\d{3}X?|core)[\s-]?hours?\b"),
        unit="hours",
    ),
    Count(
        "training_time",
        _after(r"(?:(?:NVIDIA )?[AHVT]\d{2,3}(?: GPU)?|H800 GPU|GPU|TPU(?:v\d)?|H800|MI\d{3}X?|core)[\s-]?days?\b"),
        unit="hours",
        factor=24.0,
    ),
    Count("training_time", _after(r"hours?\b(?! of)"), before=_LASTED, unit="hours", words=True),
    Count("training_time", _after(r"days?\b(?! of)"), before=_LASTED, unit="hours", factor=24.0, words=True),
    Count("training_time", _after(r"weeks?\b(?! of)"), before=_LASTED, unit="hours", factor=168.0, words=True),
    Count("training_compute", _after(r"(?:training )?FLOPs?\b(?!/)")),
    Count("training_compute", _after(r"(?:petaflop/?s?|PF)[\s-]?days\b|petaflop/s-days\b"), factor=8.64e19),
    Count("tensor_parallel", _after(r"(?:way|fold)[\s-](?:tensor|model)[\s-]?(?:model[\s-])?(?:slicing|parallel\w*)\b")),
    Count("pipeline_parallel", _after(r"(?:way[\s-]pipeline[\s-]?(?:model[\s-])?parallel\w*|pipeline stages)\b")),
    Count("data_parallel", _after(r"way[\s-]data[\s-]?parallel\w*\b")),
    Count("expert_parallel", _after(r"way[\s-]expert[\s-]?parallel\w*\b")),
    Count("beam_size", _after(r"beams\b")),
    Count("gradient_accumulation_steps", _after(r"(?:gradient )?accumulation steps\b")),
)
