"""The sources of a volume as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable

from forge_assets.documentation.volume import Source

_ESCAPES = str.maketrans({"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
                          "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"})  # fmt: skip


def bibtex(sources: Iterable[Source]) -> str:
    return "\n".join(_entry(one) for one in sorted(sources, key=lambda one: one.bibtex_key))


def _entry(one: Source) -> str:
    arxiv = one.url is not None and one.url.startswith("https://arxiv.org/abs/")
    fields = {
        "title": "{" + one.title.translate(_ESCAPES) + "}",
        "author": " and ".join(author.translate(_ESCAPES) for author in one.authors),
        "year": str(one.year or ""),
        "howpublished" if arxiv or not one.venue else "journal": one.venue.translate(_ESCAPES),
        "url": (one.url or "").replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C"),
        "note": f"document {one.document_id}" + (f", {one.licence.translate(_ESCAPES)}" if one.licence else ""),
        "language": one.language if one.language != "en" else "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{'misc' if arxiv or not one.venue else 'article'}{{{one.bibtex_key},", *lines, "}"]) + "\n"
