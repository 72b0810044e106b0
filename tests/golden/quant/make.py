#!/usr/bin/env python3
"""Makes blocks.json and nf4.json with the reference tools. See PROVENANCE.md.

  make.py OUT_FOLDER [SEED]
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from bitsandbytes import functional

DECODED = ("F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K")
ENCODED = ("F16", "BF16", "Q8_0", "Q4_0")


def text(values) -> str:
    return np.ascontiguousarray(values).tobytes().hex()


def finite_blocks(rng, kind, count: int):
    """Random bytes whose values are finite and not huge, and the values."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    while True:
        raw = rng.integers(0, 256, size=(count, size), dtype=np.uint8)
        with np.errstate(all="ignore"):
            values = gguf.dequantize(raw.reshape(-1), kind).astype("<f4")
        if np.isfinite(values).all() and np.abs(values).max() < 1e4:
            return raw, values


def blocks(rng) -> dict:
    found = {}
    for name in DECODED:
        kind = gguf.GGMLQuantizationType[name]
        is_super = gguf.GGML_QUANT_SIZES[kind][0] == 256
        raw, values = finite_blocks(rng, kind, 1 if is_super else 2)
        found[name] = {"blocks": text(raw), "decoded": text(values)}
    x = rng.standard_normal((4, 32)).astype("<f4")
    x[0] = 0
    x[1] *= 1e-3
    x[2, 3] = -100.0
    for name in ENCODED:
        found[name] |= {"input": text(x), "encoded": text(gguf.quantize(x, gguf.GGMLQuantizationType[name]))}
    return found


def nf4(rng) -> dict:
    cases = {
        "one": rng.standard_normal(1),
        "63": rng.standard_normal(63),
        "64": rng.standard_normal(64),
        "65": rng.standard_normal(65) * 1e-3,
        "zero_block": np.concatenate([np.zeros(64), rng.standard_normal(64)]),
        "constant": np.full(64, 0.3),
        "mixed": np.concatenate([rng.standard_normal(64) * 10.0**k for k in range(-4, 3)]),
    }
    found = {}
    for name, values in cases.items():
        x = torch.tensor(values.astype(np.float32))
        single, state = functional.quantize_4bit(x, blocksize=64, compress_statistics=False, quant_type="nf4")
        double, nested = functional.quantize_4bit(x, blocksize=64, compress_statistics=True, quant_type="nf4")
        assert torch.equal(single, double)
        found[name] = {
            "input": text(x.numpy()),
            "codes": text(single.numpy()),
            "absmax": text(state.absmax.numpy()),
            "decoded": text(functional.dequantize_4bit(single, state).numpy()),
            "absmax_codes": text(nested.absmax.numpy()),
            "nested_absmax": text(nested.state2.absmax.numpy()),
            "offset": text(nested.offset.numpy()),
            "double_decoded": text(functional.dequantize_4bit(double, nested).numpy()),
        }
    return {"nested_map": text(nested.state2.code.numpy()), "cases": found}


def main() -> None:
    out = Path(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    torch.set_num_threads(1)
    for name, content in (("blocks", blocks(np.random.default_rng(seed))), ("nf4", nf4(np.random.default_rng(seed)))):
        (out / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


main()
