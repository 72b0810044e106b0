"""Checkpoints, tokenizers and adapters that are cut, lie, or belong to something else."""

import json
import math
import os
import shutil
import struct
from array import array

import tiny_model
from bad_input import Case
from tiny_model import ARRAY, F32, I32, STRING, U32
from workshop import trained_adapter

NAN, INFINITY = math.nan, math.inf


# --- safetensors ---


def weights_case(name, spoil, *names):
    """`spoil` takes the bytes of model.safetensors to others."""

    def command(w):
        path = w.base / "model.safetensors"
        path.write_bytes(spoil(path.read_bytes()))
        return ["inspect", w.base]

    return Case(f"safetensors: {name}", command, ("model.safetensors", *names))


def header_case(name, spoil, *names):
    """`spoil` changes the header; None stands for a change in place."""

    def with_header(content):
        header, body = tiny_model.read_safetensors(content)
        changed = spoil(header)
        text = changed if isinstance(changed, bytes) else json.dumps(header if changed is None else changed).encode()
        return tiny_model.safetensors_of(text, body)

    return weights_case(name, with_header, *names)


def tensor_case(name, spoil, *names):
    """`spoil` changes {name: (shape, array)}; only loading the model shows it."""

    def command(w):
        named = tiny_model.tensors()
        spoil(named)
        (w.base / "model.safetensors").write_bytes(tiny_model.safetensors(named))
        return w.generate()

    # Which rows of the embedding are read shows when answering begins.
    return Case(f"weights: {name}", command, ("model", *names), ("answers.jsonl", "answers.jsonl.manifest.json"))


def set_value(tensor, value):
    def spoil(named):
        named[tensor][1][5] = value

    return spoil


def twice(content):
    header, body = tiny_model.read_safetensors(content)
    entry = json.dumps(header["model.norm.weight"])
    return tiny_model.safetensors_of(json.dumps(header).encode()[:-1] + b', "model.norm.weight": ' + entry.encode() + b"}", body)


def transpose(named):
    shape, values = named["model.layers.1.mlp.gate_proj.weight"]
    named["model.layers.1.mlp.gate_proj.weight"] = (shape[::-1], values)


def change_entry(tensor, **changes):
    return lambda header: header[tensor].update(changes)


GATE = "model.layers.0.mlp.gate_proj.weight"
SAFETENSORS = [
    weights_case("empty file", lambda c: b"", "0 bytes"),
    weights_case("cut in the size", lambda c: c[:5], "5 bytes"),
    weights_case("cut in the header", lambda c: c[:100], "header claims"),
    weights_case("cut in the tensors", lambda c: c[:-1000], "the file holds"),
    weights_case("bytes after the last tensor", lambda c: c + b"1234", "4 bytes after the last tensor"),
    weights_case("header of 2^40 bytes", lambda c: struct.pack("<Q", 2**40) + c[8:], "claims 1099511627776 bytes"),
    weights_case("header of 2^64 - 1 bytes", lambda c: b"\xff" * 8 + c[8:], "claims 18446744073709551615 bytes"),
    weights_case("header shorter than it is", lambda c: struct.pack("<Q", 50) + c[8:], "not valid JSON"),
    weights_case("header of no bytes", lambda c: struct.pack("<Q", 0) + c[8:], "not valid JSON"),
    weights_case("header that is a list", lambda c: tiny_model.safetensors_of(b"[1]", b""), "no JSON object"),
    weights_case("tensor named twice", twice, "model.norm.weight", "twice"),
    header_case("header nested 100,000 deep", lambda h: b'{"a":' + b"[" * 100000, "nested deeper"),
    header_case("shape that does not match its bytes", change_entry(GATE, shape=[63, 32]), GATE, "[63,32]"),
    header_case("shape below zero", change_entry(GATE, shape=[-64, 32]), GATE, "-64"),
    header_case("shape of 2^62", change_entry(GATE, shape=[2**62, 32]), GATE, str(2**62)),
    header_case("nine dimensions", change_entry(GATE, shape=[1] * 9), GATE, "8"),
    header_case("unknown dtype", change_entry(GATE, dtype="F7"), GATE, '"F7"'),
    header_case("dtype that nothing computes with", change_entry(GATE, dtype="F64"), GATE, '"F64"'),
    header_case("offsets the wrong way round", change_entry(GATE, data_offsets=[8192, 0]), GATE, "8192"),
    header_case("offsets past the end", change_entry(GATE, data_offsets=[2**60, 2**60 + 8192]), GATE, str(2**60)),
    header_case("overlapping tensors", change_entry(GATE, data_offsets=[0, 8192]), "without a hole or overlap"),
    header_case("tensor without a shape", lambda h: h[GATE].pop("shape") and None, GATE, "lacks"),
    tensor_case("missing tensor", lambda t: t.pop("model.norm.weight"), '"model.norm.weight" is missing'),
    tensor_case("transposed matrix", transpose, "[32, 64]", "[64, 32]", "model.layers.1.mlp.gate_proj.weight"),
    tensor_case("NaN in a norm", set_value("model.norm.weight", NAN), "model.norm.weight", "not finite"),
    tensor_case("NaN in a matrix", set_value(GATE, NAN), GATE, "not finite"),
    tensor_case("infinity in a matrix", set_value(GATE, INFINITY), GATE, "not finite"),
    tensor_case("NaN in the embeddings", set_value("model.embed_tokens.weight", NAN), "embed_tokens", "not finite"),
]


def index_case(name, weight_map, *names, twice=False):
    def command(w):
        (w.base / "model.safetensors").rename(w.base / "a.safetensors")
        if twice:
            shutil.copy(w.base / "a.safetensors", w.base / "b.safetensors")
        w.write("model/model.safetensors.index.json", {"weight_map": weight_map})
        return ["inspect", w.base]

    return Case(f"shards: {name}", command, names)


SHARDS = [
    index_case("a shard that is not there", {"model.norm.weight": "c.safetensors"}, "index.json", '"c.safetensors"'),
    index_case("a shard outside the folder", {"model.norm.weight": "../a.safetensors"}, "index.json", "../a.safetensors"),
    index_case("a tensor that is not in its shard", {"nobody": "a.safetensors"}, "index.json", '"nobody"'),
    index_case("a map that is a list", ["a.safetensors"], "index.json", "weight_map"),
    index_case("a tensor in two shards", {"model.norm.weight": "a.safetensors", GATE: "b.safetensors"}, "two shards", twice=True),
]


# --- GGUF ---


def gguf_case(name, *names, keys=None, tensors=None, spoil=None, tail=lambda c: c, command="inspect", **header):
    """`keys` changes metadata (None drops a key); `tensors` and `spoil` the list of tensors; `tail` the bytes."""

    def make(w):
        metadata = tiny_model.gguf_metadata()
        for key, value in (keys or {}).items():
            metadata[key] = value
        metadata = {key: value for key, value in metadata.items() if value is not None}
        named = tiny_model.gguf_tensors() if tensors is None else tensors
        for at, change in (spoil or {}).items():
            named[at] = change(*named[at])
        path = w.write("model.gguf", tail(tiny_model.gguf(metadata, named, **header)))
        return ["inspect", path] if command == "inspect" else w.generate(base=path)

    return Case(f"GGUF: {name}", make, ("model.gguf", *names))


def with_type(kind):
    return lambda name, shape, _, data: (name, shape, kind, data)


TYPES_HEAD = struct.pack("<IQ", I32, tiny_model.vocab_size())  # Of tokenizer.ggml.token_type.
NO_TENSORS = [("token_embd.weight", (1, 30), 2, b"\0" * 32)]
GGUF = [
    gguf_case("another magic", "GGML", magic=b"GGML"),
    gguf_case("version 1", "version 1", version=1),
    gguf_case("version 2", "version 2", version=2),
    gguf_case("big-endian", "big-endian", version=0x03000000),
    gguf_case("unknown block type", "token_embd.weight", "unknown type 99", spoil={0: with_type(99)}),
    gguf_case("block type that is not read", "token_embd.weight", "IQ2_XXS", spoil={0: with_type(16)}),
    gguf_case("2^60 tensors", str(2**60), num_tensors=2**60),
    gguf_case("2^60 keys", str(2**60), num_keys=2**60),
    gguf_case("keys that are not there", "model.gguf", num_keys=1000),
    gguf_case("an array of 2^62", str(2**62), tail=lambda c: c.replace(TYPES_HEAD, TYPES_HEAD[:4] + struct.pack("<Q", 2**62))),
    gguf_case("a string of 2^61 bytes", str(2**61), tail=lambda c: c[:24] + struct.pack("<Q", 2**61) + c[32:]),
    gguf_case("the same tensor twice", "output_norm.weight", "twice", tensors=tiny_model.gguf_tensors() + [tiny_model.gguf_tensors()[1]]),
    gguf_case("overlapping tensors", "output_norm.weight", "overlaps", offsets={"output_norm.weight": 0}),
    gguf_case("an offset past the end", "output_norm.weight", str(2**40), offsets={"output_norm.weight": 2**40}),
    gguf_case("an offset that is not aligned", "output_norm.weight", "alignment", offsets={"output_norm.weight": 7}),
    gguf_case("alignment of 3", "general.alignment", "3", keys={"general.alignment": (U32, 3)}),
    gguf_case("a row that is no whole block", "token_embd.weight", "30", tensors=NO_TENSORS),
    gguf_case("a dimension of 0", "token_embd.weight", "0", spoil={0: lambda n, s, k, d: (n, (0, 32), k, d)}),
    gguf_case("five dimensions", "token_embd.weight", "5 dimensions", spoil={0: lambda n, s, k, d: (n, (1,) * 5, k, d)}),
    gguf_case("cut in the tensors", "is the download complete", tail=lambda c: c[:-500]),
    gguf_case("no tokenizer", "tokenizer.ggml.model", keys={"tokenizer.ggml.model": None}),
    gguf_case("unknown tokenizer", '"wordpiece"', keys={"tokenizer.ggml.model": (STRING, "wordpiece")}),
    gguf_case("unknown pre-tokenizer", '"klingon"', keys={"tokenizer.ggml.pre": (STRING, "klingon")}),
    gguf_case("token types for other tokens", "token_type", "3", keys={"tokenizer.ggml.token_type": (ARRAY, (U32, [1, 1, 1]))}),
    gguf_case("a merge of unknown tokens", "zz yy", keys={"tokenizer.ggml.merges": (ARRAY, (STRING, ["zz yy"]))}),
    gguf_case("an end token outside the vocabulary", "EOS", "999999", keys={"tokenizer.ggml.eos_token_id": (U32, 999999)}),
    gguf_case("unknown architecture", '"mamba"', keys={"general.architecture": (STRING, "mamba")}),
    gguf_case("architecture that is a number", "general.architecture", "7", keys={"general.architecture": (U32, 7)}),
    gguf_case("no number of layers", "llama.block_count", keys={"llama.block_count": None}),
    gguf_case("width that is a text", "llama.embedding_length", keys={"llama.embedding_length": (STRING, "32")}),
    gguf_case("no heads", "head_count", "0", keys={"llama.attention.head_count": (U32, 0)}),
    gguf_case("more layers than tensors", "blk.2", keys={"llama.block_count": (U32, 3)}, command="generate"),
    gguf_case("another width", "[", "64", keys={"llama.embedding_length": (U32, 64)}, command="generate"),
    gguf_case("infinite epsilon", "epsilon", keys={"llama.attention.layer_norm_rms_epsilon": (F32, INFINITY)}),
    gguf_case("NaN in a block's scale", "blk.0.ffn_gate.weight", "not finite", command="generate",
              spoil={8: lambda n, s, k, d: (n, s, 2, (b"\xff\x7f" + b"\0" * 16) * 64)}),
]  # fmt: skip


# --- what is no model, configurations, tokenizers ---


def config_case(name, *names, architecture="llama", command="inspect", **changes):
    def make(w):
        tiny_model.write_folder(w.base, architecture, **changes)
        return ["inspect", w.base] if command == "inspect" else w.generate()

    return Case(f"config: {name}", make, names)


def file_case(name, path, content, *names, command="inspect"):
    """A file of the model folder is replaced, or taken away where `content` is None."""

    def make(w):
        if content is None:
            (w.base / path).unlink()
        else:
            w.write(f"model/{path}", content)
        return ["inspect", w.base] if command == "inspect" else w.generate()

    return Case(f"model folder: {name}", make, names)


def tokenizer_case(name, spoil, *names, command="inspect"):
    tokenizer = tiny_model.tokenizer_json()
    spoil(tokenizer)
    return file_case(f"tokenizer with {name}", "tokenizer.json", tokenizer, *names, command=command)


def endless_case(command):
    """A tokenizer without control tokens has nothing to end an answer with."""

    def make(w):
        w.write("model/tokenizer.json", tiny_model.tokenizer_json() | {"added_tokens": []})
        w.write("model/tokenizer_config.json", "{}")
        return w.sft() if command == "sft" else w.generate(guide=w.guide)

    return Case(f"model folder: no end token, {command}", make, ("end token",))


def not_a_model(name, content, *names):
    return Case(f"no model: {name}", lambda w: ["inspect", w.write("thing.bin", content)], ("thing.bin", *names))


MODELS = [
    not_a_model("an empty file", b"", "empty"),
    not_a_model("a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "PNG"),
    not_a_model("a text", "Hello, this is a readme.\n", "Hello"),
    not_a_model("a pickle in a zip archive", b"PK\x03\x04" + b"\0" * 60, "PK"),
    not_a_model("four bytes", b"GGUF", "ends"),
    Case("no model: a path that is not there", lambda w: ["inspect", w.folder / "nowhere"], ("nowhere", "no such file")),
    Case("no model: an empty folder", lambda w: ["inspect", w.write("empty/note.txt", "").parent], ("empty", "config.json")),
    Case("no model: a name of 5,000 letters", lambda w: ["inspect", "a" * 500], ("aaaa", "too long")),
    file_case("without config.json", "config.json", None, "config.json", "model"),
    file_case("config.json cut", "config.json", json.dumps(tiny_model.config())[:60], "config.json", "line 1"),
    file_case("config.json that is a list", "config.json", "[]", "config.json", "object"),
    file_case("config.json of CP949", "config.json", '{"이름": 1}'.encode("cp949"), "config.json", "line 1"),
    file_case("config.json with a member twice", "config.json", '{"a": 1, "a": 2}', "config.json", '"a" twice'),
    file_case("without weights", "model.safetensors", None, "model.safetensors"),
    file_case("without a tokenizer", "tokenizer.json", None, "tokenizer.json"),
    file_case("tokenizer cut", "tokenizer.json", json.dumps(tiny_model.tokenizer_json())[:2000], "tokenizer.json", "line 1"),
    file_case("tokenizer empty", "tokenizer.json", "", "tokenizer.json", "empty"),
    file_case("tokenizer that is a list", "tokenizer.json", "[1]", "tokenizer.json"),
    file_case("tokenizer_config.json cut", "tokenizer_config.json", "{", "tokenizer_config.json", "line 1"),
    file_case("generation_config.json cut", "generation_config.json", "{", "generation_config.json", "line 1"),
    endless_case("guided"),
    endless_case("sft"),
    config_case("width that is a text", "hidden_size", '"32"', "model", hidden_size="32"),
    config_case("width that is a fraction", "hidden_size", "32.5", hidden_size=32.5),
    config_case("no width", "hidden_size", "missing", hidden_size=...),
    config_case("no heads", "num_attention_heads", "0", num_attention_heads=0),
    config_case("heads below zero", "num_attention_heads", "-4", num_attention_heads=-4),
    config_case("heads that key heads do not divide", "4", "3", command="generate", num_key_value_heads=3),
    config_case("odd width of a head", "head_dim", command="generate", head_dim=7),
    config_case("2^40 layers", "num_hidden_layers", str(2**40), num_hidden_layers=2**40),
    config_case("more layers than tensors", "model.layers.2", "missing", command="generate", num_hidden_layers=3),
    config_case("vocabulary of another size", "embed_tokens", "[", "999", command="generate", vocab_size=999),
    config_case("unknown architecture", '"mamba"', "llama", model_type="mamba"),
    config_case("no architecture", "null", "llama", model_type=...),
    config_case("architecture that is a number", "model_type", "5", model_type=5),
    config_case("epsilon that is a text", "rms_norm_eps", rms_norm_eps="tiny"),
    config_case("RoPE scaling that is not known", '"yarn"', rope_scaling={"rope_type": "yarn", "factor": 4}),
    config_case("bias that is set", "attention_bias", attention_bias=True),
    config_case("bias that is a text", "attention_bias", '"yes"', attention_bias="yes"),
    config_case("tied head that is a text", "tie_word_embeddings", '"yes"', tie_word_embeddings="yes"),
    config_case("context of nothing", "max_position_embeddings", "0", max_position_embeddings=0),
    config_case("layer types for other layers", "layer_types", architecture="gemma3", layer_types=["full_attention"]),
    config_case("activation that is a number", "hidden_activation", "5", architecture="gemma3", hidden_activation=5),
    config_case("type that is a number", "torch_dtype", "16", architecture="gemma3", torch_dtype=16),
    config_case("soft capping", "final_logit_softcapping", architecture="gemma3", final_logit_softcapping=30.0),
    tokenizer_case("another algorithm", lambda t: t["model"].update(type="WordLevel"), "tokenizer.json", '"WordLevel"'),
    tokenizer_case("a merge of unknown tokens", lambda t: t["model"]["merges"].append("zz yy"), "tokenizer.json", '"zz"'),
    tokenizer_case("a merge that is a number", lambda t: t["model"]["merges"].append(7), "tokenizer.json", "merge"),
    tokenizer_case("two tokens of one id", lambda t: t["model"]["vocab"].update(zz=0), "tokenizer.json", "id 0"),
    tokenizer_case("an id of 4,000,000", lambda t: t["model"]["vocab"].update(zz=4000000), "tokenizer.json", "4000000"),
    tokenizer_case("an id below zero", lambda t: t["model"]["vocab"].update(zz=-1), "tokenizer.json", '"zz"'),
    tokenizer_case("no vocabulary", lambda t: t["model"].pop("vocab"), "tokenizer.json", "vocab"),
    tokenizer_case("more tokens than the model", lambda t: t["model"]["vocab"].update({f"zz{i}": 1000 + i for i in range(9)}),
                   "tokenizer", "1009", str(tiny_model.vocab_size()), command="generate"),
]  # fmt: skip


# --- adapters ---


def adapter_case(name, spoil, *names):
    """`spoil` takes the adapter's folder; the adapter is one that was trained on the workshop's model."""

    def make(w):
        adapter = shutil.copytree(trained_adapter(), w.folder / "adapter")
        spoil(adapter)
        return w.generate(adapter=adapter)

    return Case(f"adapter: {name}", make, ("adapter", *names))


def adapter_config(**changes):
    def spoil(adapter):
        path = adapter / "adapter_config.json"
        config = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))

    return spoil


def adapter_tensors(change):
    def spoil(adapter):
        path = adapter / "adapter_model.safetensors"
        header, body = tiny_model.read_safetensors(path.read_bytes())
        named = {}
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                named[name] = (entry["shape"], array("f", body[begin:end]))
        change(named)
        path.write_bytes(tiny_model.safetensors(named))

    return spoil


def other_base(w, **config_changes):
    """The adapter on a model of another seed or shape."""
    tiny_model.write_folder(w.base, seed=2)
    return w.generate(adapter=shutil.copytree(trained_adapter(), w.folder / "adapter"))


def narrow_base(w):
    adapter = shutil.copytree(trained_adapter(), w.folder / "adapter")
    (adapter / "onggi.json").unlink()
    named = tiny_model.tensors()
    for name, (shape, values) in named.items():
        if "mlp" in name:
            shape = tuple(32 if size == 64 else size for size in shape)
            named[name] = (shape, values[: shape[0] * shape[1]])
    (w.base / "model.safetensors").write_bytes(tiny_model.safetensors(named))
    (w.base / "config.json").write_text(json.dumps(tiny_model.config(intermediate_size=32)))
    return w.generate(adapter=adapter)


LORA_A = "base_model.model.model.layers.0.mlp.gate_proj.lora_A.weight"
ADAPTERS = [
    Case("adapter: for another base of the same shape", other_base, ("adapter", "another base", "SHA-256")),
    Case("adapter: for another base of another shape", narrow_base, ("adapter", "another base", "[32, 32]", "[32, 64]")),
    Case("adapter: not there", lambda w: w.generate(adapter=w.folder / "nothing"), ("nothing", "adapter_config.json")),
    adapter_case("config cut", lambda a: (a / "adapter_config.json").write_text('{"peft_type": '), "adapter_config.json", "line 1"),
    adapter_case("unknown peft_type", adapter_config(peft_type="LOHA"), "adapter_config.json", '"LOHA"', '"LORA"'),
    adapter_case("no peft_type", adapter_config(peft_type=...), "adapter_config.json", "peft_type"),
    adapter_case("another rank than its tensors", adapter_config(r=4), "rank 2", "4"),
    adapter_case("rank that is a text", adapter_config(r="two"), "adapter_config.json", '"r"', '"two"'),
    adapter_case("rank of 0", adapter_config(r=0), "adapter_config.json", '"r"', "0"),
    adapter_case("feature that is not computed", adapter_config(bias="all"), "adapter_config.json", '"bias"', '"all"'),
    adapter_case("unknown setting", adapter_config(quantum=True), "adapter_config.json", '"quantum"'),
    adapter_case("weights cut", lambda a: os.truncate(a / "adapter_model.safetensors", 3000), "adapter_model.safetensors"),
    adapter_case("no weights", lambda a: (a / "adapter_model.safetensors").unlink(), "adapter_model.safetensors"),
    adapter_case("a missing matrix", adapter_tensors(lambda t: t.pop(LORA_A)), "layers.0.mlp.gate_proj", "lora_A"),
    adapter_case("a missing layer", adapter_tensors(lambda t: [t.pop(name) for name in list(t) if "0.mlp.gate_proj" in name]), "layers.0.mlp.gate_proj"),
    adapter_case("a layer too many", adapter_tensors(lambda t: t.update({name.replace(".0.", ".7."): t[name] for name in list(t) if ".0.mlp.gate" in name})), "layers.7"),
    adapter_case("NaN", adapter_tensors(lambda t: t[LORA_A][1].__setitem__(0, NAN)), LORA_A, "NaN"),
    adapter_case("a matrix of another shape", adapter_tensors(lambda t: t.update({LORA_A: ([2, 16], t[LORA_A][1][:32])})), "layers.0.mlp.gate_proj", "[64, 16]"),
    adapter_case("a tensor of something else", adapter_tensors(lambda t: t.update({"score.weight": t[LORA_A]})), '"score.weight"'),
]

CASES = [*SAFETENSORS, *SHARDS, *GGUF, *MODELS, *ADAPTERS]
