"""E-prints of arXiv -> Parsed: the main TeX file with what it inputs, the reference list beside it, or the PDF that was sent in."""

from __future__ import annotations

import json
import posixpath
import re

from forge_assets.corpus.model import Parsed
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.decoding import decode
from forge_assets.corpus.readers.eprint_inline import Sources
from forge_assets.corpus.readers.eprint_members import unpack
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.readers.sniff import Kind
from forge_resources.errors import DocumentProblem

_CLASS = re.compile(r"^[^%\n]*?\\document(?:class|style)\s*(?:\[[^\]]*\])?\s*\{\s*([^}]*?)\s*\}", re.M)
_PARTS = frozenset({"subfiles", "standalone"})
_PLAIN_TEX = re.compile(r"^[^%\n]*\\(?:bye|magnification|input|end|centerline|section|title)\b", re.M)
_USAGE = re.compile(
    r"filename:\s*[\"']?([^\s\"']+)\s+usage:\s*[\"']?(\w+)|usage:\s*[\"']?(\w+)[\"']?\s+filename:\s*[\"']?([^\s\"']+)", re.S
)
_LIKELY = ("main", "ms", "paper", "article", "arxiv", "manuscript")
_WITHDRAWN = re.compile(r"\bwithdr(?:awn|ew|awal)\b", re.I)
_SHORT = 2_000


def read_eprint(data: bytes, kind: Kind, name: str, limits: Limits) -> Parsed:
    """Raises DocumentProblem: empty, no_text (withdrawn), no_reader (PostScript, no TeX), broken, too_large, unsafe."""
    members = unpack(data, name, limits)
    if isinstance(members, bytes):
        members = {"main.tex": members}
        only = members["main.tex"]
        if not only.strip(b"\x00 \t\r\n\x0c"):
            raise problem("empty", f"{name} is an e-print without content: the paper has been withdrawn, or its source is not given out")
        if b"%PDF-" in only[:1024]:
            return _pdf(only, name, limits)
        if only.startswith(b"%!PS"):
            raise problem("no_reader", f"{name} is a PostScript file; there is no reader for it")
    texts = {path: _decoded(content, path) for path, content in members.items() if content and not path.lower().endswith(".pdf")}
    main = main_file(texts)
    if main is None:
        return _without_tex(members, name, limits)
    if _is_withdrawn(texts, main):
        raise problem("no_text", f"{name} holds only a note that the paper has been withdrawn")
    return _tex(texts, main, name, limits)


def _tex(texts: dict[str, str], main: str, name: str, limits: Limits) -> Parsed:
    from forge_assets.corpus.readers import latex

    sources = Sources(texts, main, name)
    parsed = latex.read_latex(b"", Kind("latex", sources.inlined()), name, limits)
    if (path := sources.bibliography()) is not None:
        references = latex.read_bibliography(b"", Kind("bbl", texts[path]), name, limits)
        if references.title:
            parsed.elements += references.elements
    if len(texts) > 1:
        parsed.metadata = {**parsed.metadata, "main_file": main}
    return parsed


def _without_tex(members: dict[str, bytes], name: str, limits: Limits) -> Parsed:
    pdfs = sorted((path for path, content in members.items() if b"%PDF-" in content[:1024]), key=lambda path: (-len(members[path]), path))
    if pdfs and not any("/" not in path and path.lower().endswith((".tex", ".ps")) for path in members):
        return _pdf(members[pdfs[0]], name, limits)
    if any(path.lower().endswith((".ps", ".eps", ".ps.gz")) for path in members):
        raise problem("no_reader", f"{name} is an archive of PostScript; there is no reader for it")
    raise problem("no_reader", f"{name} is an archive of {len(members)} files without a TeX document; there is no reader for it")


def _pdf(data: bytes, name: str, limits: Limits) -> Parsed:
    from forge_assets.corpus.readers import paged

    return paged.read_pdf(data, Kind("pdf"), name, limits)


def _decoded(data: bytes, path: str) -> str:
    try:
        return decode(data, path).replace("\r\n", "\n").replace("\r", "\n")
    except DocumentProblem:
        return data.decode("latin-1").replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def main_file(texts: dict[str, str]) -> str | None:
    """The file that TeX would be started with; None where no file is a TeX document."""
    usage = _usage(texts)
    open_to = {path: text for path, text in texts.items() if usage.get(path) not in ("ignore", "include")}
    classes = {path: found[1] for path, text in open_to.items() if (found := _CLASS.search(text))}
    whole = [path for path, name in classes.items() if name not in _PARTS] or list(classes)
    if not whole:
        whole = [path for path, text in texts.items() if path.lower().endswith((".tex", ".ltx", ".latex")) and _PLAIN_TEX.search(text)]
        whole = whole or ["main.tex"] * (list(texts) == ["main.tex"])
    inputs = {target for path, text in texts.items() for target in Sources(texts, path, path).direct(text) if target != path}
    whole = [path for path in whole if path not in inputs] or whole

    def rank(path: str) -> tuple[object, ...]:
        text, stem = texts[path], posixpath.splitext(path)[0]
        named = posixpath.basename(stem).lower()
        return (
            usage.get(path) == "toplevel",
            "\\begin{document}" in text,
            bool(re.search(r"\\(?:title|maketitle|begin\{abstract\}|abstract)\b", text)),
            f"{stem}.bbl" in texts,
            -path.count("/"),
            named in _LIKELY,
            not re.search(r"suppl|appendix|response|rebuttal|cover|template", named),
            len(text),
            path,
        )

    return max(whole, key=rank, default=None)


def _usage(texts: dict[str, str]) -> dict[str, str]:
    """What 00README says of the files: 'toplevel', 'ignore' or 'include'."""
    usage: dict[str, str] = {}
    for path, text in texts.items():
        base = posixpath.basename(path).lower()
        if not base.startswith("00readme"):
            continue
        if base.endswith(".json"):
            usage.update(_usage_of_json(text))
        elif base.endswith((".yaml", ".yml")):
            usage.update((a or d, b or c) for a, b, c, d in _USAGE.findall(text))
        else:
            usage.update((words[0], words[1].removesuffix("file")) for line in text.splitlines() if len(words := line.split()) >= 2)
    return usage


def _usage_of_json(text: str) -> dict[str, str]:
    try:
        sources = json.loads(text).get("sources", [])
        return {str(one["filename"]): str(one.get("usage", "")) for one in sources}
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return {}


def _is_withdrawn(texts: dict[str, str], main: str) -> bool:
    text = texts[main]
    return len(text) < _SHORT and len(texts) == 1 and "\\begin{document}" not in text and bool(_WITHDRAWN.search(text))
