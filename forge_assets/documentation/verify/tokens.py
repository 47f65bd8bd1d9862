"""A sentence as the verifier reads it: words by their stems, names, numbers with their units; each with the clause it stands in.

TeX, typographic signs and spelling are evened out first, so that 3e-4, $3 \\times 10^{-4}$ and 3×10⁻⁴ are one number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.units import SCALES, UNITS, of_words

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TEX = [
    (
        re.compile(
            r"\\(?:text|mathrm|mathbf|mathit|mathcal|rm|operatorname|emph|textbf|textit|texttt|textsc|underline|mbox)\s*\{([^{}]*)\}"
        ),
        r"\1",
    ),
    (re.compile(r"\\(?:it|bf|em|sc|tt|sl)(?![a-zA-Z])|\\text(?:sc|bf|it|tt|rm|sf)(?=[A-Z])"), ""),
    (re.compile(r"\\(?:times|cdot|ast)(?![a-zA-Z])"), "×"),
    (re.compile(r"\\(?:sim|approx|textasciitilde)(?![a-z])"), "~"),
    (re.compile(r"\\([%&#_$])"), r"\1"),
    (re.compile(r"\\[,;! ]"), " "),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\([a-zA-Z]+)"), r"\1"),
    (re.compile(r"[{}$`*]"), ""),
]
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "λ": "lambda", "μ": "mu", "σ": "sigma",
          "τ": "tau", "θ": "theta", "η": "eta", "ρ": "rho", "π": "pi", "ω": "omega", "φ": "phi", "ψ": "psi", "κ": "kappa"}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_TOKEN = re.compile(
    rf"""(?P<power>(?:(?<![\w.])(?P<mantissa>{_NUMBER})\s?[x×·]\s?)?(?<![\w.])10\s?\^\s?(?P<exponent>[-+]?\d+))
    | (?P<exponential>(?<![\w.-]){_NUMBER}[eE][-+]?\d+(?!\w))
    | (?P<sides>(?<![\w.])\d+\s?[x×]\s?\d+(?!\w))
    | (?P<number>(?<![\w.])(?<![A-Za-z]-){_NUMBER}(?=$|[^\w.]|\.(?!\d)|[kKMBTx%](?!\w)|bn\b|mn\b
        |(?:[KMGTP]i?[Bb]|ms|mm|cm|nm|kW|MW|W|[GMTPE]?FLOPS?|s|h)(?![\w]))
        (?P<scale>[kKMBT](?![\w])|bn\b|mn\b|(?:-|\s)?(?:thousand|million|billion|trillion)s?\b)?(?P<times>x(?![A-Za-z]))?)
    | (?P<percent>%|per\scent\b|percent\b)
    | (?P<word>[^\W_]+(?:[-.'’+@/][^\W_]+)*\+*)
    | (?P<border>[,;:.!?()\[\]]|--+|\s-\s)""",
    re.VERBOSE,
)  # fmt: skip
_CLAUSE = frozenset("while whereas but yet although though unlike".split())
_OPENING = frozenset("in on for with at by using under after before during over given across within".split())
_AGAINST = frozenset(("contrast", "compar", "relat", "addit", "comparison"))
_LONG_OPENING = 12
"""What opens a sentence belongs to what follows its comma, if it is no longer than so many words."""
_PREFIXES = frozenset("pre post non re de co un sub multi inter intra semi self over under anti bi tri auto meta mis".split())


@dataclass(frozen=True, slots=True)
class Token:
    """`stem`: what is compared. A number has a `value`, and a `unit`: "%", "pp" (percentage points), "x" (times), or of physics."""

    text: str
    stem: str
    clause: int
    value: float | None = None
    unit: str = ""
    name: bool = False
    """Written like a name: a capital or a digit inside, or a capital that begins no sentence."""


def plain(text: str) -> str:
    """TeX and typography evened out."""
    text = _SUPERSCRIPT.sub(lambda match: "^" + match[0].translate(_RAISED), text)
    for pattern, instead in _TEX:
        text = pattern.sub(instead, text)
    text = re.sub(r"[‐‑‒–—−]", "-", unicodedata.normalize("NFKC", text)).replace("’", "'")
    text = text.replace("()", "")
    text = re.sub(r"<\s?(?=\d)", " less than ", re.sub(r"(?<!-)>\s?(?=\d)", " more than ", text))
    text = re.sub(r"(?<=\w)'s\b", "", re.sub(r"(?<=\d)X\b", "x", text))
    text = re.sub(r"(?<=\d)(?:%(?=-\d[\d.]*%)|[x×](?=-\d[\d.]*[x×]))", "", text)  # of a range one unit is enough
    return "".join(_GREEK.get(letter, letter) for letter in text)


def read(text: str) -> tuple[Token, ...]:
    """The tokens of a sentence in order, function words among them."""
    found: list[Token] = []
    clause, begins = 0, True
    for match in _TOKEN.finditer(plain(text)):
        kind = match.lastgroup if match.lastgroup not in ("scale", "mantissa", "exponent", "times") else "number"
        kind = "power" if match["power"] else "number" if match["number"] else kind
        if kind == "border":
            opening = match[0] == "," and clause == 0 and found and found[0].text.lower() in _OPENING
            clause += not opening or len(found) > _LONG_OPENING or any(token.stem in _AGAINST for token in found)
            begins = match[0] in ".!?:"
            continue
        if kind == "word" and match[0].lower() in _CLAUSE:
            clause += 1
        if kind == "percent":
            _mark_percent(found)
        elif kind == "word":
            found += _words(match[0], clause, begins)
        else:
            found.append(_number(match, clause))
        begins = False
    return tuple(_united(found))


def _mark_percent(found: list[Token]) -> None:
    """Of the number before, and of the other end of a range."""
    for back in (1, 2, 3):
        if back <= len(found) and found[-back].value is not None:
            found[-back] = replace(found[-back], unit="%")
            other = found[-back - 2] if len(found) >= back + 2 else None
            if other is not None and other.value is not None and not other.unit and found[-back - 1].stem in ("to", "and"):
                found[-back - 2] = replace(other, unit="%")
            elif (
                len(found) > back
                and found[-back - 1].value is not None
                and not found[-back - 1].unit
                and found[-back - 1].clause == found[-back].clause
            ):
                found[-back - 1] = replace(found[-back - 1], unit="%")
            return


def _number(match: re.Match[str], clause: int) -> Token:
    written = match[0]
    if match["power"]:
        value = (
            float(f"{(match['mantissa'] or '1').replace(',', '')}e{int(match['exponent'])}") if abs(int(match["exponent"])) < 300 else 0.0
        )
    elif match["exponential"]:
        value = float(written.replace(",", ""))
    elif match["sides"]:
        return Token(written, re.sub(r"\s|×", lambda sign: "x" if sign[0] == "×" else "", written), clause, name=True)
    else:
        scale = (match["scale"] or "").strip(" -").rstrip("s") if len(match["scale"] or "") > 2 else match["scale"] or ""
        bare = written.removesuffix("x").removesuffix(match["scale"] or "").replace(",", "")
        value = float(bare) * SCALES.get(scale.lower(), 1.0)
        if match["times"]:
            return Token(written, f"#{value:.12g}", clause, value, "x")
    return Token(written, f"#{value:.12g}", clause, value)


def _words(written: str, clause: int, begins: bool) -> list[Token]:
    """One token; of hyphenated words one each, but a prefix stays with its word and digits stay with a name."""
    bare = re.sub(r"'s\Z|'\Z", "", written)
    bare = re.sub(r"(?<=\d)s\Z", "", bare)
    is_name = bool(re.search(r"\d", bare)) or any(letter.isupper() for letter in bare[1:]) or bare[:1].isupper() and not begins
    number = of_words(bare)
    if number is not None:
        return [Token(written, f"#{number:.12g}", clause, number)]
    if bare in UNITS and "/" in bare:
        return [Token(bare, bare.lower(), clause)]
    parts = re.split(r"[-/]", bare)
    if len(parts) == 1 or re.search(r"\d", bare) and re.search(r"[A-Za-z]\w*-?\d", bare) and not bare[0].isdigit():
        return [Token(written, bare.lower() if is_name and re.search(r"\d", bare) else stem(bare), clause, name=is_name)]
    if parts[0].lower() in _PREFIXES and len(parts) == 2:
        return [Token(written, stem(parts[0] + parts[1].lower()), clause, name=parts[1][:1].isupper())]
    made = []
    for part in parts:
        made += _words(part, clause, begins) if part else []
        begins = begins and not made
    return made


def _united(tokens: list[Token]) -> list[Token]:
    """Numbers take up the scale and the unit that follow: four million, five days."""
    tokens = _with_scales(tokens)
    made: list[Token] = []
    for index, token in enumerate(tokens):
        if token.value is None:
            made.append(token)
            continue
        following = [other.text for other in tokens[index + 1 : index + 3] if other.clause == token.clause]
        made.append(_with_unit(_scaled(token, tokens[index + 1 : index + 3]), following))
    return made


def _with_scales(tokens: list[Token]) -> list[Token]:
    made: list[Token] = []
    for index, token in enumerate(tokens):
        if (
            token.stem == "one"
            and index + 2 < len(tokens)
            and tokens[index + 1].stem in ("to", "or", "of")
            and tokens[index + 2].value is not None
        ):
            made.append(replace(token, stem="#1", value=1.0))
            continue
        scale = SCALES.get(token.text.lower()) if len(token.text) > 6 else 100.0 if token.text.lower() == "hundred" else None
        before = made[-1] if made else None
        if scale and before is not None and (before.value is not None or before.stem in ("one", "a")) and not before.unit:
            value = (before.value or 1.0) * scale
            made[-1] = replace(before, text=f"{before.text} {token.text}", stem=f"#{value:.12g}", value=value)
        else:
            made.append(token)
    return made


def _scaled(token: Token, following: list[Token]) -> Token:
    """Of a range such as 2.5-5 billion the first number takes the scale of the second."""
    other = following[1] if len(following) > 1 and following[0].stem == "to" else following[0] if following else None
    if token.unit or other is None or other.value is None or token.value is None or token.clause != other.clause:
        return token
    scale = next((SCALES[word] for word in ("thousand", "million", "billion", "trillion") if word in other.text), 1.0)
    if scale == 1.0 or token.value >= scale or not token.text[-1].isdigit():
        return token
    return replace(token, value=token.value * scale, stem=f"#{token.value * scale:.12g}")


def _with_unit(token: Token, following: list[str]) -> Token:
    if token.unit == "%" and following and following[0].lower().startswith("point"):
        return replace(token, unit="pp")
    if token.unit or not following:
        return token
    first = following[0]
    if first.lower() == "percentage" and len(following) > 1 and following[1].lower().startswith("point"):
        return replace(token, unit="pp")
    if first.lower() in ("x", "times", "time", "fold"):
        return replace(token, unit="x")
    known = UNITS.get(first) or UNITS.get(first.lower() if len(first) > 3 else first)
    if known is not None and token.value is not None:
        factor, dimension = known
        return replace(token, value=token.value * factor, stem=f"#{token.value * factor:.12g}", unit=dimension)
    return token


_DENIED = re.compile(r"(?:un|in|im|ir|il|non-?|dis|anti-?)(?=[a-z]{4})")


def without_denial(token: Token) -> str:
    """The stem of a word without the prefix that denies it: supervise of unsupervised; empty where it has none."""
    found = _DENIED.match(token.text.lower())
    return stem(token.text.lower()[found.end() :]) if found else ""
