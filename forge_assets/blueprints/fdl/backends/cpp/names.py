"""Names as C++ can have them, and the text of sizes and numbers."""

from __future__ import annotations

from forge_assets.blueprints.fdl.sizes import Size

KEYWORDS = frozenset(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const consteval constexpr
    constinit continue co_await co_return co_yield decltype default delete do double else enum explicit export extern false float
    for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected
    public register requires return short signed sizeof static struct switch template this throw true try typedef typeid typename
    union unsigned using virtual void volatile wchar_t while xor xor_eq main std fdl i64 Array Sizes Safetensors Cache Output
    sizes file prefix past keys cache layer forward exp log sigmoid silu tanh erf softplus rsqrt relu sign abs floordiv mod power
    where max min sum mean greatest least logsumexp checked copy zeros contract strided softmax cumsum rank put slice appended
    joined NULL program Task Results task EOF step shown""".split()
)
"""What the language, the printed code or the headers beside it already call something."""
TYPES = {"f32": "float", "i64": "i64", "bool": "bool"}


def safe(name: str) -> str:
    return name + "_" if name in KEYWORDS or name.endswith("_") or "__" in name or name.startswith("_") else name


def size_text(size: Size, place: str = "sizes") -> str:
    """A size as an expression over the members of `sizes`; in brackets where it is a sum."""
    text = size.text({name: f"{place}.{safe(name)}" for name in size.names})
    return text if len(size.terms) < 2 else f"({text})"


def array_type(dtype: str, rank: int) -> str:
    """A tensor without axes is a plain number."""
    return f"Array<{TYPES[dtype]}, {rank}>" if rank else TYPES[dtype]


def number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value)
    text = repr(value)
    return text + ("f" if any(sign in text for sign in ".en") else ".0f")


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
