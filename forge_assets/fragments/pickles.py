"""`.pt` and `.bin` files: written from tensors, and read only after it is sure that loading them runs nothing.

torch.save writes a zip with a pickle in it, and a pickle is a program. So before torch sees a file: the zip may hold only what torch.save
writes for a plain dict of tensors, the pickle may use only those opcodes and names, and then it is loaded with weights_only=True.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge_resources.errors import FragmentError

NAMES = frozenset({
    "torch._utils _rebuild_tensor_v2", "collections OrderedDict", "torch FloatStorage", "torch LongStorage", "torch DoubleStorage",
    "torch HalfStorage", "torch BFloat16Storage", "torch IntStorage", "torch ByteStorage", "torch BoolStorage",
})  # fmt: skip
"""What the pickle of a dict of tensors calls; nothing else may be named in it."""
OPCODES = frozenset({
    "PROTO", "STOP", "MARK", "GLOBAL",
    "BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE", "EMPTY_DICT", "SETITEM", "SETITEMS", "NEWTRUE", "NEWFALSE", "REDUCE", "BINPERSID",
})  # fmt: skip
ENTRY = re.compile(r"(?:data\.pkl|byteorder|version|\.data/serialization_id|\.format_version|\.storage_alignment|data/\d+)")
LARGEST_PICKLE = 64 << 20


def write(path: Path, tensors: Mapping[str, Any]) -> None:
    """A state dict of torch tensors, each in a storage of its own; its bytes depend on the file's name and nothing else outside."""
    import torch

    torch.save({name: tensors[name].detach().clone().contiguous() for name in sorted(tensors)}, path)


def load(path: Path) -> dict[str, Any]:
    """Name -> tensor. Raises FragmentError, before anything is loaded, for a file that is more than a dict of tensors."""
    import torch

    scan(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch raises its own, zip's and pickle's kinds for damaged files
        raise _refused(path, f"torch cannot load it ({str(error).splitlines()[0][:200]})") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) and isinstance(one, torch.Tensor) for name, one in found.items()):
        raise _refused(path, "it is no dict of tensors")
    return found


def scan(path: Path) -> None:
    """Raises FragmentError for anything but what torch.save writes for a dict of tensors. Runs nothing of the file."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start != b"PK\x03\x04":
            raise _refused(path, "it is no zip as torch.save writes it; a bare pickle is a program, and is not read")
        with zipfile.ZipFile(path) as archive:
            _entries(path, archive)
            (pickle,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            content = archive.read(pickle)
    except OSError as error:
        raise FragmentError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise _refused(path, f"its zip is damaged ({error})") from None
    _opcodes(path, content)


def _entries(path: Path, archive: zipfile.ZipFile) -> None:
    """Entries that two readers could see differently (names twice, compressed, encrypted, comments) are refused too."""
    seen: set[str] = set()
    if archive.comment:
        raise _refused(path, "its zip has a comment, which torch.save never writes")
    for one in archive.infolist():
        folder, _, name = one.filename.partition("/")
        if folder != path.stem or not ENTRY.fullmatch(name):
            raise _refused(path, f"its zip holds {one.filename[:80]!r}, which is no part of a dict of tensors named {path.stem}")
        if one.filename in seen:
            raise _refused(path, f"its zip holds {one.filename!r} twice")
        if one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1:
            raise _refused(path, f"{one.filename!r} in it is compressed or encrypted, which torch.save never does")
        if name == "data.pkl" and one.file_size > LARGEST_PICKLE:
            raise _refused(path, f"its pickle has {one.file_size:,} bytes; expected at most {LARGEST_PICKLE:,}")
        seen.add(one.filename)
    if f"{path.stem}/data.pkl" not in seen:
        raise _refused(path, "its zip holds no data.pkl")


def _opcodes(path: Path, content: bytes) -> None:
    last = 0
    try:
        for opcode, argument, _ in pickletools.genops(content):
            last += 1
            if opcode.name == "GLOBAL" and argument not in NAMES:
                raise _refused(path, f"its pickle would call {str(argument).replace(' ', '.')[:80]}")
            if opcode.name not in OPCODES:
                raise _refused(path, f"its pickle uses {opcode.name}, which a dict of tensors does not need")
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise _refused(path, f"its pickle is damaged after {last} steps ({str(error)[:100]})") from None


def _refused(path: Path, why: str) -> FragmentError:
    return FragmentError(f"{path} is refused and was not run: {why}; take the weights from model.safetensors, or fetch the file again")
