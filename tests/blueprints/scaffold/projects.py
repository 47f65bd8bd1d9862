"""What the tests of generated projects share: three blueprints, a place to run commands in, and code that breaks a requirement."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from forge_assets.blueprints.scaffold.generate import scaffold
from forge_assets.blueprints.spec.make import Source, make_spec
from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.stated import Known
from forge_assets.compatibility.stack.blueprints import solve_built
from forge_assets.compatibility.stack.build import build
from forge_assets.compatibility.stack.request import Wished
from tests.compatibility.stacks import asks, inputs

BLUEPRINTS = {
    "rotary": {"position_encoding": "rope", "norm": "rms-norm", "ffn": "swiglu", "attention": "gqa", "tokenizer": "byte-level-bpe",
               "optimizer": "adamw", "schedule": "cosine-decay"},
    "biased": {"position_encoding": "alibi", "norm": "layer-norm", "ffn": "mlp", "activation": "gelu", "attention": "mha",
               "tokenizer": "sentencepiece", "optimizer": "lion", "schedule": "wsd"},
    "sparse": {"position_encoding": "rope", "norm": "rms-norm", "attention": "gqa", "qk_norm": "qk-norm", "ffn": "sparse-moe",
               "moe_router": "top-k-routing", "tokenizer": "unigram-lm-tokenizer", "optimizer": "muon", "parallelism": "fsdp2"},
}  # fmt: skip
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@functools.cache
def spec(name: str) -> Spec:
    pins = tuple(Wished(what=slot, value=component) for slot, component in BLUEPRINTS[name].items())
    request = asks(name=name, params="30e6", context=512, pins=pins)
    return make_spec(Source(solve_built(build(request, inputs())), request, inputs().ontology, Known()))


def project(name: str, home: Path, folder: Path) -> Path:
    scaffold(spec(name), inputs().ontology, home, folder, {})
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a project, but for git's own."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {name: file.read_bytes() for file in files if not (name := file.relative_to(folder).as_posix()).startswith(".git/")}


def commands(text: str) -> list[str]:
    """The command lines of a Markdown text's fenced blocks."""
    return [line for block in FENCED.findall(text) for line in block.splitlines() if line.strip()]


@dataclass(frozen=True)
class Place:
    """A virtual environment of its own that finds the installed packages of this one, and reaches no network."""

    folder: Path

    @staticmethod
    def made(folder: Path) -> Place:
        venv.create(folder, with_pip=False)
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "installed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        place = Place(folder)
        base = [sys._base_executable, "-c", "import pathlib, pip; print(pathlib.Path(pip.__file__).parent)"]  # type: ignore[attr-defined]
        (packages / "pip").symlink_to(subprocess.run(base, check=True, capture_output=True, text=True).stdout.strip())
        torchrun = folder / "bin" / "torchrun"  # as an installed torch has it, with this environment's Python
        torchrun.write_text(f"#!{folder / 'bin' / 'python'}\nfrom torch.distributed.run import main\n\nmain()\n")
        torchrun.chmod(0o755)
        return place

    def run(self, command: str, project: Path) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "GIT_"))}
        offline = {
            "PATH": path,
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as --no-build-isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            command, shell=True, cwd=project, env=kept | offline, capture_output=True, text=True, check=False, timeout=600
        )

    def passes(self, command: str, project: Path) -> str:
        done = self.run(command, project)
        assert done.returncode == 0, f"$ {command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


@dataclass(frozen=True)
class Mutant:
    """Code of a requirement, broken: in `file` the first of `found` that is there becomes `broken`."""

    requirement: str
    file: str
    found: str
    broken: str


MUTANTS = (
    Mutant("FR-001", "config.py", "for name in value.keys() - known.keys():", "for name in ():"),
    Mutant("FR-002", "tokenizer.py", "if vocabulary < LEAST:", "if vocabulary < 0:"),
    Mutant("FR-003", "data.py", '"validation": tokens[-held:]', '"validation": tokens[-held - 1 :]'),
    Mutant("FR-004", "data.py", "torch.randperm(self.windows, generator=generator)", "torch.arange(self.windows)"),
    Mutant("FR-005", "model.py", "    torch.manual_seed(seed)\n", ""),
    Mutant("FR-006", "network.py", r"is_causal=past == 0|pos_s <= pos_t\[:, None\]", "CAUSAL"),
    Mutant("FR-007", "generate.py", "torch.tensor([[made[-1]]], device=device)", "torch.tensor([[made[0]]], device=device)"),
    Mutant("FR-008", "train.py", "running.scaler.step(one)", "pass"),
    Mutant("FR-009", "train.py", "model.loss_of(running.model, tokens) / count", "model.loss_of(running.model, tokens)"),
    Mutant("FR-010", "train.py", 'if config.precision == "fp32":', 'if config.precision != "none":'),
    Mutant("FR-011", "checkpoint.py", 'torch.set_rng_state(state["cpu"])', "pass"),
    Mutant("FR-012", "checkpoint.py", "    check(folder)\n    state =", "    state ="),
    Mutant("FR-013", "schedule.py", "return (step + 1) / schedule.warmup", "return 1.0"),
    Mutant("FR-014", "optimizer.py", '"weight_decay": 0.0}', '"weight_decay": settings.weight_decay}'),
    Mutant("FR-015", "train.py", "(number * here.count + here.rank)", "(number * here.count)"),
    Mutant("FR-016", "evaluate.py", "min(first + config.batch.micro, len(windows))", "min(first + 1, len(windows))"),
    Mutant("FR-017", "export.py", "save_file(weights,", "save_file({name: one.half().float() for name, one in weights.items()},"),
    Mutant("FR-018", "train.py", '"gradient_norm": norm,', '"norm": norm,'),
    Mutant("FR-019", "model.py", "if not torch.is_grad_enabled():", "if True:"),
    Mutant("FR-020", "../../specs/001-pretraining/spec.md", "- **FR-013**", "- FR-013"),
)
SEEING_LATER = {"is_causal=past == 0": "is_causal=False", "pos_s <= pos_t[:, None]": "pos_s <= pos_t[:, None] + 2"}


def broken(mutant: Mutant, file: Path) -> str:
    """The text of the file with its requirement broken."""
    text = file.read_text()
    if mutant.broken == "CAUSAL":
        changed = re.sub(mutant.found, lambda found: SEEING_LATER[found[0]], text)
    else:
        changed = text.replace(mutant.found, mutant.broken)
    assert changed != text, f"{mutant.requirement}: {file.name} has no {mutant.found!r}"
    return changed


def goes_red(mutant: Mutant, folder: Path, place: Place) -> None:
    """The tests that carry the requirement fail for the broken code; the file is put back."""
    file = folder / "src" / folder.name / mutant.file
    whole = file.read_text()
    file.write_text(broken(mutant, file))
    try:
        done = place.run(f"python -m pytest -q -x --requirement {mutant.requirement}", folder)
    finally:
        file.write_text(whole)
    assert done.returncode == 1, (
        f"{mutant.requirement} is broken and its tests say {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    )
    assert "1 failed" in done.stdout or "1 error" in done.stdout
