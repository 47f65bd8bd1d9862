"""A page that is made again keeps the rewritten sections whose evidence is the same: nothing is asked, nothing is paid twice.

A section is known by the places it cites and the hashes of what stands there. What was accepted once is verified again, by today's rules.
"""

from __future__ import annotations

from forge_assets.documentation.drafts import digest_of
from forge_assets.documentation.verify.content import Names
from forge_assets.documentation.verify.sentence import why_not
from forge_assets.documentation.volume import Block, Page, Paragraph

Places = frozenset[tuple[str, int, int, str]]


def with_rewrites(made: Page, before: Page, names: Names | None) -> Page:
    """`made` with the rewritten sections of `before` in the place of their verbatim ones; `made` itself where there is none."""
    rewritten = {_places(block): block for block in before.blocks if block.kind == "paragraph" and _has_new(block)}
    blocks = [_kept(block, rewritten, names) for block in made.blocks]
    if all(a is b for a, b in zip(blocks, made.blocks, strict=True)):
        return made
    page = made.model_copy(update={"blocks": tuple(blocks)})
    return page.model_copy(update={"sha256": digest_of(page.model_dump(mode="json", exclude={"sha256", "sources"}))})


def _kept(block: Block, rewritten: dict[Places, Paragraph], names: Names | None) -> Block:
    """The rewritten section of the same places, if its sources still carry each of its sentences."""
    before = rewritten.get(_places(block)) if block.kind == "paragraph" else None
    if before is None:
        return block
    new = [one for one in before.sentences if one.origin == "rewritten"]
    return block if any(why_not(one.text, [citation.quote for citation in one.citations], names) for one in new) else before


def is_rewritten(page: Page) -> bool:
    return any(block.kind == "paragraph" and _has_new(block) for block in page.blocks)


def _has_new(block: Paragraph) -> bool:
    return any(one.origin == "rewritten" for one in block.sentences)


def _places(block: Block) -> Places:
    sentences = block.sentences if block.kind == "paragraph" else ()
    return frozenset((c.document_id, c.start, c.end, c.quote_sha256) for one in sentences for c in one.citations)
