"""A random-weight model of some 30,000 parameters, as a Hugging Face folder or a GGUF file, and the parts to break one.

Everything comes from a seed, so two calls write the same bytes. The vocabulary is byte-level BPE: the 256 bytes, some
Korean syllables and words, and control tokens.
"""

import json
import random
import struct
from array import array

WIDTH, MLP_WIDTH, NUM_LAYERS, NUM_HEADS, NUM_KV_HEADS, HEAD_DIM, CONTEXT = 32, 64, 2, 4, 2, 8, 1024
END_TOKEN = "<|im_end|>"
CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", END_TOKEN, "<end_of_turn>")
MERGED_WORDS = ("크림", "좋아요", "보습력", "흡수력", "맛", "색상", "이", "가", "는", "은", "다", "요", "합니다", " '", "' : ", '", "', "ab", "the")


def byte_letters():
    """GPT-2's table: the letter that stands for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters, following = {}, 0x100
    for byte in range(256):
        letters[byte] = chr(byte) if byte in printable else chr(following)
        following += byte not in printable
    return letters


def vocabulary():
    """Pieces in the order of their ids, and the merges in theirs."""
    letters = byte_letters()
    pieces = [letters[byte] for byte in range(256)]
    merges = []

    def join(left, right):
        if left + right not in pieces:
            pieces.append(left + right)
            merges.append((left, right))
        return left + right

    for word in MERGED_WORDS:
        whole = ""
        for character in word:
            piece = ""
            for byte in character.encode():
                piece = join(piece, letters[byte]) if piece else letters[byte]
            whole = join(whole, piece) if whole else piece
    return pieces, merges


def tokenizer_json():
    pieces, merges = vocabulary()
    added = [
        {"id": len(pieces) + i, "content": token, "special": True, "lstrip": False, "rstrip": False, "normalized": False}
        for i, token in enumerate(CONTROL_TOKENS)
    ]
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)}, "merges": [f"{a} {b}" for a, b in merges]},
    }


def vocab_size():
    return len(vocabulary()[0]) + len(CONTROL_TOKENS)


def config(architecture="llama", **changes):
    result = {
        "model_type": "llama" if architecture == "llama" else "gemma3_text",
        "hidden_size": WIDTH,
        "intermediate_size": MLP_WIDTH,
        "num_hidden_layers": NUM_LAYERS,
        "num_attention_heads": NUM_HEADS,
        "num_key_value_heads": NUM_KV_HEADS,
        "head_dim": HEAD_DIM,
        "vocab_size": vocab_size(),
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
    }
    if architecture == "gemma3":
        result |= {"sliding_window": 64, "query_pre_attn_scalar": HEAD_DIM, "layer_types": ["sliding_attention", "full_attention"]}
    return {key: value for key, value in (result | changes).items() if value is not ...}


def shapes(architecture="llama"):
    """Name and shape of every tensor, as a Hugging Face folder has them."""
    q, kv = NUM_HEADS * HEAD_DIM, NUM_KV_HEADS * HEAD_DIM
    result = {"model.embed_tokens.weight": (vocab_size(), WIDTH), "model.norm.weight": (WIDTH,)}
    norms = {"input_layernorm": WIDTH, "post_attention_layernorm": WIDTH}
    if architecture == "gemma3":
        norms |= {"pre_feedforward_layernorm": WIDTH, "post_feedforward_layernorm": WIDTH}
        norms |= {"self_attn.q_norm": HEAD_DIM, "self_attn.k_norm": HEAD_DIM}
    linears = {
        "self_attn.q_proj": (q, WIDTH),
        "self_attn.k_proj": (kv, WIDTH),
        "self_attn.v_proj": (kv, WIDTH),
        "self_attn.o_proj": (WIDTH, q),
        "mlp.gate_proj": (MLP_WIDTH, WIDTH),
        "mlp.up_proj": (MLP_WIDTH, WIDTH),
        "mlp.down_proj": (WIDTH, MLP_WIDTH),
    }
    for layer in range(NUM_LAYERS):
        prefix = f"model.layers.{layer}."
        result |= {f"{prefix}{name}.weight": (size,) for name, size in norms.items()}
        result |= {f"{prefix}{name}.weight": shape for name, shape in linears.items()}
    return result


def tensors(architecture="llama", seed=1):
    """{name: (shape, array of f32)}."""
    rng = random.Random(seed)
    result = {}
    for name, shape in shapes(architecture).items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        if len(shape) == 1:  # Gemma adds one to its gains.
            values = [rng.uniform(-0.1, 0.1) + (architecture != "gemma3") for _ in range(count)]
        else:
            bound = (3.0 / shape[1]) ** 0.5
            values = [rng.uniform(-bound, bound) for _ in range(count)]
        result[name] = (shape, array("f", values))
    return result


def safetensors(named, dtype="F32"):
    """Bytes of a safetensors file of {name: (shape, array)}."""
    header, body = {}, b""
    for name, (shape, values) in named.items():
        data = values.tobytes()
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    return safetensors_of(json.dumps(header).encode(), body)


def safetensors_of(header, body, claimed_bytes=None):
    return struct.pack("<Q", len(header) if claimed_bytes is None else claimed_bytes) + header + body


def read_safetensors(content):
    """Header and body of a safetensors file."""
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def write_folder(folder, architecture="llama", seed=1, **config_changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(architecture, **config_changes)))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(), ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": END_TOKEN}))
    (folder / "model.safetensors").write_bytes(safetensors(tensors(architecture, seed)))
    return folder


def add_words(folder, words, seed=2):
    """Gives a folder's model tokens of its own for whole words, which are no control tokens: {word: its id}."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    first = max(token["id"] for token in tokenizer["added_tokens"]) + 1
    ids = {word: first + i for i, word in enumerate(words)}
    plain = {"special": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokenizer["added_tokens"] += [{"id": i, "content": word} | plain for word, i in ids.items()]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    written = json.loads((folder / "config.json").read_text())
    written["vocab_size"] = first + len(words)
    (folder / "config.json").write_text(json.dumps(written))
    named, rng = tensors(), random.Random(seed)
    shape, values = named["model.embed_tokens.weight"]
    bound = (3.0 / WIDTH) ** 0.5
    values.extend(rng.uniform(-bound, bound) for _ in range(len(words) * WIDTH))
    named["model.embed_tokens.weight"] = ((shape[0] + len(words), WIDTH), values)
    (folder / "model.safetensors").write_bytes(safetensors(named))
    return ids


# GGUF: value types and tensor types by number.
U32, I32, F32, STRING, ARRAY, U64 = 4, 5, 6, 8, 9, 10
TENSOR_F32 = 0


def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_value(kind, value):
    if kind == STRING:
        return gguf_string(value)
    if kind == ARRAY:
        item_kind, items = value
        return struct.pack("<IQ", item_kind, len(items)) + b"".join(gguf_value(item_kind, item) for item in items)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", U64: "<Q"}[kind], value)


def gguf_metadata():
    """{key: (value type, value)} of the tiny Llama."""
    pieces, merges = vocabulary()
    tokens = [*pieces, *CONTROL_TOKENS]
    kinds = [1] * len(pieces) + [3] * len(CONTROL_TOKENS)
    return {
        "general.architecture": (STRING, "llama"),
        "llama.embedding_length": (U32, WIDTH),
        "llama.feed_forward_length": (U32, MLP_WIDTH),
        "llama.block_count": (U32, NUM_LAYERS),
        "llama.attention.head_count": (U32, NUM_HEADS),
        "llama.attention.head_count_kv": (U32, NUM_KV_HEADS),
        "llama.context_length": (U32, CONTEXT),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-6),
        "tokenizer.ggml.model": (STRING, "gpt2"),
        "tokenizer.ggml.pre": (STRING, "gpt-2"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (I32, kinds)),
        "tokenizer.ggml.merges": (ARRAY, (STRING, [f"{a} {b}" for a, b in merges])),
        "tokenizer.ggml.eos_token_id": (U32, tokens.index(END_TOKEN)),
    }


GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_tensors(seed=1):
    """[(name, shape, tensor type, bytes)] of the tiny Llama."""
    result = []
    for name, (shape, values) in tensors("llama", seed).items():
        if name.startswith("model.layers."):
            _, _, layer, inner = name.removesuffix(".weight").split(".", 3)
            name = f"blk.{layer}.{GGUF_NAMES[inner]}.weight"
        else:
            name = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[name]
        result.append((name, shape, TENSOR_F32, values.tobytes()))
    return result


def gguf(metadata, named, version=3, magic=b"GGUF", num_tensors=None, num_keys=None, offsets=None):
    """Bytes of a GGUF file. `offsets` replaces those of the tensors it names."""
    content = magic + struct.pack("<IQQ", version, len(named) if num_tensors is None else num_tensors,
                                  len(metadata) if num_keys is None else num_keys)  # fmt: skip
    for key, (kind, value) in metadata.items() if isinstance(metadata, dict) else metadata:
        content += gguf_string(key) + struct.pack("<I", kind) + gguf_value(kind, value)
    body = b""
    for name, shape, kind, data in named:
        content += gguf_string(name) + struct.pack("<I", len(shape))
        content += b"".join(struct.pack("<Q", size) for size in reversed(shape))
        content += struct.pack("<IQ", kind, (offsets or {}).get(name, len(body)))
        body += data + b"\0" * (-len(data) % 32)
    return content + b"\0" * (-len(content) % 32) + body
