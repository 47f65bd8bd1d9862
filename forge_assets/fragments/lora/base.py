"""The model that an adapter is put on: found, held against the machine, loaded without running anything that came with it.

The blueprint's own 10-trained, a folder, or a name of the Hugging Face Hub. Weights are read from safetensors only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_assets.fragments.lora.settings import Adaptation
from forge_resources.errors import FragmentError

NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
EDGE = 1 << 20
"""Bytes at both ends of a file of weights that the fingerprint looks at: reading all of 16 GB at every build would take a minute."""
OWN_CLASS = "ForgeForCausalLM"
BYTES = {"fp32": 4.0, "bf16": 2.0, "4bit": 0.6}
"""Of a parameter of the base; 4 bits have their scales beside them."""


@dataclass(frozen=True, slots=True)
class Base:
    """`address`: as adapter_config.json names it. `revision`: commit of the Hub, where it is from there."""

    model: Any
    tokenizer: Any
    address: str
    revision: str
    kind: str
    device: str
    precision: str

    @property
    def context(self) -> int:
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", 0) or 1 << 20)

    @property
    def parameters(self) -> int:
        """Those of the base, without the adapter's."""
        return sum(one.numel() for name, one in self.model.named_parameters() if "lora_" not in name)


def folder_of(address: str) -> Path | None:
    """The folder that is meant, or None for a name. Raises FragmentError where it is neither."""
    path = Path(address).expanduser()
    if path.is_dir():
        return path.resolve()
    if address.startswith((".", "/", "~")) or address.count("/") > 1 or not NAME.fullmatch(address):
        raise FragmentError(
            f"there is no folder {address}; expected one with config.json and safetensors, or a name such as Qwen/Qwen3-0.6B"
        )
    return None


def fingerprint(address: str) -> str:
    """SHA-256 over names, sizes and both ends of what a folder holds; empty for a name, whose revision says it."""
    folder = folder_of(address)
    if folder is None:
        return ""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in (".json", ".jinja", ".safetensors")):
        size = path.stat().st_size
        with path.open("rb") as file:
            found.update(f"{path.name} {size}\n".encode() + file.read(EDGE))
            file.seek(max(0, size - EDGE))
            found.update(file.read(EDGE))
    return found.hexdigest()


def device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load(chosen: Adaptation, own: Path, *, own_address: str) -> Base:
    """Raises FragmentError where it is not there, cannot be had, brings code, has no chat template, or is too big for this machine."""
    from transformers import AutoTokenizer

    folder = folder_of(chosen.base) if chosen.base else own
    where, revision = (str(folder), "") if folder else (chosen.base, chosen.revision)
    told: dict[str, Any] = {"local_files_only": True} if folder else {"revision": revision}
    trusted = folder == own
    config = _config(where, told, trusted=trusted)
    place = device()
    precision = _precision(chosen, place)
    _check_room(config, chosen, place, precision, where, trusted=trusted)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False, **told)
    except (OSError, ValueError) as error:
        raise FragmentError(
            f"{where} has no tokenizer that transformers loads ({_first(error)}); expected tokenizer.json beside it"
        ) from None
    if not tokenizer.chat_template:
        raise FragmentError(
            f"{where} has no chat template; instructions need one: take an instruct or chat model, or add chat_template.jinja"
        )
    model = _model(where, told, precision, place, trusted=trusted)
    address = own_address if trusted else where
    return Base(model, tokenizer, address, str(getattr(config, "_commit_hash", None) or ""), type(model).__name__, place, precision)


def _config(where: str, told: dict[str, Any], *, trusted: bool) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(where, trust_remote_code=trusted, **told)
    except ValueError as error:
        if "trust_remote_code" in str(error) or "custom code" in str(error):
            raise FragmentError(
                f"{where} brings code of its own (auto_map); Forge runs none from elsewhere: take a model of stock transformers"
            ) from None
        raise FragmentError(f"{where} is no model that transformers knows ({_first(error)})") from None
    except OSError as error:
        if Path(where).is_dir():
            raise FragmentError(f"{where} has no config.json that transformers reads ({_first(error)}); is it a model's folder?") from None
        raise FragmentError(
            f"{where} is neither in the cache of Hugging Face nor could it be fetched ({_first(error)}); "
            "check name and network, or give the folder of a copy"
        ) from None


def _precision(chosen: Adaptation, place: str) -> str:
    if chosen.quantised:
        if place != "cuda":
            raise FragmentError("a base in 4 bits needs a CUDA GPU, and this machine has none; leave --4bit away")
        if importlib.util.find_spec("bitsandbytes") is None:
            raise FragmentError(
                "a base in 4 bits needs the package bitsandbytes; install it (pip install bitsandbytes), or leave --4bit away"
            )
        return "4bit"
    return chosen.precision if chosen.precision != "auto" else "bf16" if place == "cuda" else "fp32"


def _check_room(config: Any, chosen: Adaptation, place: str, precision: str, where: str, *, trusted: bool) -> None:
    """What the weights and the logits of a step take, against the memory that is free."""
    import torch
    from transformers import AutoModelForCausalLM

    models: Any = AutoModelForCausalLM  # it has no types
    try:
        with torch.device("meta"):
            parameters = sum(one.numel() for one in models.from_config(config, trust_remote_code=trusted).parameters())
    except (ValueError, KeyError) as error:
        raise FragmentError(f"{where} is no causal language model ({_first(error)}); expected one such as Qwen3ForCausalLM") from None
    text = config.get_text_config()
    logits = (
        12 * chosen.batch * min(chosen.most_tokens, getattr(text, "max_position_embeddings", 0) or chosen.most_tokens) * text.vocab_size
    )
    needed = int(parameters * BYTES[precision]) + logits
    free = torch.cuda.mem_get_info()[0] if place == "cuda" else _free_memory()
    if needed > free:
        way = "--precision bf16, a smaller --batch, or a smaller base" if place == "cpu" else "--4bit, a smaller --batch, or a smaller base"
        raise FragmentError(
            f"{where} has {parameters / 1e9:.2f}e9 parameters and needs about {needed / 2**30:,.1f} GiB to be adapted in {precision}, "
            f"{free / 2**30:,.1f} GiB are free on {place}; take {way}"
        )


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines() if Path("/proc/meminfo").exists() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 62  # other systems do not say; loading then fails by itself


def _model(where: str, told: dict[str, Any], precision: str, place: str, *, trusted: bool) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.utils import logging

    more: dict[str, Any] = {"dtype": torch.float32 if precision == "fp32" else torch.bfloat16}
    if precision == "4bit":
        quantised: Any = BitsAndBytesConfig
        more["quantization_config"] = quantised(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        given: Any = AutoModelForCausalLM.from_pretrained(
            where, output_loading_info=True, use_safetensors=True, trust_remote_code=trusted, **more, **told
        )
    except (OSError, ValueError) as error:
        raise FragmentError(f"{where} could not be loaded ({_first(error)}); expected a causal language model in safetensors") from None
    finally:
        if shown:
            bars.enable_progress_bar()
    model, report = given
    for what in ("missing_keys", "mismatched_keys"):
        if report.get(what):
            raise FragmentError(
                f"{where}: transformers reports {what} {sorted(map(str, report[what]))[:3]}; the weights are not this model's"
            )
    if precision != "4bit":
        model.to(place)
    return model.eval()


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
