"""A process that reads documents by the rules: the ontology comes first, then tasks on stdin; answers go out on stdout.

`readers.py` starts it, feeds it and buries it. Texts are the product's own and rules are regular expressions, so there is no sandbox;
what a rule raises is the answer for that document alone. Frames as in forge_assets.corpus.worker.
"""

from __future__ import annotations

import os
import signal
import sys

from forge_assets.components.answer import answer
from forge_assets.components.extraction import Extractor
from forge_assets.corpus.worker import read_frame, write_frame


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks = sys.stdin.buffer
    try:
        extractor = Extractor(read_frame(tasks))
        while True:
            write_frame(answers, [answer(extractor, given) for given in read_frame(tasks)])
    except (EOFError, BrokenPipeError):
        os._exit(0)


if __name__ == "__main__":
    main()
