"""Sound files under names that attack shells, terminals, addresses and file systems."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.cases import SENTENCE, Bait, Case, case

NAMES = (
    b"line\nbreak.md",
    b"carriage\rreturn.md",
    b"tab\there.md",
    b"bell\x07.md",
    b"escape\x1b[31m.md",
    b"delete\x7f.md",
    b"\xff\xfe.md",
    b"latin-\xe9.md",
    "right\u202edm.exe.md".encode(),
    "zero\u200bwidth.md".encode(),
    "\u0041\u030a.md".encode(),
    "\u00c5.md".encode(),
    b"$(touch pwned).md",
    b"`touch pwned`.md",
    b"; touch pwned;.md",
    b"| touch pwned.md",
    b"-rf.md",
    b"--help.md",
    b"-.md",
    b"+RTS -s.md",
    b"a'b\"c.md",
    b"percent%2e%2e%2f.md",
    b"hash#fragment.md",
    b"query?x=1.md",
    b"http:__x.md",
    b"file:.md",
    b"back\\slash.md",
    b"up\\..\\..\\up.md",  # one that begins with a dot is hidden, and no article
    b"space at end .md",
    b" .md",
    b"*.md",
    b"[a-z].md",
    b"~root.md",
    b"con.md",
    b"nul.md",
    b"a:b.md",
    b"%s%n%x.md",
    b"{0.__class__}.md",
    b"<script>pwned<.md",
    b"' OR 1=1 --.md",
    b"x" * 252 + b".md",
    b"\xf0\x9f\x92\xa9" * 63 + b".md",
    b"two.tar.gz.md",
    b"double.pdf.md",
    b"NO.EXTENSION.",
    b"noextension",
    b"many." * 45 + b"md",
)


def cases(bait: Bait) -> Iterator[Case]:
    for name in NAMES:
        yield case(b"names/" + name, f"# A heading\n\n{SENTENCE}\n", says=SENTENCE)
    yield case(b"/".join([b"names"] + [b"d" * 200] * 12 + [b"deep.md"]), f"# A heading\n\n{SENTENCE}\n", says=SENTENCE)
    folder = b"/".join([b"names", *(bytes((0xF0, 0x9F, 0x92, 0x80 + n)) * 40 for n in range(8))])
    yield case(folder + b"/dump.jsonl", b'{"id": "deep:1", "title": "T", "abstract": "' + SENTENCE.encode() + b'"}\n')
    scattered = b"/".join([b"names", *(bytes(0x80 + (n * m * 37 + m) % 128 for m in range(120)) for n in range(1, 9))])
    yield case(scattered + b"/dump.jsonl", b'{"id": "deep:2", "title": "T", "abstract": "' + SENTENCE.encode() + b'"}\n')
    yield case(b"names/line\nbreak.jsonl", b'{"id": "n:1", "title": "T", "abstract": "x"}\n{"id": "n:2"\n')
