"""Fifty-odd ways in which a fragment comes damaged or with bad intent. Each changes a copy and re-signs it where a clever sender would.

Code in them, if it ran, would write the file `ran` beside the pieces.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.fragments.chain import SUMS
from forge_assets.fragments.folder import seal

PIECE = "04-attention"
DAMAGED = ("01-tokenizer", PIECE, "09-assembled")
Damage = Callable[[Path], None]


def signed(folder: Path) -> None:
    """New sums, as anybody can write them."""
    seal(folder)


def resigned(change: Damage) -> Damage:
    def made(root: Path) -> None:
        change(root)
        for folder in root.glob("[01]*"):
            signed(folder)

    return made


class Runs:
    """A pickle that, loaded, runs code."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.mark,)


class Evaluates(Runs):
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return eval, (f"open({str(self.mark)!r}, 'w')",)


def _pickle(kind: type[Runs], protocol: int) -> Callable[[Path], bytes]:
    return lambda root: pickle.dumps(kind(root / "ran"), protocol)


def in_zip(content: Callable[[Path], bytes], file: str = "model.pt", twice: bool = False) -> Damage:
    """The pickle takes the place of data.pkl in a file of torch; `twice` leaves the honest one beside it."""

    def made(root: Path) -> None:
        path = root / PIECE / file
        with zipfile.ZipFile(path) as old:
            held = [(one, old.read(one)) for one in old.infolist()]
        with zipfile.ZipFile(path, "w") as new:
            for one, data in held:
                evil = one.filename.endswith("data.pkl")
                if evil and twice:
                    new.writestr(one.filename, data)
                    new.NameToInfo.clear()  # zipfile warns of the second
                new.writestr(one.filename, content(root) if evil else data)

    return resigned(made)


def bare(content: Callable[[Path], bytes], file: str = "pytorch_model.bin") -> Damage:
    return resigned(lambda root: void((root / PIECE / file).write_bytes(content(root))))


def void(_: object) -> None:
    return None


def written(file: str, text: str | bytes, piece: str = PIECE) -> Damage:
    def made(root: Path) -> None:
        (root / piece / file).write_bytes(text if isinstance(text, bytes) else text.replace("ROOT", str(root)).encode())

    return resigned(made)


def edited(file: str, before: str, after: str, piece: str = PIECE) -> Damage:
    def made(root: Path) -> None:
        path = root / piece / file
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    return resigned(made)


def cut(file: str, kept: float = 0.5, piece: str = PIECE, *, sign: bool = True) -> Damage:
    def made(root: Path) -> None:
        path = root / piece / file
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])

    return resigned(made) if sign else made


def flipped(file: str, at: int, piece: str = PIECE, *, sign: bool = True) -> Damage:
    def made(root: Path) -> None:
        path = root / piece / file
        content = bytearray(path.read_bytes())
        content[at] ^= 0x41
        path.write_bytes(content)

    return resigned(made) if sign else made


def headed(change: Callable[[dict[str, Any]], None]) -> Damage:
    """Another header of the weights, well packed."""

    def made(root: Path) -> None:
        path = root / PIECE / "model.safetensors"
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        head = json.loads(content[8 : 8 + length])
        change(head)
        text = json.dumps(head).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])

    return resigned(made)


def swapped(root: Path) -> None:
    a, b, aside = root / PIECE, root / "05-ffn", root / "aside"
    a.rename(aside)
    b.rename(a)
    aside.rename(b)


def golden_changed(root: Path) -> None:
    from forge_assets.fragments import safetensors_file as st

    path = root / PIECE / "io.safetensors"
    head = st.header(path)
    numbers = {name: np.array(one) for name, one in st.arrays(path, head)}
    numbers["outputs.y0"][0, 0, 0] += 1
    st.write_arrays(path, numbers, head.metadata)


def without(name: str) -> Damage:
    return lambda root: (root / PIECE / name).unlink()


def linked(root: Path) -> None:
    path = root / PIECE / "README.md"
    path.unlink()
    path.symlink_to("/etc/hostname")


def piped(root: Path) -> None:
    (root / PIECE / "README.md").unlink()
    os.mkfifo(root / PIECE / "README.md")


def foldered(root: Path) -> None:
    (root / PIECE / "more").mkdir()
    (root / PIECE / "more" / "setup.py").write_text("x")


def outside(root: Path) -> None:
    with (root / PIECE / SUMS).open("a") as sums:
        sums.write(f"{'0' * 64}  more/../../05-ffn/model.pt\n")


def emptied(root: Path) -> None:
    shutil.rmtree(root / PIECE)
    (root / PIECE).mkdir()


def other_tensor(head: dict[str, Any]) -> None:
    name = next(one for one in head if one != "__metadata__")
    head[name + "x"] = head.pop(name)


def overlapping(head: dict[str, Any]) -> None:
    first, second = [one for one in head if one != "__metadata__"][:2]
    head[second]["data_offsets"] = head[first]["data_offsets"]


def huge(head: dict[str, Any]) -> None:
    head[next(one for one in head if one != "__metadata__")]["shape"] = [1 << 62, 4]


def retold(key: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda head: head["__metadata__"].__setitem__(key, value)


def nested(_: Path) -> bytes:
    buffer = io.BytesIO()
    buffer.write(b"\x80\x02" + b"(" * 1000 + b"cos\nsystem\n(Vtrue\ntR.")
    return buffer.getvalue()


CODE = "from pathlib import Path\nPath('ROOT/ran').touch()\n"
DAMAGES: dict[str, tuple[Damage, str]] = {
    # changed on the way
    "a byte of the weights": (flipped("model.safetensors", -5, sign=False), "model.safetensors was changed or cut off: expected SHA-256"),
    "weights cut off": (cut("model.safetensors", sign=False), "model.safetensors was changed or cut off"),
    "a file gone": (without("module.hpp"), "module.hpp is missing; SHA256SUMS names it"),
    "the sums gone": (without(SUMS), "has no SHA256SUMS"),
    "sums with a hole": (lambda root: os.truncate(root / PIECE / SUMS, 9 << 30), "SHA256SUMS has 9,663,676,416 bytes; expected at most"),
    "a text with a hole": (
        lambda root: os.truncate(root / PIECE / "config.json", 9 << 30),
        "config.json has 9,663,676,416 bytes; expected at most",
    ),
    "a pipe": (piped, "README.md is no plain file"),
    "a name that moves the cursor": (lambda root: void((root / PIECE / "\x1b[2J").write_text("x")), "is not named in SHA256SUMS"),
    "sums cut off": (cut(SUMS, sign=False), "is damaged: the line|is not named in SHA256SUMS"),
    "a file more": (lambda root: void((root / PIECE / "setup.py").write_text("x")), "setup.py is not named in SHA256SUMS"),
    "a link": (linked, "README.md is no plain file"),
    "an empty folder": (emptied, "has no SHA256SUMS"),
    "a link to a folder": (lambda root: (root / PIECE / "more").symlink_to("/etc"), "more is no plain file"),
    "a file in a folder": (foldered, r"more/setup\.py is not named in SHA256SUMS"),
    "a sum of what lies outside": (outside, "is damaged: the line"),
    # sent by somebody who signs anew
    "a bare pickle that runs": (bare(_pickle(Runs, 2)), "is refused and was not run: it is no zip"),
    "a bare pickle that evaluates": (bare(_pickle(Evaluates, 4), "model.pt"), "is refused and was not run: it is no zip"),
    "a pickle in the zip that runs": (in_zip(_pickle(Runs, 2)), "is refused and was not run: its pickle would call"),
    "a pickle in the zip that evaluates": (in_zip(_pickle(Evaluates, 2)), "its pickle would call __builtin__.eval"),
    "protocol 4": (in_zip(_pickle(Evaluates, 4)), "its pickle uses FRAME|its pickle uses"),
    "protocol 0": (in_zip(_pickle(Evaluates, 0), "pytorch_model.bin"), "its pickle"),
    "os.system behind marks": (in_zip(nested), "its pickle would call os.system"),
    "data.pkl twice": (in_zip(_pickle(Runs, 2), twice=True), "data.pkl' twice|its pickle"),
    "no pickle at all": (in_zip(lambda _: b""), "its pickle is damaged|torch cannot load"),
    "a pickle cut off": (in_zip(lambda _: b"\x80\x02}"), "its pickle is damaged"),
    "a zip cut off": (cut("model.pt"), "its zip is damaged"),
    "a tensor of .bin changed": (
        flipped("pytorch_model.bin", 3000),
        "its zip is damaged|is not what the safetensors hold|torch cannot load",
    ),
    "code in the module": (written("module_torch.py", CODE), "module_torch.py is not what fragment.fdl prints"),
    "code in the contract": (written("test_contract.py", CODE), "test_contract.py is not what fragment.fdl prints"),
    "code beside the piece": (written("conftest.py", CODE), "conftest.py is no part of 04-attention"),
    "code in the assembled model": (written("modeling_forge.py", CODE, "09-assembled"), "would load code|modeling_forge.py is not"),
    "an auto_map to elsewhere": (
        edited("config.json", '"architectures"', '"auto_map": {"AutoModelForCausalLM": "evil/repo--m.M"}, "architectures"', "09-assembled"),
        "would load code by",
    ),
    "code named by the tokenizer": (
        edited("tokenizer_config.json", '"bos_token"', '"auto_map": {"AutoTokenizer": ["m.T", null]}, "bos_token"', "01-tokenizer"),
        "tokenizer_config.json is not what the configuration gives",
    ),
    "another chat template": (written("chat_template.jinja", "{{ cycler.__init__ }}", "01-tokenizer"), "chat_template.jinja is not what"),
    "a tokenizer that is none": (written("tokenizer.json", "{}", "01-tokenizer"), "tokenizer.json is no tokenizer"),
    "pieces swapped": (swapped, "should hold 04-attention, and holds 05-ffn"),
    "a text that is none": (written("fragment.fdl", "fragment ("), "fragment.fdl is no text that can be checked: line 1"),
    "a text changed": (edited("fragment.fdl", "theta = 10000.0", "theta = 10001.0"), "its header says fdl_sha256"),
    "no JSON": (written("config.json", "{" * 5000), "config.json is no JSON"),
    "sizes for a billion layers": (
        edited("config.json", '"sizes": {\n      "L": 2', '"sizes": {\n      "L": 16000000'),
        "layers; 10,000 are the most",
    ),
    "another class to run": (
        edited("config.json", '"torch": "Attentions"', '"torch": "Module"'),
        "forge.torch is 'Module'; expected 'Attentions'",
    ),
    "another depth for transformers": (
        edited("config.json", '"num_hidden_layers": 2', '"num_hidden_layers": 1', "09-assembled"),
        "num_hidden_layers is not",
    ),
    "an index to elsewhere": (
        edited("model.safetensors.index.json", "model-00001-of-00001", "../../model-00001-of-00001", "09-assembled"),
        "weight_map is not what the pieces give",
    ),
    "another tokenizer in the model": (flipped("tokenizer.json", 20, "09-assembled"), "have different tokenizers|tokenizer"),
    "a header that is no JSON": (written("model.safetensors", b"\x05\0\0\0\0\0\0\0{{{{{"), "its header is no JSON"),
    "a header without end": (written("model.safetensors", b"\xff" * 16), "it is cut off or no safetensors"),
    "a tensor of another name": (headed(other_tensor), "is missing; fragment.fdl needs it"),
    "tensors over each other": (headed(overlapping), "the one before it ends|does not fill"),
    "a tensor beyond the world": (headed(huge), "sizes or offsets that are no whole numbers|does not fill"),
    "another seed in the header": (headed(retold("seed", "9")), "its header says seed '9'; expected '0'"),
    "other parents in the header": (headed(retold("parents", "{}")), "its header says parents"),
    "golden numbers changed": (resigned(golden_changed), "outputs|y0 is .* off what the weights give"),
    "weights changed, all else signed": (flipped("model.safetensors", -5), "is not what the safetensors hold"),
}

EXPORTED = "12-export"


def config_with(**more: Any) -> Damage:
    """Another configuration for transformers."""

    def made(root: Path) -> None:
        path = root / EXPORTED / "hf" / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | more))

    return resigned(made)


EXPORT_DAMAGES: dict[str, tuple[Damage, str]] = {
    "a byte of GGUF": (flipped("gguf/model-q8_0.gguf", -5, EXPORTED, sign=False), "model-q8_0.gguf was changed or cut off"),
    "a byte of GGUF, signed": (flipped("gguf/model-q4_0.gguf", -5, EXPORTED), "model-q4_0.gguf does not hold the weights of hf"),
    "GGUF gone": (resigned(lambda root: (root / EXPORTED / "gguf/model-f32.gguf").unlink()), "model-f32.gguf is missing"),
    "a pickle beside the weights": (
        written("hf/pytorch_model.bin", b"\x80\x02.", EXPORTED),
        "hf/pytorch_model.bin is no part of 12-export",
    ),
    "code beside the weights": (written("hf/modeling_forge.py", CODE, EXPORTED), "modeling_forge.py is code that the stack does not need"),
    "an auto_map to elsewhere": (
        config_with(auto_map={"AutoModelForCausalLM": "evil/repo--m.M"}),
        "config.json is not what the plan gives",
    ),
    "another base of the rotation": (config_with(rope_parameters={"rope_theta": 1.0}), "config.json is not what the plan gives"),
    "another chat template": (
        written("hf/chat_template.jinja", "{{ cycler.__init__ }}", EXPORTED),
        "chat_template.jinja is not what the plan",
    ),
    "other weights": (flipped("hf/model.safetensors", -5, EXPORTED), "logits are .* of their scale off what the weights give"),
    "weights cut off": (cut("hf/model.safetensors", 0.5, EXPORTED), "it is cut off or has something behind them"),
    "no record": (written("export.json", "[]", EXPORTED), "export.json does not tell what was made"),
    "another text": (
        edited("fragment.fdl", "theta = 10000.0", "theta = 10001.0", EXPORTED),
        "is not what the plan gives|off what the weights give",
    ),
}
