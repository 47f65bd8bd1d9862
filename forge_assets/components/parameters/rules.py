"""The rules of prose as data: what stands between a name and its value, and what a sentence must speak of for a value to count."""

from __future__ import annotations

import re

_I = re.IGNORECASE

CONNECTOR = re.compile(
    r"""\s*(?:\([^()\d]{1,25}\)|\$?\\?[A-Za-z_α-ωϵ]{1,8}\$?(?=\s?(?:=|of|is)))?\s*
    (?:,?\s*(?:which|that)\s)?
    (?:(?:\bis|\bwas|\bare|\bwere|\bbe|\bbeing|has\sbeen|remains?)\s*)?
    (?:(?:also|always|simply|all)\s)?
    (?:(?:set|fixed|initiali[sz]ed|kept|chosen|equal|constant|increased|raised|held|limited|truncated|restricted|capped|selected|tuned|started|starting|annealed|varied|configured|warmed\sup)\s*)?
    (?:(?:to\sbe|to|of|at|as|from|with|in|among|between|equals?|by\sdefault|over|=\s?=|=|:=|:|≈|∼|~|\\approx|\\in|∈|\\sim)\s*)?
    (?:(?:an?|the|about|approximately|around|roughly|up\sto|either|only|exactly|just|fixed|constant|default|values?|default\svalue\sof|value\sof|one\sof|
      maximum\sof|total\sof|sizes?|rates?|
      \\?\{|\[|\(|\$|`|"|'|~|≈|∼|\\sim)\s*)*""",
    re.VERBOSE | _I,
)
STRICT = re.compile(
    r"\s*(?:\((?:[A-Za-z_]{1,8})\))?\s*(?:=|:|(?:is|are|was|were)\s+(?:(?:set|fixed|chosen)\s+(?:to|at|as)\s+)?|(?:set"
    r"|fixed)\s+(?:to|at)\s+)\s*"
    r"(?:\$|\{|\\\{|`)?\s*",
    _I,
)
CHAIN = re.compile(r"\s*\$?\s*(?:,\s*(?:and|or)?|and|or|/|to|–|-|\\,|,\s*\\ldots,|;)\s*\$?\s*", _I)
FREE_END = re.compile(
    r"\s*(?:[.,;:()\]}$|`\"'\n]|\\\}|\Z|(?:and|or|for|respectively|on|in|with|to|when|as|using|at|while|depending|during|by|is|are|was"
    r"|were|we|but|which|per|"
    r"from|after|over|throughout|then|followed|if|where|until|following|across|because|since|since|through|against)\b)",
    _I,
)
UNFIT_UNIT = re.compile(
    r"\s?[*/+]\s?\d|\s?-?\s?(?:°|\\circ|\^\s?\\circ|\$\^|K\b|[kMG]?eV\b|GeV|[kMG]?Hz\b|ms\b|sec|days?\b|hours?\b|minutes?\b|[kKMGT]i?B\b"
    r"|mm\b"
    r"|cm\b|nm\b|µm|times\b|folds?\b"
    r"|x\b|×(?!\s*\d)|dB\b|bits?\b|bytes?\b|degrees?\b|years?\b|kg\b|points?\b|m/s|datasets?\b|models?\b|tasks?\b|methods?\b)"
)
SWEEP = re.compile(
    r"\b(?:sweep|swept|grid|search(?:ed)?|tuned?|range|ranging|var(?:y|ied|ying)|among|candidates?|explored?|ablat\w+|between"
    r"|select(?:ed)? from|chosen from|tried|either)\b"
    r"|\\in\b|∈",
    _I,
)

OF_INPUT = re.compile(
    r"\sof (?:the |all |its |input |image |video )*(?:input |word |image |WordPiece )?(?:tokens|words"
    r"|patches|pixels|input|subwords|frames|spans|positions)\b",
    _I,
)
MASKED = re.compile(OF_INPUT.pattern + r"(?: in [\w ]{1,30})? (?:are|is|were|being) (?:randomly )?masked", _I)
MASKING = re.compile(r"\bmask(?:s|ed|ing)?(?: out)?(?: randomly| about| only)* \Z", _I)
EVERY = re.compile(
    r"(?:\b(?:every|each|per|last|next|first|previous|remaining|top|bottom|stage|phase|step|day"
    r"|figure|table|section|version|fig\.|tab\.)"
    r"|[<>≤≥])\s?\$?\Z",
    _I,
)

COUNT_NAMES = frozenset(
    "layers heads kv_heads parameters active_parameters epochs "
    "training_steps training_tokens experts experts_per_token shared_experts bits num_classes "
    "accelerators training_samples".split()
)
"""Parameters whose names are plain nouns: after the name only "=", ":" or "is" counts, before it the number does."""

NOT_IN_PROSE = frozenset(
    "l dim width depth block weight "
    "context ema layer hardware gpu tp pp dp ep r resolution token step iteration update category categorie vocab param "
    "device classe head beam expert bit seed strides dimension batch bs".split()
) | {
    "training sample",
    "training example",
    "resolution of",
    "of parameter",
    "gradient accumulation",
    "crop size",
    "gpu used",
    "tensor type",
    "input length",
}
"""Names too plain for prose; tables and configurations use them. Counts ("12 layers") have rules of their own."""

_TRAINING = re.compile(
    r"(?:\b|_)(?:train|pre-?train|fine-?tun|optimi[sz]|learning|epoch|adam|sgd|gradient|schedul|converge|update|iteration"
    r"|hyper-?param|warm|batch)",
    _I,
)
_NETWORK = re.compile(
    r"LM\b|\b(?:heads|hidden|network|[A-Z]*NN|[RC]NNs|LSTM|GRU|transformer|BERT|\w*BERT|GPT|\w*net\b|model|encoder|decoder|neural|convol"
    r"|perceptron|MLP|attention|architecture|residual)",
    _I,
)
_QUANT = re.compile(
    r"NNs?\b|\b(?:quanti[sz]|precision|weight|activation|optimi[sz]er|integer|low-?bit|LLM|float|inference|model|compress|network|GPTQ"
    r"|AWQ|QLoRA|GGUF|int\d)",
    _I,
)
_DECODING = re.compile(
    r"\b(?:sampl|decod|generat|softmax|distill|nucleus|top[-_ ]?[pk]\b|contrastive|logit|inference|InfoNCE|NT-Xent|gumbel)", _I
)
_SAMPLING = re.compile(r"\b(?:sampl|decod|generat|nucleus|temperature|greedy|inference)", _I)
_LORA = re.compile(r"\b(?:Q?LoRA|adapter|low-rank adapt|PEFT|DoRA|low rank adapt)", _I)
_ROPE = re.compile(r"\b(?:RoPE|rotary|base frequency|position embedding)", _I)
_MOE = re.compile(r"\b(?:MoE|mixture|sparse|rout|expert layer|gat|Mixtral|Switch)", _I)
_VISION = re.compile(r"\b(?:image|resolution|pixel|ViT|vision|input|crop|resiz|patch)", _I)
_CONV = re.compile(r"\b(?:conv|kernel|filter|pool|CNN)", _I)

GATES: dict[str, re.Pattern[str]] = {
    "learning_rate": _TRAINING,
    "quantization_group_size": re.compile(r"quanti|GPTQ|AWQ|\bbits?\b", _I),
    "momentum": _TRAINING,
    "layers": _NETWORK,
    "training_steps": _TRAINING,
    "bits": _QUANT,
    "temperature": _DECODING,
    "lora_rank": _LORA,
    "lora_alpha": _LORA,
    "lora_dropout": _LORA,
    "rope_theta": _ROPE,
    "experts": _MOE,
    "experts_per_token": _MOE,
    "image_size": _VISION,
    "stride": _CONV,
    "kernel_size": _CONV,
    "epochs": _TRAINING,
    "shared_experts": _MOE,
    "top_k": _SAMPLING,
    "top_p": _SAMPLING,
    "seed": re.compile(r"\bseed (?:of|=|is|was|\d|to|set|:)|\b(?:random|rng|fixed)[- ]seed\b(?!s)", _I),
    "gradient_clip": _TRAINING,
    "beta1": _TRAINING,
    "beta2": _TRAINING,
    "training_time": _TRAINING,
    "heads": re.compile(r"attention|transformer|BERT|GPT|hidden|layers", _I),
    "parameters": re.compile(r"param|size|weights|model|LLM|network|LM\b|scale|variant|version|backbone|transformer", _I),
    "training_tokens": _TRAINING,
}
"""A value of the parameter counts only where its sentence (or its block's heading) speaks of this."""

ONLY_NEURAL = frozenset({"image_size", "num_classes", "bits"})
"""Parameters that only documents about neural models state: others speak of cameras, classes of objects and words of machines."""

VETOES: dict[str, re.Pattern[str]] = {
    "top_k": re.compile(r"\b(?:expert|MoE|rout|retriev|accuracy)", _I),
    "bits": re.compile(
        r"\b(?:measurement models?|fringes?|compress(?:ed|ive) sensing|hash|codes?\b|encrypt|secret keys?|key (?:length|size|exchange)"
        r"|adder|processor|datapaths?|RISC-V|FPGA board|ADC|DAC|microcontroller|RSA|colou?r"
        r"|gr[ae]y|CPU|register|entropy|bits? of (?:information|space|memory|randomness)|security|cipher|bits? per (?:pixel"
        r"|character|second|byte|sample|channel)|communicat|x86|operating|Windows|Ubuntu)",
        _I,
    ),
    "training_steps": re.compile(
        r"\b(?:time[- ]?steps|denois|diffusion steps|sampling|reasoning steps|inference steps|NFE|simulat|walk|ddim)", _I
    ),
    "experts": re.compile(r"\b(?:human|domain|medical|clinical|annotat\w*|judg\w*) experts?|experts? (?:annot|judg|in|from|who)", _I),
    "beta1": re.compile(r"\bVAE|KL\b|noise schedule|diffusion", _I),
    "beta2": re.compile(r"\bVAE|KL\b|noise schedule|diffusion", _I),
    "num_classes": re.compile(r"\b(?:complexity|equivalence|conjugacy|students?|school|course|three classes of|java|UML)\b", _I),
    "epochs": re.compile(r"\b(?:EEG|sleep|historical|30[- ]?s(?:ec)?|light curve|astronom|supernova)", _I),
    "context_length": re.compile(r"\b(?:protein|genom|DNA|RNA|peptide|amino)\b(?!.{0,80}\b(?:model|transformer|token))", _I),
    "stride": re.compile(r"\b(?:gait|walking|stride length|runner)", _I),
    "momentum": re.compile(r"\b(?:angular|linear momentum|transverse|GeV|particle|stock|trading|investor|quantum|collision|fluid)", _I),
}


RATES = frozenset(
    "learning_rate dropout momentum weight_decay label_smoothing attention_dropout warmup_ratio mask_ratio batch_size hidden_size".split()
)
"""Parameters whose number may stand before the name, too: "0.1 dropout"."""
PERCENT = frozenset(
    "dropout attention_dropout warmup_ratio warmup_steps mask_ratio label_smoothing drop_path rotary_fraction top_p lora_dropout".split()
)
