"""One TeX text out of several files: what the main file inputs is put in its place, from the given files only, within bounds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from forge_assets.corpus.problems import problem

MAX_DEPTH = 15
MAX_INPUTS = 2_000
MAX_CHARACTERS = 20_000_000
_INPUT = re.compile(
    r"\\(?P<kind>input|include|subfile|subfileinclude|InputIfFileExists)(?![A-Za-z@])\s*(?:\{\s*(?P<braced>[^{}\\#%\n]+?)\s*\}|(?P<bare>[^\s{}\\%#$&]+))"
    r"|\\(?:sub)?(?P<import>import|inputfrom|includefrom)\*?\s*\{\s*(?P<folder>[^{}\\#%\n]*?)\s*\}\s*\{\s*(?P<file>[^{}\\#%\n]+?)\s*\}"
    r"|\\verb\*?(?P<bar>[^A-Za-z*\s]).*?(?P=bar)"
    r"|\\begin\{(?P<verbatim>verbatim|lstlisting|minted|Verbatim|alltt|comment)\*?\}.*?\\end\{(?P=verbatim)\*?\}",
    re.S,
)
_BODY = re.compile(r"\\begin\{document\}(.*?)(?:\\end\{document\}|\Z)", re.S)
_END = re.compile(r"^[^%\n]*?\\endinput\b", re.M)
_BIBLIOGRAPHY = re.compile(r"^[^%\n]*?\\(?:bibliography\s*\{|printbibliography)", re.M)


class Sources:
    """The files of an e-print by their paths, seen from the file `main`."""

    def __init__(self, texts: dict[str, str], main: str, name: str) -> None:
        self._texts, self._main, self._name = texts, main, name
        self._by_lower = {path.lower(): path for path in sorted(texts, reverse=True)}
        self._inputs = self._characters = 0

    def inlined(self) -> str:
        """The whole text. Raises DocumentProblem 'unsafe' where inputs unfold without end."""
        self._inputs = self._characters = 0
        return self._whole(self._main, "", (self._main,))

    def direct(self, text: str) -> Iterator[str]:
        """The files that a text inputs itself."""
        for found in _INPUT.finditer(text):
            if not _commented(text, found.start()) and (path := self._target(found, self._main, "")) is not None:
                yield path

    def bibliography(self) -> str | None:
        """The reference list that belongs to the main file, unless a text holds one of its own."""
        lists = sorted(path for path in self._texts if path.lower().endswith(".bbl"))
        if not lists or any("\\begin{thebibliography}" in text for path, text in self._texts.items() if path not in lists):
            return None
        own = f"{posixpath.splitext(self._main)[0]}.bbl"
        asks = any(_BIBLIOGRAPHY.search(text) for text in self._texts.values())
        return own if own in lists else lists[0] if asks else None

    def _whole(self, path: str, folder: str, above: tuple[str, ...]) -> str:
        text = self._texts[path]
        if (end := _END.search(text)) is not None:
            text = text[: end.end() - len("\\endinput")]
        if len(above) > 1 and (body := _BODY.search(text)) is not None:
            text = body[1]
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise problem("unsafe", f"{self._name} inputs files to more than {MAX_CHARACTERS / 1e6:.0f} million characters")
        out, position = [], 0
        for found in _INPUT.finditer(text):
            if _commented(text, found.start()):
                continue
            target = self._target(found, path, folder)
            if target is None or target in above or len(above) > MAX_DEPTH:
                continue
            self._inputs += 1
            if self._inputs > MAX_INPUTS:
                raise problem("unsafe", f"{self._name} inputs files more than {MAX_INPUTS} times")
            below = posixpath.dirname(target) if found["import"] else folder
            out += [text[position : found.start()], "\n", self._whole(target, below, (*above, target)), "\n"]
            position = found.end()
        return "".join([*out, text[position:]])

    def _target(self, found: re.Match[str], path: str, folder: str) -> str | None:
        """The file that is meant: as TeX seeks it, from the top, then from where the main file, the importer or the file itself lies."""
        asked = posixpath.join(found["folder"] or "", found["file"]) if found["import"] else found["braced"] or found["bare"]
        if not asked:
            return None
        asked = asked.strip("\"' ")
        for base in dict.fromkeys(("", posixpath.dirname(self._main), folder, posixpath.dirname(path))):
            place = posixpath.normpath(posixpath.join(base, asked))
            for candidate in (f"{place}.tex", place, f"{place}.ltx"):
                if (hit := candidate if candidate in self._texts else self._by_lower.get(candidate.lower())) is not None:
                    return None if hit.lower().endswith(".bbl") else hit
        return None


def _commented(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return re.search(r"(?<!\\)(?:\\\\)*%", line) is not None
