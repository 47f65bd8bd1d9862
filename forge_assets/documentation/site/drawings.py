"""Drawings of a volume as SVG files: only shapes and text stay, nothing that runs, loads or leads away."""

from __future__ import annotations

import hashlib
import re

from lxml import etree  # type: ignore[import-untyped]

from forge_assets.documentation.volume import Figure

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    "svg g path rect circle ellipse line polyline polygon text tspan title desc defs marker linearGradient "
    "radialGradient stop clipPath use".split()
)
_ATTRIBUTE = re.compile(r"[a-zA-Z][a-zA-Z-]*\Z")
_BAD_VALUE = re.compile(r"(?i)url\s*\((?!\s*['\"]?#)|javascript:|data:|expression|@import|\\")


def cleaned(svg: str) -> bytes | None:
    """The drawing with allowed elements and attributes alone; None where it is no SVG."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(svg.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return None
    if root.tag not in (f"{{{_SVG}}}svg", "svg"):
        return None
    for element in list(root.iter()):
        name = element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
        if name not in _ELEMENTS:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
            continue
        for key, value in list(element.attrib.items()):
            local = key.rsplit("}", 1)[-1]
            leads_away = local == "href" and not str(value).startswith("#")
            if not _ATTRIBUTE.match(local) or local.lower().startswith("on") or leads_away or _BAD_VALUE.search(str(value)):
                del element.attrib[key]
    made: bytes = etree.tostring(root, encoding="utf-8")
    return made if b"xmlns" in made[:400] else made.replace(b"<svg", f'<svg xmlns="{_SVG}"'.encode(), 1)


def name_of(figure: Figure) -> str:
    """Of its file, by what it shows."""
    return f"{hashlib.sha256(figure.svg.encode('utf-8', 'replace')).hexdigest()[:16]}.svg"


_SAID = '<text x="8" y="25" font-family="sans-serif" font-size="13">This drawing is no SVG.</text>'
NONE = f'<svg xmlns="{_SVG}" viewBox="0 0 320 40">{_SAID}</svg>'.encode()
