"""Noun phrases by closed word lists, without a tagger: where one ends, what its head is, whether words look like a name."""

from __future__ import annotations

import re
from functools import lru_cache

from forge_assets.components.folding import singular

# Words that end a noun phrase.
BREAKS = frozenset(
    "a an the this that these those which who whose whom what where when while whereas because since if then than as so such "
    "and or but nor yet both either "
    "neither not no of for to with without in on at by from into onto over under via using through during between among "
    "across against toward towards "
    "within upon per about is are was were be been being am has have had having do does did can could may might must shall "
    "should will would cannot we "
    "our us i my it its they their them he she his her you your one each every any some all most many much more less few "
    "several other another same also "
    "only even just very too here there how why whether however moreover furthermore thus hence therefore namely called "
    "named dubbed termed based used "
    "uses use using achieves achieve outperforms improves reduces allows enables provides performs requires learns generates "
    "combines consists "
    "called inspired capable able designed aims aimed given trained applied et al e.g i.e etc".split()
)
# Adjectives that describe and do not name.
GENERIC = frozenset(
    "novel new simple efficient effective general generic unified powerful fast faster improved better robust practical "
    "scalable flexible lightweight "
    "first large small principled elegant straightforward original alternative different various innovative promising modern recent "
    "state-of-the-art complete comprehensive full specific particular certain proposed following existing previous current "
    "fully highly computationally "
    "conceptually easy easily easy-to-use plug-and-play end-to-end open open-source two three four second third further "
    "successful possible common "
    "standard popular main key important well-known so-called".split()
)
# Heads that say nothing of the slot by themselves.
VAGUE_HEADS = frozenset(
    "method approach framework algorithm model technique system scheme procedure strategy solution architecture mechanism "
    "pipeline tool paradigm "
    "methodology module component extension variant family class formulation version idea concept way set type kind study "
    "work paper".split()
)
# Heads of names of techniques.
TECHNIQUE_HEADS = VAGUE_HEADS | frozenset(
    "network net convolution attention normalization normalisation optimizer optimiser optimization optimisation loss "
    "objective function activation unit "
    "layer block transformer autoencoder encoder decoder embedding encoding tokenizer tokenization sampling sampler search "
    "decoding regularization dropout "
    "regularizer pooling pruning quantization distillation initialization initialisation schedule scheduler learning "
    "training pretraining pre-training "
    "tuning fine-tuning adaptation adapter parallelism checkpointing kernel gradient descent momentum update rate annealing "
    "averaging smoothing augmentation "
    "mixing memory cache caching routing router gating gate mixture expert residual connection recurrence machine field "
    "process policy estimation "
    "estimator inference propagation backpropagation modeling modelling masking matching alignment contrast contrastive "
    "classifier detector generator "
    "discriminator retrieval ranking reranking clustering classification segmentation detection recognition parsing translation hashing "
    "factorization decomposition projection transform regression boosting bagging forest tree walk flow diffusion gan vae "
    "lstm gru rnn cnn bert gpt "
    "benchmark dataset corpus metric score test library toolkit engine protocol minimization maximization optimum bound "
    "prior representation "
    "aggregation fitting parameterization reparameterization rotation position bias head softmax "
    "sparsity compression accumulation reduction sharding offloading batching prompting  "
    "reasoning".split()
)
# Heads of fields and families, too broad to make a name of the words before them.
BROAD_HEADS = frozenset(
    "network net learning training transformer data feature embedding prior language search optimization planning".split()
)
# Heads of tasks: "image classification" is what a technique is for.
TASK_HEADS = frozenset(
    "classification segmentation detection recognition translation retrieval parsing inference estimation modeling modelling tracking "
    "ranking matching "
    "reasoning clustering policy process field machine metric score test".split()
)
_COMMON_TITLES = frozenset(
    "introduction survey review overview tutorial note notes report reply comment comments editorial beyond towards toward "
    "understanding learning deep "
    "analysis attention language vision robots robot data science games game image images video videos speech machine "
    "intelligence ai nlp ml cv iot uav "
    "covid covid-19 web music art health education privacy fairness security ethics law physics biology medicine part "
    "chapter lecture evaluation challenge "
    "workshop proceedings preface foreword case study research report position paper perspective opinion discussion response "
    "correction erratum "
    "preliminary technical theory practice results experiments simulation internet cloud big smart social mobile human "
    "humans people why what how when "
    "where who is are can do does should will from to on in the a an less more one two three all good bad old new first last "
    "small large wikipedia "
    "twitter facebook google english chinese arabic german french hindi python matlab java usa us uk eu un".split()
)
_ORDINARY = re.compile(
    r"(?:ing|tions?|ments?|ity|ness|ics|ism|ance|ence|ship|ology|graphy|ful|less|able|ible|ous|ive|ally|edly|wards?|ures?|age)\Z"
)
_WORD = re.compile(r"[^\s,;:()\[\]\"“”{}<>!?]+")


def proper(word: str) -> bool:
    """Whether a word is shaped like a name that someone made up: a capital inside, all capitals, or letters with digits."""
    core = word.strip("-.'*_`")
    if len(core) < 2 or not core[0].isalnum() or core.replace(".", "").isdigit():
        return False
    if core.endswith("s") and core[:-1].isupper() and len(core) == 2:
        return False
    inner = any(letter.isupper() for part in core.split("-") for letter in part[1:])
    mixed = any(letter.isdigit() for letter in core) and any(letter.isupper() for letter in core)
    return inner or mixed


def common(word: str) -> bool:
    """Whether a word stands in one of the lists of this module, whatever its letters' case."""
    low = word.lower().strip(".'*_`")
    return low in _COMMON_TITLES or low in BREAKS or low in GENERIC or singular(low) in TECHNIQUE_HEADS


@lru_cache(maxsize=1 << 14)
def ordinary(word: str) -> bool:
    """Whether a capitalised word is probably an ordinary word and no name."""
    return common(word) or _ORDINARY.search(word.lower()) is not None


def head(text: str, start: int, end: int) -> str | None:
    """The last one to three words of the first noun phrase in text[start:end], in small letters, without generic adjectives."""
    phrase = first_phrase(text, start, end)
    return " ".join(word.lower() for word in phrase.split()[-3:]) if phrase else None


def first_phrase(text: str, start: int, end: int) -> str | None:
    """The first noun phrase in text[start:end] without its article and generic adjectives; None where there is none."""
    span = phrase_span(text, start, end)
    return text[span[0] : span[1]] if span else None


def phrase_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the first noun phrase of text[start:end] stands; a phrase has at most seven words."""
    first = last = -1
    count = 0
    for found in _WORD.finditer(text, start, end):
        word = found[0].rstrip(".'’")
        low = word.lower()
        if first >= 0 and text[last : found.start()].strip():
            break
        if low in BREAKS or low in GENERIC and first < 0 or not word or not (word[0].isalnum()):
            if first >= 0:
                break
            if low not in BREAKS and low not in GENERIC or found.start() - start > 60:
                return None
            continue
        if first >= 0 and low.endswith("ly"):
            break
        if first < 0:
            if text[start : found.start()].strip(" \n\t,:-–") and not _only_openers(text[start : found.start()]):
                return None
            first = found.start()
        last = found.start() + len(word)
        count += 1
        if count == 7 or found[0] != word and found[0].endswith("."):
            break
    return (first, last) if first >= 0 else None


def _only_openers(text: str) -> bool:
    return all(word.lower() in BREAKS or word.lower() in GENERIC for word in _WORD.findall(text))
