"""What the configurations of trainers may say, as their public source has it: section -> names, those that must stand there, and values.

torchtitan 0.2.2 (torchtitan/config/job_config.py; its own ConfigManager read our files once, see docs/reference/figures.md) and nanotron at
19f88fb (src/nanotron/config; read strictly, by dacite). Only the sections that we write.
"""

from __future__ import annotations

TITAN: dict[str, set[str]] = {
    "job": set("config_file dump_folder description print_config save_config_file custom_config_module".split()),
    "model": set("name flavor hf_assets_path tokenizer_path converters print_after_conversion".split()),
    "optimizer": set("name lr beta1 beta2 eps weight_decay implementation early_step_in_backward".split()),
    "lr_scheduler": set("warmup_steps total_steps decay_ratio decay_type min_lr_factor".split()),
    "training": set(
        "dataset dataset_path local_batch_size global_batch_size seq_len max_norm steps enable_cpu_offload dtype mixed_precision_param "
        "mixed_precision_reduce gc_freq gc_debug dataloader".split()
    ),
    "parallelism": set(
        "data_parallel_replicate_degree data_parallel_shard_degree fsdp_reshard_after_forward tensor_parallel_degree disable_loss_parallel "
        "enable_async_tensor_parallel pipeline_parallel_degree pipeline_parallel_schedule pipeline_parallel_microbatch_size "
        "context_parallel_degree context_parallel_load_balancer expert_parallel_degree expert_tensor_parallel_degree".split()
    ),
    "checkpoint": set("enable folder interval keep_latest_k load_step last_save_model_only export_dtype async_mode".split()),
}
TITAN_VALUES = {
    ("lr_scheduler", "decay_type"): {"linear", "sqrt", "cosine"},
    ("training", "mixed_precision_param"): {"bfloat16", "float32"},
    ("optimizer", "name"): {"Adam", "AdamW"},
}
NANOTRON: dict[str, tuple[set[str], set[str]]] = {
    "": (
        set("general parallelism model".split()),
        set("general parallelism model tokenizer checkpoints logging tokens optimizer data_stages profiler lighteval s3_upload".split()),
    ),
    "general": ({"project"}, set("project run seed step consumed_train_samples benchmark_csv_path ignore_sanity_checks".split())),
    "parallelism": (
        set("dp pp tp".split()),
        set(
            "dp pp tp pp_engine tp_mode tp_linear_async_communication recompute_layer moe_layer_recompute tp_recompute_allgather "
            "expert_parallel_size context_parallel_size".split()
        ),
    ),
    "model": (
        set("model_config init_method".split()),
        set("model_config init_method dtype make_vocab_size_divisible_by ddp_bucket_cap_mb".split()),
    ),
    "model.init_method": ({"std"}, {"std", "scaling_method"}),
    "model.model_config": (
        set(),
        set(
            "bos_token_id eos_token_id hidden_act hidden_size initializer_range intermediate_size is_llama_config max_position_embeddings "
            "num_attention_heads num_hidden_layers attention_bias num_key_value_heads pad_token_id pretraining_tp rms_norm_eps "
            "rope_scaling rope_theta rope_interleaved tie_word_embeddings use_cache vocab_size z_loss_enabled z_loss_coefficient".split()
        ),
    ),
    "tokens": (
        set("sequence_length train_steps micro_batch_size batch_accumulation_per_replica".split()),
        set(
            "sequence_length train_steps micro_batch_size batch_accumulation_per_replica val_check_interval limit_val_batches "
            "limit_test_batches".split()
        ),
    ),
    "optimizer": (
        set("optimizer_factory zero_stage weight_decay clip_grad accumulate_grad_in_fp32 learning_rate_scheduler".split()),
        set(
            "optimizer_factory zero_stage weight_decay clip_grad accumulate_grad_in_fp32 learning_rate_scheduler "
            "weight_decay_exclude_named_params".split()
        ),
    ),
    "optimizer.optimizer_factory": (
        set("adam_eps adam_beta1 adam_beta2 torch_adam_is_fused".split()),
        set("adam_eps adam_beta1 adam_beta2 torch_adam_is_fused name".split()),
    ),
    "optimizer.learning_rate_scheduler": (
        {"learning_rate", "lr_warmup_style"},
        set("learning_rate lr_warmup_steps lr_warmup_style lr_decay_style lr_decay_steps lr_decay_starting_step min_decay_lr".split()),
    ),
    "checkpoints": (
        set("checkpoints_path checkpoint_interval".split()),
        set(
            "checkpoints_path checkpoint_interval save_initial_state save_final_state resume_checkpoint_path load_lr_scheduler "
            "load_optimizer checkpoints_path_is_shared_file_system".split()
        ),
    ),
}
NANOTRON_STYLES = {"linear", "cosine", "1-sqrt"}
