"""HTML pages in one file that ask nothing of any network: parts of a package's folder `html` and packed data in, the page out.

A policy in the page allows its own script and style, by hash, and nothing else; data stands in it deflated, as base64.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files


def assemble(package: str, scripts: Sequence[str], values: Mapping[str, str]) -> str:
    """page.html of the package's folder `html` with page.css, the scripts one after the other, and `values` in place of their {{names}}."""
    parts = files(package) / "html"
    script = '"use strict";\n' + "\n".join((parts / name).read_text("utf-8") for name in scripts)
    style = (parts / "page.css").read_text("utf-8")
    made = (parts / "page.html").read_text("utf-8")
    for name, value in {"policy": _policy(script, style), "style": style, "script": script, **values}.items():
        made = made.replace(f"{{{{{name}}}}}", value, 1)
    return made


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def policy_hash(text: str) -> str:
    """How a Content Security Policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _policy(script: str, style: str) -> str:
    """Nothing is loaded, sent or framed; only this script and this style run."""
    return (
        f"default-src 'none'; script-src '{policy_hash(script)}'; style-src '{policy_hash(style)}'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
