"""XML in all its dresses, and web pages: entities, external files, scripts, depth, size."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.cases import MARKER, SENTENCE, Bait, Case, case

ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
JATS = "<front><article-meta><title-group><article-title>Title of it</article-title></title-group></article-meta></front>"


def _bodies() -> dict[str, str]:
    """A sound document of each XML format with @ where the text goes."""
    return {
        "feed.atom": f"<feed {ATOM}><title>F</title><entry><id>http://x.org/1</id><title>T</title><summary>@</summary></entry></feed>",
        "entry.atom": f"<entry {ATOM}><id>http://x.org/2</id><title>T</title><summary>@</summary></entry>",
        "paper.nxml": f"<article>{JATS}<body><sec><title>S</title><p>@</p></sec></body></article>",
        "book.xml": '<book xmlns="http://docbook.org/ns/docbook"><title>B</title><chapter><title>C</title><para>@</para></chapter></book>',
        "page.xhtml": "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>T</title></head><body><p>@</p></body></html>",
        "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'><text>@</text></svg>",
        "other.xml": "<root><p>@</p></root>",
    }


def doctypes(bait: Bait, root: str) -> dict[str, tuple[str, str]]:
    """Name -> (document type, text that uses it)."""
    laughs = '<!ENTITY a0 "ha ha ha ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    file, url = bait.secret.as_uri(), bait.url
    return {
        "laughs": (f"<!DOCTYPE {root} [{laughs}]>", "&a9;"),
        "quadratic": (f'<!DOCTYPE {root} [<!ENTITY q "{"q" * 50_000}">]>', "&q;" * 20_000),
        "file": (f'<!DOCTYPE {root} [<!ENTITY f SYSTEM "{file}">]>', "&f;"),
        "passwd": (f'<!DOCTYPE {root} [<!ENTITY f SYSTEM "file:///etc/passwd">]>', "&f;"),
        "http": (f'<!DOCTYPE {root} [<!ENTITY f SYSTEM "{url}/entity">]>', "&f;"),
        "parameter": (f'<!DOCTYPE {root} [<!ENTITY % p SYSTEM "{url}/parameter"> %p;]>', SENTENCE),
        "dtd": (f'<!DOCTYPE {root} SYSTEM "{url}/its.dtd">', SENTENCE),
        "public": (f'<!DOCTYPE {root} PUBLIC "-//X//Y" "{url}/public.dtd">', SENTENCE),
    }


def _xml(bait: Bait) -> Iterator[Case]:
    for name, body in _bodies().items():
        # each feed has ids of its own: of entries with one id the first counts
        stem, _, ext = name.partition(".")
        root = body[1:].split(">")[0].split()[0]
        defines = ext in ("atom", "nxml") or stem == "book"
        for trick, (head, text) in doctypes(bait, root).items():
            codes = "" if trick in ("dtd", "public") or not defines else "unsafe broken"
            yield case(
                f"xml/{stem}-{trick}.{ext}",
                f'<?xml version="1.0"?>\n{head}\n{body.replace("@", text)}'.replace("x.org", f"{trick}.org"),
                codes,
            )
        include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{bait.secret.as_uri()}" parse="text"/>'
        yield case(f"xml/{stem}-xinclude.{ext}", body.replace("@", include).replace("x.org", "include.org"))
        sheet = f'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="{bait.url}/style.xsl"?>'
        yield case(f"xml/{stem}-stylesheet.{ext}", sheet + body.replace("@", SENTENCE).replace("x.org", "sheet.org"))
        yield case(f"xml/{stem}-deep.{ext}", body.replace("@", "<b>" * 100_000 + SENTENCE + "</b>" * 100_000).replace("x.org", "deep.org"))
        yield case(f"xml/{stem}-cut.{ext}", body.replace("@", SENTENCE * 3)[: len(body) // 2 + 60])
    wide = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE feed [<!ENTITY f SYSTEM "{bait.secret.as_uri()}">]>'
    yield case("xml/wide.atom", (wide + _bodies()["feed.atom"].replace("@", "&f;")).encode("utf-16"), "unsafe broken")
    late = "<!--" + "x" * 300_000 + "-->"
    entity = f'<!DOCTYPE article [{late}<!ENTITY f SYSTEM "{bait.secret.as_uri()}">]>'
    yield case("xml/late.nxml", entity + _bodies()["paper.nxml"].replace("@", "&f;" + SENTENCE))
    yield case("xml/late.xml", entity.replace("article", "book") + _bodies()["book.xml"].replace("@", "&f;" + SENTENCE))
    attributes = " ".join(f"a{n}='1'" for n in range(100_000))
    yield case("xml/attributes.nxml", f"<article {attributes}>{JATS}<body><p>x</p></body></article>")
    yield case("xml/base64.nxml", f"<article>{JATS}<body><p>{SENTENCE}</p><graphic>{'QUJD' * 500_000}</graphic></body></article>")


def _page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>A page</title>{head}</head><body><h1>A page</h1><p>{SENTENCE}</p>{body}</body></html>"


def _html(bait: Bait) -> Iterator[Case]:
    url, file = bait.url, bait.secret.as_uri()
    harmless = {
        "script": f"<script>alert('{MARKER}')</script>",
        "script-src": f"<script src='{url}/a.js'></script>",
        "module": f"<script type=module>import '{url}/m.js'; // {MARKER}\n</script>",
        "noclose": f"<p>More.</p><script>var x = '{MARKER}';",
        "json-script": f"<script type='application/ld+json'>{{'x': '{MARKER}'}}</script>",
        "style": f"<style>@import '{url}/s.css'; p::after {{ content: '{MARKER}' }}</style>",
        "template": f"<template><script>{MARKER}</script></template>",
        "iframe": f"<iframe src='{url}/frame'></iframe><iframe src='{file}'></iframe>",
        "srcdoc": f"<iframe srcdoc='<script>{MARKER}</script>'></iframe>",
        "object": f"<object data='{file}'></object><embed src='{url}/e'>",
        "handlers": f"<img src=x onerror=\"fetch('{url}/{MARKER}')\"><svg onload='{MARKER}()'></svg>",
        "javascript-link": f"<a href=\"javascript:fetch('{url}/{MARKER}')\">link</a>",
        "data-link": f"<a href='data:text/html,<script>{MARKER}</script>'>data</a>",
        "base64": f"<img src='data:image/png;base64,{'QUJD' * 400_000}'>",
        "images": "".join(f"<img src='{url}/{n}.png' srcset='{url}/{n}b.png 2x'>" for n in range(200)),
        "prefetch": f"<link rel=preload href='{url}/p' as=script><link rel=stylesheet href='{url}/c.css'>",
        "form": f"<form action='{url}/form'><input name=a value='{MARKER}'><button>Go</button></form>",
        "comment": f"<!-- {MARKER} --><!--[if IE]>{MARKER}<![endif]-->",
        "php": f"<?php system('touch {bait.trap}/php {MARKER}'); ?>",
        "include": f"<!--#include file='{bait.secret}' --><!--#exec cmd='touch {bait.trap}/ssi' -->",
        "video": f"<video src='{url}/v' poster='{url}/p'></video><audio src='{url}/a'></audio>",
    }
    for name, body in harmless.items():
        yield case(f"html/{name}.html", _page(body), says=SENTENCE, never=(MARKER,))
    heads = {
        "refresh": f"<meta http-equiv=refresh content='0;url={url}/r'>",
        "base": f"<base href='{url}/'>",
        "charset": "<meta charset='utf-7'>",
        "charset-odd": "<meta charset='rot13'>",
        "charset-zlib": "<meta charset='zlib_codec'>",
    }
    for name, head in heads.items():
        yield case(f"html/{name}.html", _page("<img src='a.png'>", head), says=SENTENCE)
    yield case("html/binary-charset.html", _page("caf\xe9", "<meta charset='zlib_codec'>").encode("latin-1"))
    yield case("html/punycode.html", _page("caf\xe9", "<meta charset='punycode'>").encode("latin-1"))
    for tag in ("div", "b", "table><tr><td", "ul><li", "blockquote", "font", "a href=x", "svg"):
        yield case(f"html/deep-{tag[:5].strip('><')}.html", f"<html><body><p>{SENTENCE}</p>" + f"<{tag}>" * 100_000 + SENTENCE)
    yield case("html/attribute.html", _page(f"<p title='{'y' * 5_000_000}'>x</p>"), says=SENTENCE)
    yield case("html/attributes.html", _page(f"<p {' '.join(f'a{n}=1' for n in range(200_000))}>x</p>"))
    yield case("html/table.html", _page("<table>" + "<tr>" + "<td>1</td>" * 3_000 + "</tr>" * 1 + "</table>"), says=SENTENCE)
    spans = "<table><tr><td colspan=1000000000 rowspan=1000000000>x</td><td>y</td></tr><tr><td>z</td></tr></table>"
    yield case("html/spans.html", _page(spans))
    yield case("html/spans2.html", _page("<table>" + "<tr><td colspan=1000 rowspan=65534>x</td></tr>" * 60 + "</table>"))
    yield case("html/entities.html", _page("&" * 100_000 + "&#x110000;&#0;&#xD800;&#99999999999999999999;" + "&amp" * 50_000))
    yield case("html/less.html", "<html><body><p>" + SENTENCE + "<" * 100_000)
    yield case("html/nul.html", _page("a\x00b<scr\x00ipt>" + MARKER + "</scr\x00ipt>"))
    yield case("html/cut.html", _page("<table><tr><td>1")[:-30])
    yield case("html/cdata.html", _page("<![CDATA[" * 1_000 + MARKER))
    yield case("html/math.html", _page("<math>" + "<mrow>" * 50_000 + "<mi>x</mi>"))


def cases(bait: Bait) -> Iterator[Case]:
    yield from _xml(bait)
    yield from _html(bait)
