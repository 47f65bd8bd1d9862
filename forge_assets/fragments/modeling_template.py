"""This model for transformers: the module printed from its text, as a class that AutoModelForCausalLM loads with trust_remote_code=True."""

import torch
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from .module_torch import LM, Sizes


class ForgeConfig(PretrainedConfig):
    model_type = "forge"

    def __init__(self, forge=None, **more):
        self.forge = forge or {}
        super().__init__(**more)


class ForgeForCausalLM(PreTrainedModel, GenerationMixin):
    """`input_ids` [b, t] -> logits [b, t, v]. Sequences of a batch have one length: there is no mask for padding."""

    config_class = ForgeConfig
    base_model_prefix = ""
    _supports_cache_class = False

    def __init__(self, config):
        super().__init__(config)
        core = LM(Sizes(**config.forge["static"]))
        for name, module in core.named_children():
            self.add_module(name, module)
        self.__dict__["core"] = core  # the modules above are its own; a second registration would name each tensor twice
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, input_ids, attention_mask=None, labels=None, **unused):
        if attention_mask is not None and not attention_mask.bool().all():
            raise ValueError("this model has no mask for padding; give sequences of one length")
        logits = self.core(input_ids)
        loss = None
        if labels is not None:
            loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
        return CausalLMOutput(loss=loss, logits=logits)

    def prepare_inputs_for_generation(self, input_ids, **unused):
        return {"input_ids": input_ids}
