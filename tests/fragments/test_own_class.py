"""The class that a model brings where no stock class covers its stack: it decodes with a cache and takes padding on any side.

A stack of each kind here, all of them in tests/trials/test_own_class.py.
"""

from __future__ import annotations

import copy

import pytest
import torch

from tests.fragments.own_class import CLOSE, PROMPTS, apart, cached_as_whole, loaded, padded, padded_as_alone, written_as_alone


@pytest.mark.parametrize("name", ["latent", "linear"])
def test_a_cache_gives_the_logits_and_the_text_of_whole_rows(name: str) -> None:
    cached_as_whole(loaded(name))


@pytest.mark.parametrize(("name", "side"), [("alibi", "left"), ("linear", "both"), ("capacity", "left")])
def test_padding_changes_nothing_of_a_row(name: str, side: str) -> None:
    padded_as_alone(loaded(name), side, causal=name != "capacity")


@pytest.mark.parametrize(("name", "beams"), [("linear", 1), ("alibi", 2), ("capacity", 1)])
def test_a_padded_batch_writes_what_each_prompt_alone_does(name: str, beams: int) -> None:
    written_as_alone(loaded(name), beams)


def test_the_loss_of_a_padded_batch_and_its_gradient_are_those_of_its_rows() -> None:
    model = copy.deepcopy(loaded("alibi")).train()
    wanted, count = torch.zeros(()), 0
    for row in PROMPTS:
        one = torch.tensor([row])
        wanted = wanted + model(one, labels=one).loss * (len(row) - 1)
        count += len(row) - 1
    (wanted / count).backward()
    weight = model.get_parameter("model.layers.0.self_attn.k_proj.weight")
    slope, weight.grad = weight.grad, None
    for side in ("left", "right"):
        ids, mask = padded(PROMPTS, side)
        made = model(ids, attention_mask=mask, labels=ids)
        made.loss.backward()
        assert made.past_key_values is None and apart(made.loss, wanted / count) < CLOSE and apart(weight.grad, slope) < 1e-4
        weight.grad = None


def test_a_talk_goes_on_from_its_cache_though_rows_get_unequally_much() -> None:
    model = loaded("linear")
    first, one = padded(([5, 9, 11], [17]), "left")
    then, two = padded(([7], [3, 21, 4]), "left")
    with torch.no_grad():
        cache = model(first, attention_mask=one, use_cache=True).past_key_values
        cache.batch_repeat_interleave(2)
        cache.batch_select_indices(torch.tensor([0, 3]))
        made = model(then, attention_mask=torch.cat((one, two), 1), past_key_values=copy.deepcopy(cache))
        assert apart(made.logits[0, 2:], model(torch.tensor([[5, 9, 11, 7]])).logits[0, 3:]) < CLOSE
        assert apart(made.logits[1], model(torch.tensor([[17, 3, 21, 4]])).logits[0, 1:]) < CLOSE
        with pytest.raises(ValueError, match="says other padding than the calls before"):
            model(then, attention_mask=torch.cat((torch.ones_like(one), two), 1), past_key_values=cache)
        with pytest.raises(ValueError, match="the cache has 2 rows, input_ids have 1"):
            model(then[:1], past_key_values=cache)


def test_what_cannot_be_done_is_told() -> None:
    from transformers import DynamicCache

    model = loaded("alibi")
    ids, mask = padded(PROMPTS, "right")
    with pytest.raises(ValueError, match="pad on the left"):
        model.generate(ids, attention_mask=mask, max_new_tokens=2)
    with pytest.raises(ValueError, match="past_key_values is a DynamicCache"):
        model(ids, past_key_values=DynamicCache())
    with pytest.raises(ValueError, match=r"attention_mask is \[3, 2\]; expected \[3, 7\]"):
        model(ids, attention_mask=mask[:, :2])
    with pytest.raises(ValueError, match="a row of attention_mask is 0 everywhere"):
        model(ids, attention_mask=mask * torch.tensor([[1], [0], [1]]))
    with pytest.raises(ValueError, match="leave position_ids out"):
        model(ids, position_ids=torch.zeros_like(ids))
    with pytest.raises(ValueError, match="assisted generation is not supported with stateful models"):
        model.generate(ids[:1], attention_mask=mask[:1], assistant_model=model, max_new_tokens=2)
    with pytest.raises(ValueError, match="no token that attention_mask does not call padding"):
        model(ids[:, :0])
    learned = loaded("learned")
    most = learned._positions
    kept = learned(torch.full((1, most - 1), 7), use_cache=True).past_key_values
    with pytest.raises(ValueError, match=f"a row gets {most + 1} tokens, the model has learned {most} positions"):
        learned(torch.full((1, 2), 7), past_key_values=kept)
    assert learned(torch.full((1, 1), 7), past_key_values=kept).logits.shape[1] == 1
