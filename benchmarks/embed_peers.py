#!/usr/bin/env python3
"""Sentences a second of `onggi embed`, sentence-transformers and onnxruntime on the same model and sentences.

  embed_peers.py --onggi build/release/bin/onggi --model DIR --sentences FILE [--threads 2] [--rounds 3]

DIR is a Hugging Face folder (all-MiniLM-L6-v2), FILE has a sentence a line. The programs take turns, one after the other,
`--rounds` times; loading the model is not counted (onggi's own figure of rows a second leaves it out too). Each peer runs
at its best of the batch sizes tried, sentences sorted by length. Every program's vectors are compared with the reference's.
Needs torch, sentence-transformers, transformers, onnx, onnxruntime, numpy (PyPI), in a virtual environment.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onggi", required=True)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--sentences", required=True, type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


class Onggi:
    def __init__(self, options, sentences, folder, exact):
        self.name = "onggi f32" if exact else "onggi int8"
        self.rows, self.output = folder / "rows.jsonl", folder / "vectors.npy"
        self.rows.write_text("".join(json.dumps({"text": s}) + "\n" for s in sentences))
        self.command = [options.onggi, "embed", "--base", options.model, "--rows", self.rows, "--text", "text"]
        self.command += ["--output", self.output, "--threads", str(options.threads), *(["--exact"] if exact else [])]

    def run(self):
        import numpy as np

        for path in self.output.parent.glob("vectors.npy*"):
            path.unlink()
        out = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        return float(re.search(r"([\d.]+) rows/s", out)[1]), np.load(self.output)


class SentenceTransformers:
    name = "sentence-transformers f32"

    def __init__(self, options, sentences):
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(options.model), device="cpu")
        self.sentences = sentences
        self.batch = max((32, 64, 8), key=lambda batch: self.timed(batch)[0])

    def timed(self, batch):
        start = time.perf_counter()
        vectors = self.model.encode(self.sentences, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
        return len(self.sentences) / (time.perf_counter() - start), vectors

    def run(self):
        return self.timed(self.batch)


class OnnxRuntime:
    """The exported graph with mean pooling, tokens by the fast tokenizer, batches of sentences sorted by length."""

    def __init__(self, options, sentences, folder, quantised):
        import onnxruntime
        import torch
        from tokenizers import Tokenizer
        from transformers import AutoModel

        class LastStates(torch.nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model

            def forward(self, input_ids, attention_mask, token_type_ids):
                inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
                return self.model(**inputs).last_hidden_state

        self.name = "onnxruntime int8" if quantised else "onnxruntime f32"
        path = folder / "model.onnx"
        if not path.exists():
            model = LastStates(AutoModel.from_pretrained(options.model, attn_implementation="eager").eval())
            example = {key: torch.ones(2, 9, dtype=torch.int64) for key in ("input_ids", "attention_mask", "token_type_ids")}
            axes = {key: {0: "batch", 1: "tokens"} for key in [*example, "last_hidden_state"]}
            names = {"input_names": list(example), "output_names": ["last_hidden_state"], "dynamic_axes": axes}
            with torch.no_grad():
                torch.onnx.export(model, tuple(example.values()), str(path), opset_version=17, dynamo=False, **names)
        path = self.optimised(path, model_heads(options.model))
        if quantised:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            import onnx

            kinds = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # The fused operators have no type of their own.
            quantize_dynamic(str(path), str(folder / "int8.onnx"), weight_type=QuantType.QInt8, extra_options=kinds)
            path = folder / "int8.onnx"
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self.inputs = {node.name for node in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)
        self.sentences = sentences
        self.batch = max((32, 16, 8, 1), key=lambda batch: self.timed(batch)[0])

    @staticmethod
    def optimised(path, shape):
        """Attention, layer norm and GELU as single operators, as onnxruntime's own tool fuses them."""
        from onnxruntime.transformers import optimizer

        target = path.with_name("fused.onnx")
        if not target.exists():
            optimizer.optimize_model(str(path), model_type="bert", num_heads=shape[0], hidden_size=shape[1]).save_model_to_file(str(target))
        return target

    def timed(self, batch):
        import numpy as np

        start = time.perf_counter()
        encoded = [e.ids for e in self.tokenizer.encode_batch(self.sentences)]
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        vectors = [None] * len(encoded)
        for first in range(0, len(order), batch):
            members = order[first : first + batch]
            longest = max(len(encoded[i]) for i in members)
            ids = np.zeros((len(members), longest), np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(members):
                ids[row, : len(encoded[i])] = encoded[i]
                mask[row, : len(encoded[i])] = 1
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            (states,) = self.session.run(["last_hidden_state"], {key: feed[key] for key in self.inputs})
            sums = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            sums /= np.linalg.norm(sums, axis=1, keepdims=True)
            for row, i in enumerate(members):
                vectors[i] = sums[row]
        return len(encoded) / (time.perf_counter() - start), np.array(vectors, np.float32)

    def run(self):
        return self.timed(self.batch)


def model_heads(folder):
    config = json.loads((folder / "config.json").read_text())
    return config["num_attention_heads"], config["hidden_size"]


def cpu_seconds():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main():
    options = parsed()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    import torch

    torch.set_num_threads(options.threads)
    seen = dict.fromkeys(line.strip() for line in options.sentences.read_text().splitlines() if line.strip())
    sentences = list(seen)[: options.count]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        programs = [SentenceTransformers(options, sentences)]
        programs += [OnnxRuntime(options, sentences, folder, quantised) for quantised in (False, True)]
        programs += [Onggi(options, sentences, folder, exact) for exact in (True, False)]
        speeds, cpu, vectors = {p.name: [] for p in programs}, {p.name: [] for p in programs}, {}
        for _ in range(options.rounds):
            for program in programs:
                before = cpu_seconds()
                speed, vectors[program.name] = program.run()
                speeds[program.name].append(speed)
                cpu[program.name].append(cpu_seconds() - before)
    reference = vectors["sentence-transformers f32"]
    print(f"{len(sentences)} sentences, {options.threads} threads, {options.rounds} rounds")
    for program in programs:
        name = program.name
        least = (vectors[name] * reference).sum(1).min()
        each = ", ".join(f"{speed:.0f}" for speed in speeds[name])
        batch = f", batch {program.batch}" if hasattr(program, "batch") else ""
        print(f"{name}{batch}: {each} sentences/s; processor time {min(cpu[name]):.2f} s; least cosine {least:.6f}")
    best = lambda kind: max((n for n in speeds if kind in n and "onggi" not in n), key=lambda n: sorted(speeds[n])[len(speeds[n]) // 2])
    for ours, kind in (("onggi f32", "f32"), ("onggi int8", "int8"), ("onggi int8", "f32")):
        peer = best(kind)
        ratios = sorted(a / b for a, b in zip(speeds[ours], speeds[peer]))
        print(f"{ours} against {peer}: {', '.join(f'{r:.2f}' for r in ratios)} times as fast; processor time {min(cpu[peer]) / min(cpu[ours]):.2f}")


if __name__ == "__main__":
    main()
