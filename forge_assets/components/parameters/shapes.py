"""Counts that tell the shape and the size of a model: layers, heads, experts, parameters, widths, kernels, classes, bits."""

from __future__ import annotations

import re

from forge_assets.components.parameters.counting import Count, after, before

_KINDS = (
    r"(?:hidden|convolution(?:al)?|conv|fully|connected|fully-connected|dense|transformer|transform|encoder|decoder|Bi-?LSTM|LSTM|GRU|RNN"
    r"|recurrent|attention|self-attention|stacked|residual|linear|neural|network|deep|feed-?forward|graph|GCN|GNN|weight|trainable|total"
    r"|CNN"
    r"|bi-?directional|Mamba|identical|model|MoE|conformer|ResNet|SSM|pooling|spiking|learnable|unidirectional|causal|self|depth|dilated"
    r"|parameteri[sz]ed|backbone|nonlinear|additional|BERT|ViT)"
)
_NO_KIND = (
    r"(?:different|other|more|fewer|of|such|these|those|top|bottom|last|first|separate|consecutive|or|and|to|in|with|the|long|times|out)\b"
)
_LAYERS = (
    rf"(?:{_KINDS}[\s-]){{0,3}}(?:(?!{_NO_KIND})[a-z]+(?:-[a-z]+)?[\s-])?layers?\b(?![\s-]?norm)(?![\w\s-]{{0,30}}\bneurons)"
    r"(?! (?:of|per|at|in) (?:defen|protect))|(?:transformer|encoder|decoder|residual|conformer|attention)[\s-]blocks\b"
)
_NETWORKS = (
    r"(?:(?:neural |feed-?forward |deep |fully connected )?(?:networks?|Bi-?LSTM|LSTM|CNN|RNN|MLP|perceptron|transformer|GRU|encoder"
    r"|decoder"
    r"|(?:[\w-]+ )?(?:generator|discriminator)|classifier|model|architecture|GNN|GCN|ViT|autoencoder|head))s?\b"
)
_FEW_LAYERS = rf"(?:{_KINDS}[\s-]){{1,3}}layers\b|(?:hidden[\s-])?layer(?:ed)?\s(?:\w+\s)?{_NETWORKS}"

_OF_PARAMETERS = (
    r"(?:(?:trainable|learnable|model|total|non-embedding|tunable|free|language[- ]model|additional|extra|new|learned|training|network"
    r"|adjustable"
    r"|dense)[\s-]){0,2}"
)
_NO_MODEL = (
    r"(?:of|and|or|to|in|for|the|with|on|an?|per|is|are|was|were|by|from|that|which|at|as|than|tokens?|samples|images|context|vocabulary"
    r"|more|fewer"
    r"|other)\b"
)
_MODELS = (
    r"(?:models?|LLMs?|[SV]?LMs?|MLLMs?|VLAs?|LMMs?|variants?|versions?|transformers?|baselines?|checkpoints?|backbones?|networks?"
    r"|DiTs?|policy)"
)
_MODEL = (
    rf"(?:(?:(?!{_NO_MODEL})[A-Za-z][\w./-]*[\s-]){{0,3}}?{_MODELS}|(?:model |parameter )?(?:scales?|sizes?|class))\b"
    r"(?!\s(?:data|corp|benchmark))"
)
_NO_NAME = re.compile(
    r"(?:\A|(?:\A|[\s(])(?!(?:llama|qwen|gpt|mistral|gemma|phi)\b)(?:[a-z][a-z-]*,?|[AI]n?|The|Our|With|For|Using|From|Both)\s|[(/~≈∼]"
    r"|\s[-–]+\s?)"
    r"\$?\Z"
)
_SIZED = (
    rf"\b(?:{_MODELS}|(?:model|parameter) (?:sizes?|scales?|counts?)|parameters)(?:\s?[,(:{{\[]|\s?\b(?:ranging|sizes?|scales?|scaled"
    rf"|scaling|of|in|from"
    r"|at|up|to|between|with|as|large|small|and|the|greater|larger|smaller|less|than|only|just|about|over|around|approximately"
    r"|beyond)\b){1,6}\s?"
)
_DIMENSIONS = r"(?:-?dim(?:ensions?|ensional)?\b|-?d\b)(?! (?:space|grid|array|problem))"
_HIDDEN = (
    r"dimensions? of (?:the )?hidden (?:states?|layers?)\b|hidden(?=[,;)]|\s*$)|(?:dimensional )?(?:hidden (?:size|units?|dimensions?"
    r"|states?|cells"
    r"|neurons|dim\b|nodes|layer size|representations?)|model dimension|embedding size|embedding dimensions?)\b|d_?model\b"
)
_VECTORS = (
    r"dim(?:ensional|ensions?)? (?:[A-Za-z][\w-]+ ){0,3}?(?:embeddings?|vector space|embedding space)\b|dim(?:ensional)? (?:(?:dense|word"
    r"|sentence"
    r"|text|GloVe|Word2Vec|fastText|feature|semantic|embedding|real-valued) ){1,3}vectors?\b|dimensional vectors? of embeddings\b"
)
_CLASSES = (
    r"(?:(?:object|action|semantic|activity|image|target|output|disease|emotion|scene|fine-grained|sound|event|intent|distinct|entity"
    r"|food|gesture"
    r"|class) ){0,2}classes\b(?! of)|(?!of|more|fewer|other|new|novel|base|unseen|equivalence|conjugacy"
    r"|different)[a-z-]+ classes\b(?! of)|(?:object|semantic|action|activity|image|scene|event|disease|fine-grained|sound|emotion|entity"
    r"|food)"
    r" categories\b(?! of)|(?:class|category) (?:classif|problem|data ?set|task|segment)"
)
_FILTERS = r"(?:(?:2D|depthwise|standard|dilated|separable|vanilla|regular|spatial|strided|group) ){0,2}(?:conv\w*|kernels?|filters?)\b"

SHAPES: tuple[Count, ...] = (
    Count("kv_heads", after(r"(?:KV|key[-/ ]?value|key and value|K/V)[\s-]heads?\b")),
    Count(
        "heads",
        after(r"(?:parallel )?(?:(?:self-?)?attention|query|Q)[\s-](?:heads?)\b|head(?:ed)? (?:self-|multi-head )?attention\b"),
        words=True,
    ),
    Count("heads", after(r"heads\b")),
    Count(
        "experts_per_token",
        after(
            r"(?:(?:are |is )?(?:active|activated|selected) experts|experts? (?:(?:are |is )?(?:active|activated|selected)|per token"
            r"|for each token))"
        ),
    ),
    Count("shared_experts", after(r"shared experts?\b"), words=True),
    Count("experts", after(r"(?:(?:routed|fine-grained|total|feed-forward|sparse|FFN|small|local) ){0,2}experts\b"), words=True),
    Count("layers", after(_LAYERS)),
    Count("layers", after(_FEW_LAYERS), words=True),
    Count(
        "layers",
        after(r"layers\b(?! of| for)"),
        before=before(r"\b(?:with|has|have|having|of|contains?|containing|comprising|comprises)(?: (?:just|only|exactly))? "),
        words=True,
    ),
    Count(
        "active_parameters",
        after(
            r"(?:active|activated) (?:model )?(?:parameters?|params?)\b|(?:parameters?|params?)? ?(?:are |is )?(?:active"
            r"|activated)(?: parameters?)?"
            r"(?: per| for| during)\b"
        ),
    ),
    Count(
        "active_parameters",
        after(r"(?:parameters|params)\b"),
        before=before(r"\bactivat(?:es|ing|e|ed)(?: (?:only|about|around|approximately|just|up to))? "),
    ),
    Count(
        "parameters",
        after(
            rf"{_OF_PARAMETERS}(?:parameters?|params?)\b(?!\s+(?:active|activated|are activ))(?!\s(?:reduc|sav|overhead|bits?|updates?"
            rf"|groups?"
            r"|settings?|combin|choices|values?))"
        ),
    ),
    Count("parameters", after(_MODEL), before=_NO_NAME, scale=1e6),
    Count("parameters", re.compile(r"(?=\s?[),;])"), before=re.compile(r"[A-Z][\w.-]*\s\(~?\Z"), scale=1e9),
    Count("parameters", re.compile(r"(?=\s?(?:[),;.:\]}]|and\b|or\b|to\b|in\b|with\b|–|-+\d))"), before=before(_SIZED), scale=1e6),
    Count("embedding_dim", after(_VECTORS)),
    Count("hidden_size", after(_HIDDEN)),
    Count("hidden_size", after(r"dim(?:ensional)? (?:self-)?attention\b")),
    Count("intermediate_size", after(r"dim(?:ensional)? (?:feed-?forward|FFN|MLP)\b")),
    Count(
        "hidden_size",
        after(r"(?:(?:hidden |feature )?channels?|dimensions?)\b(?! (?:embedding|vector))"),
        before=before(r"\blayers?\b[^.;()]{0,20} "),
    ),
    Count("embedding_dim", after(_DIMENSIONS), before=before(r"\bembedding\w*\b[^.;]{0,70}")),
    Count(
        "intermediate_size",
        after(r"(?:intermediate (?:size|dimension)|(?:FFN|feed-?forward|MLP) (?:hidden )?(?:size|dimension|units|dim))\b"),
    ),
    Count("bits", after(r"bits?\b(?! per (?!weight|param|value|element|activation|dim)| flip|s? of (?:information|space))")),
    Count("num_classes", after(_CLASSES)),
    Count("image_size", after(r"(?:pixels?|px)?\s?(?:input )?(?:resolutions?|images?|pixels?|inputs?|crops?)\b")),
    Count(
        "image_size",
        re.compile(r""),
        before=before(
            r"\b(?:resolutions?|(?:image|input|crop)s?(?: sizes?)?|resized|cropped|rescaled|images)(?: (?:of|at|to|with|size|the size of"
            r"|a size of|is"
            r"|resolution|the|a|resolution of))* "
        ),
    ),
    Count("image_size", re.compile(r"(?!\d)"), before=before(r"\bresolution[^.;]{0,60}\b(?:from|to|at|of|and|,) ")),
    Count("patch_size", after(r"(?:pixel |image |non-overlapping )?patch(?:es)?\b|pixel patches")),
    Count("kernel_size", after(_FILTERS)),
)
"""In order: the first that fits a number tells its parameter."""
