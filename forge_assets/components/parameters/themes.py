"""What a document is about, so far as it decides what its numbers mean: neural models, or data to learn and measure by."""

from __future__ import annotations

import re
from functools import cached_property

_NEURAL = re.compile(
    r"[Nn]eural|\b[Dd]eep[ -]|NN\b|NNs\b|\b[Nn]ets?\b|(?:Res|Dense|Mobile|Efficient|Alex|U-?|Retina|Seg)Nets?\b|[Nn]etworks?\b|LSTM"
    r"|[Tt]ransformer"
    r"|L[LM]Ms?\b|[VS]LMs?\b|BERT|GPT|[Ll]anguage[ -][Mm]odel|[Ff]oundation [Mm]odel|T2I|[Pp]re-?train|[Ff]ine-?tun|[Dd]iffusion|[Ee]ncoder"
    r"|[Ee]mbedding|[Cc]onvolution|[Aa]ttention|GANs?\b|YOLO|[Gg]enerative|[Ss]elf-supervised|[Rr]epresentation learning"
    r"|[Rr]einforcement learning"
    r"|[Ee]nd-to-end|[Cc]heckpoint|[Tt]okenizer|[Qq]uanti[sz]|torch|batch_size"
)
_DATA = re.compile(r"[Dd]ata ?sets?\b|[Bb]enchmark|[Cc]orp(?:us|ora)\b|[Dd]atabases?\b")
_CLASSICAL = re.compile(
    r"SVMs?\b|[Ss]upport vector|[Nn]earest[ -]neighbou?r|[Dd]ecision trees?|[Rr]andom forest|[Bb]oosting|Bayes|HMMs?\b|Markov|[Kk]ernel"
    r"|CRFs?\b"
    r"|[Cc]onditional random|k-means|PCA\b|SIFT|HOG\b|[Bb]ag[ -]of|[Gg]enetic algorithm|[Rr]egression|[Oo]ntolog|[Tt]reebank"
    r"|[Ll]exic(?:on|al)|[Mm]orpholog"
)


class Theme:
    """The theme of a text, looked for when it is first asked for: most texts state nothing that depends on it."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def neural(self) -> bool:
        """Whether the text speaks of neural models."""
        return _NEURAL.search(self._text) is not None

    @cached_property
    def learnt(self) -> bool:
        """Whether what it counts may be data of models: it speaks of neural ones, or of a data set and neither of other methods nor of
        what linguists make."""
        return self.neural or (_DATA.search(self._text) is not None and _CLASSICAL.search(self._text) is None)
