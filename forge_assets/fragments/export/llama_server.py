"""llama.cpp's server over one GGUF file, in a process of its own: where a file does not fit, llama.cpp ends the process it runs in.

`python -m forge_assets.fragments.export.llama_server FILE CONTEXT THREADS text|hidden` prints the address and serves until its standard
input is closed. `text` completes; `hidden` gives what comes out of the last norm, for every token of an input.
"""

from __future__ import annotations

import os
import sys


def main(path: str, context: str, threads: str, kind: str) -> None:
    import xllamacpp  # type: ignore[import-untyped, unused-ignore]

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = params.n_batch = params.n_ubatch = int(context)
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
    params.warmup = params.fit_params = False
    params.cache_ram_mib = 0
    # keys and values in f32, so that what is compared is the model and not its cache
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.verbosity = 0
    if kind == "hidden":
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
