"""Estimated against measured memory of real training steps and of serving; one command on a GPU machine, from the repository alone.

    python bench/memory_gpu.py [--device cpu] [--only WORD] [--others]

Needs torch and transformers (peft for the rows with LoRA). Models are built from configs with random weights; nothing is downloaded.
Measured is the peak of allocated tensors in the second step: torch.cuda.max_memory_allocated, or on a CPU the live storages that
bench/live_memory.py counts. Printed: one row per case with the ratio, and the largest error. `--others`: architectures that are not
dense and Llama-like, whose estimates are called unvalidated; no goal is set for them.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from bench.common import machine, table
from bench.live_memory import LiveTensors
from forge_assets.compatibility.arithmetic.configs import from_config
from forge_assets.compatibility.arithmetic.plan import Lora, Serving, Training
from forge_assets.compatibility.arithmetic.serving import serving_memory
from forge_assets.compatibility.arithmetic.training import training_memory

MIB = 2**20
GOAL = 0.15
LINEARS = {"attention": ["q_proj", "k_proj", "v_proj", "o_proj"]}
LINEARS["all"] = [*LINEARS["attention"], "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Case:
    """One model and one way to train it, or to serve it where `new_tokens` is given."""

    name: str
    config: dict[str, Any] = field(repr=False)
    plan: Training
    new_tokens: int = 0


@dataclass(frozen=True)
class Row:
    case: Case
    measured: int
    estimated: int
    moment: str

    @property
    def error(self) -> float:
        return self.estimated / self.measured - 1


def llama(hidden: int, layers: int, heads: int, kv_heads: int, vocab: int, **more: Any) -> dict[str, Any]:
    inner = int(hidden * 8 / 3 / 64) * 64
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads}
    return {"model_type": "llama", "intermediate_size": inner, "vocab_size": vocab, **sizes, **more}


def training_cases(wide: dict[str, Any], deep: dict[str, Any], context: int, batch: int) -> Iterator[Case]:
    """`wide`: mostly weights; `deep`: mostly activations."""
    base = Training(context, batch, step="loop", overhead=False)
    for precision in ("fp32", "bf16", "autocast", "mixed", "mixed-fp32-gradients"):
        for recompute in ("none", "full"):
            plan = replace(base, precision=precision, recompute=recompute)
            yield Case(f"{precision}, recompute {recompute}", deep, plan)
        yield Case(f"{precision}, many weights", wide, replace(base, precision=precision, micro_batch=1, context=context // 2))
    for optimizer in ("sgd", "sgd-momentum", "adafactor", "muon"):
        yield Case(optimizer, deep, replace(base, precision="fp32", optimizer=optimizer, recompute="full"))
        yield Case(f"{optimizer}, many weights", wide, replace(base, precision="fp32", optimizer=optimizer, micro_batch=1))
    for name, more in (
        ("mha", {"num_key_value_heads": deep["num_attention_heads"]}),
        ("qwen3", {"model_type": "qwen3", "head_dim": 64}),
        ("qwen2", {"model_type": "qwen2"}),
        ("mistral", {"model_type": "mistral", "sliding_window": None}),
        ("large vocabulary", {"vocab_size": 16 * deep["vocab_size"]}),
        ("tied", {"tie_word_embeddings": True, "vocab_size": 8 * deep["vocab_size"]}),
    ):
        for precision in ("fp32", "autocast"):
            yield Case(f"{name}, {precision}", {**deep, **more}, replace(base, precision=precision, optimizer="sgd"))
    for precision in ("fp32", "bf16", "autocast"):
        yield Case(f"eager attention, {precision}", deep, replace(base, precision=precision, optimizer="sgd", attention="eager"))
        for targets in ("attention", "all"):
            lora = Lora(8, targets)  # type: ignore[arg-type]
            yield Case(f"LoRA {targets}, {precision}", deep, replace(base, precision=precision, lora=lora))
    yield Case("three micro-batches", deep, replace(base, precision="fp32", micro_batches=3))


def serving_cases(wide: dict[str, Any], deep: dict[str, Any], context: int, batch: int) -> Iterator[Case]:
    for precision in ("fp32", "bf16"):
        plan = Training(context, batch, precision=precision)
        yield Case(f"serving, {precision}", deep, plan, 8)
        yield Case(f"serving eager, {precision}", deep, replace(plan, attention="eager"), 8)
        yield Case(f"serving many weights, {precision}", wide, replace(plan, context=context // 4), 8)
        yield Case(f"serving long answers, {precision}", deep, replace(plan, context=8, micro_batch=8 * batch), context // 2)


def other_cases(deep: dict[str, Any], context: int, batch: int) -> Iterator[Case]:
    """What the word unvalidated stands for, where transformers has it: how far off it is."""
    plan = Training(context, batch, step="loop", overhead=False)
    routed = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 256}
    for kind, more in (
        ("gemma", {"head_dim": 64}), ("gemma3_text", {"head_dim": 64}), ("olmo2", {}), ("olmo", {}), ("gpt_neox", {}), ("stablelm", {}),
        ("starcoder2", {}), ("phi", {}), ("cohere", {}), ("mixtral", {"num_local_experts": 4}), ("qwen3_moe", routed | {"head_dim": 64}),
    ):  # fmt: skip
        for precision in ("fp32", "bf16"):
            yield Case(f"{kind}, {precision}", {**deep, "model_type": kind, **more}, replace(plan, precision=precision))


def cases(device: str, *, others: bool = False) -> list[Case]:
    if device == "cpu":
        wide, deep = llama(320, 6, 5, 5, 600), llama(128, 4, 4, 2, 500)
        sizes = (wide, deep, 128, 4)
    else:
        wide, deep = llama(4096, 6, 32, 8, 32000), llama(1024, 16, 16, 4, 32000)
        sizes = (wide, deep, 2048, 4)
    return [*other_cases(*sizes[1:])] if others else [*training_cases(*sizes), *serving_cases(*sizes)]


# -- what is measured


def measure(case: Case, device: str) -> Row:
    """The case on this device; on a GPU torch's own optimizers step with `foreach`, as they do by default."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(**case.config, pad_token_id=None, bos_token_id=1, eos_token_id=2)
    kernel = "sdpa" if case.plan.attention == "flash" else "eager"
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=kernel).to(device)
    shape = from_config(config.to_dict())
    if case.new_tokens:
        return _served(case, model, shape, device)
    plan = case.plan if device == "cpu" or case.plan.numbers.master else replace(case.plan, step="foreach")
    peak = _peak_of_training(model, plan, device)
    found = training_memory(shape, plan)
    return Row(case, peak, found.bytes, found.moment)


def _peak_of_training(model: Any, plan: Training, device: str) -> int:
    model.train()
    model.config.use_cache = False
    if plan.precision not in ("fp32", "autocast"):
        model.bfloat16()
    if plan.lora:
        import peft

        model = peft.get_peft_model(model, peft.LoraConfig(r=plan.lora.rank, target_modules=LINEARS[plan.lora.targets], lora_dropout=0.0))
    if plan.recompute == "full":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    step = _optimizer(model, plan)
    ids = torch.randint(0, model.config.vocab_size, (plan.micro_batch, plan.context), device=device)

    def once() -> None:
        for parameter in model.parameters():
            parameter.grad = None
        for _ in range(plan.micro_batches):
            with torch.autocast(device, torch.bfloat16) if plan.precision == "autocast" else contextlib.nullcontext():
                found = model(input_ids=ids, labels=ids)
            found.loss.backward()
        step()

    return _peak([*model.parameters(), *model.buffers(), *getattr(step, "lasting", ())], (once, once), device)


def _optimizer(model: Any, plan: Training) -> Callable[[], Any]:
    trained = [one for one in model.parameters() if one.requires_grad]
    if plan.numbers.master:
        return MasterWeights(trained, summed=plan.precision != "mixed")
    if plan.optimizer == "muon":
        hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "lm_head" not in name]
        known = {id(one) for one in hidden}
        both = (torch.optim.Muon(hidden), torch.optim.AdamW([one for one in trained if id(one) not in known]))
        return lambda: [one.step() for one in both]
    makers: dict[str, Callable[[], Any]] = {
        "adamw": lambda: torch.optim.AdamW(trained),
        "sgd": lambda: torch.optim.SGD(trained),
        "sgd-momentum": lambda: torch.optim.SGD(trained, momentum=0.9),
        "adafactor": lambda: torch.optim.Adafactor(trained),
    }
    return makers[plan.optimizer]().step


class MasterWeights:
    """AdamW on fp32 copies of bf16 weights, tensor by tensor; `summed`: gradients are added up in fp32 too, as Megatron-LM does."""

    def __init__(self, weights: list[Any], *, summed: bool) -> None:
        self.weights, self.summed = weights, summed
        self.masters = [one.detach().float().requires_grad_() for one in weights]
        self.optimizers = [torch.optim.AdamW([one]) for one in self.masters]
        self.sums = [torch.zeros_like(one) for one in self.masters] if summed else []
        for weight, total in zip(weights, self.sums, strict=False):
            weight.register_post_accumulate_grad_hook(self._adder(total))

    @property
    def lasting(self) -> list[Any]:
        return [*self.masters, *self.sums]

    @staticmethod
    def _adder(total: Any) -> Callable[[Any], None]:
        def add(weight: Any) -> None:
            total.add_(weight.grad)
            weight.grad = None

        return add

    def __call__(self) -> None:
        for n, (weight, master, optimizer) in enumerate(zip(self.weights, self.masters, self.optimizers, strict=True)):
            master.grad = self.sums[n] if self.summed else weight.grad.float()
            optimizer.step()
            master.grad = None
            with torch.no_grad():
                weight.copy_(master)
                if self.summed:
                    self.sums[n].zero_()


def _served(case: Case, model: Any, shape: Any, device: str) -> Row:
    from transformers import DynamicCache

    plan, size = case.plan, 4 if case.plan.precision == "fp32" else 2
    model.eval().to(torch.float32 if size == 4 else torch.bfloat16)
    ids = torch.randint(0, model.config.vocab_size, (plan.micro_batch, plan.context), device=device)

    def answer() -> None:
        with torch.no_grad():
            cache = DynamicCache(config=model.config)
            found = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            for _ in range(case.new_tokens):
                found = model(input_ids=found.logits[:, -1:].argmax(-1), past_key_values=cache, use_cache=True)

    peak = _peak([*model.parameters(), *model.buffers()], (answer,), device)
    context, prefill = plan.context + case.new_tokens, plan.micro_batch * plan.context
    found = serving_memory(shape, Serving(context, plan.micro_batch, prefill, size, size, size, attention=plan.attention, overhead=False))
    return Row(case, peak, found.bytes, found.moment)


def _peak(lasting: list[Any], runs: tuple[Callable[[], None], ...], device: str) -> int:
    """Peak bytes of the last of the runs."""
    if device != "cpu":
        for run in runs:
            torch.cuda.reset_peak_memory_stats()
            run()
        return torch.cuda.max_memory_allocated()
    with LiveTensors(lasting) as live:
        for run in runs:
            live.reset_peak()
            run()
    return live.peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--others", action="store_true", help="architectures whose estimates are unvalidated")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA device here; --device cpu measures the same code on small models")
    warnings.filterwarnings("ignore")
    chosen = [one for one in cases(options.device, others=options.others) if options.only in one.name and not _lacks(one)]
    if not chosen:
        raise SystemExit(f"no case has {options.only!r} in its name")
    gpu = torch.cuda.get_device_name() if options.device == "cuda" else "no GPU"
    print(f"{gpu}; {machine()}; torch {torch.__version__}\n", flush=True)
    rows = []
    for case in chosen:
        rows.append(measure(case, options.device))
        if options.device == "cuda":
            torch.cuda.empty_cache()
    told = [(r.case.name, f"{r.measured / MIB:,.1f}", f"{r.estimated / MIB:,.1f}", f"{r.error:+.1%}", r.moment) for r in rows]
    print(table(("case", "measured MiB", "estimated MiB", "error", "fullest at"), told))
    errors = sorted(abs(row.error) for row in rows)
    goal = "none" if options.others else f"{GOAL:.0%}"
    print(f"\n{len(rows)} cases: median error {errors[len(errors) // 2]:.1%}, largest {errors[-1]:.1%} (goal: {goal})")
    sys.exit(errors[-1] > GOAL and not options.others)


def _lacks(case: Case) -> bool:
    return case.plan.lora is not None and importlib.util.find_spec("peft") is None


if __name__ == "__main__":
    main()
