#!/usr/bin/env python3
"""The masks of XGrammar and LLGuidance over the schemas that bench_masks takes: how many are judged right, and the processor
time of each mask with its commit. Tokens are those of `onggi serve`, so that all see the same ones.

    benchmarks/mask_peers.py --onggi build/release/bin/onggi --base gemma-3-270m-q4_k_m.gguf --schemas schemas.jsonl.gz

Needs the packages xgrammar, llguidance, torch, numpy and gguf.
"""

import argparse
import collections
import gzip
import http.client
import json
import signal
import time

import numpy
from gguf import GGUFReader
from serve_limits import Server, percentile

EOS = 1
SECONDS_PER_SCHEMA = 20


def vocabulary(path):
    """Bytes of every token of a SentencePiece vocabulary in a GGUF file, and the ids of those that are no text."""
    field = GGUFReader(path).fields
    kinds = [int(field["tokenizer.ggml.token_type"].parts[i][0]) for i in field["tokenizer.ggml.token_type"].data]
    tokens, special = [], []
    for id_, (part, kind) in enumerate(zip(field["tokenizer.ggml.tokens"].data, kinds)):
        piece = bytes(field["tokenizer.ggml.tokens"].parts[part])
        if kind == 6:  # <0xHH>
            tokens.append(bytes([int(piece[3:5], 16)]))
        elif kind in (2, 3, 5):
            tokens.append(piece)
            special.append(id_)
        else:
            tokens.append(piece.replace("\u2581".encode(), b" "))
    return tokens, special


class XGrammar:
    def __init__(self, tokens, special, encode):
        import xgrammar

        self.xgrammar = xgrammar
        no_text = set(special)
        info = xgrammar.TokenizerInfo([b"" if i in no_text else t for i, t in enumerate(tokens)], xgrammar.VocabType.RAW,
                                      vocab_size=len(tokens), stop_token_ids=[EOS])  # fmt: skip
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.bitmask = xgrammar.allocate_token_bitmask(1, len(tokens))

    def compiled(self, schema):
        return self.compiler.compile_json_schema(json.dumps(schema), any_whitespace=True, strict_mode=False)

    def state(self, grammar):
        matcher = self.xgrammar.GrammarMatcher(grammar)

        def step(id_):
            matcher.fill_next_token_bitmask(self.bitmask)
            is_allowed = bool(int(self.bitmask[0, id_ >> 5]) >> (id_ & 31) & 1)
            return is_allowed and matcher.accept_token(id_)

        return step


class LLGuidance:
    def __init__(self, tokens, special, encode):
        import llguidance
        import llguidance.numpy

        class Vocabulary:
            eos_token_id, bos_token_id = EOS, 2
            special_token_ids = special

            def __init__(self):
                self.tokens = tokens

            def __call__(self, text):
                return encode(text if isinstance(text, str) else text.decode())

        self.llguidance = llguidance
        self.tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Vocabulary()))
        self.bitmask = llguidance.numpy.allocate_token_bitmask(1, len(tokens))
        self.fill = llguidance.numpy.fill_next_token_bitmask

    def compiled(self, schema):
        grammar = self.llguidance.LLMatcher.grammar_from_json_schema(schema, defaults={"whitespace_flexible": True})
        error = self.llguidance.LLMatcher(self.tokenizer, grammar).get_error()
        if error:
            raise ValueError(error)
        return grammar

    def state(self, grammar):
        matcher = self.llguidance.LLMatcher(self.tokenizer, grammar)

        def step(id_):
            self.fill(matcher, self.bitmask, 0)
            is_allowed = bool(int(self.bitmask[0, id_ >> 5]) >> (id_ & 31) & 1)
            return is_allowed and matcher.consume_token(id_)

        return step


def encoder(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def encode(text):
        connection.request("POST", "/tokenize", json.dumps({"prompt": text, "add_special_tokens": False}), {"content-type": "application/json"})
        return json.loads(connection.getresponse().read())["tokens"]

    return encode


def judge(peer, rows):
    """Counts of schemas by outcome; microseconds of masks and of compiling."""
    outcomes, masks, compiles = collections.Counter(), [], []

    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    for row in rows:
        outcome = "right"
        signal.alarm(SECONDS_PER_SCHEMA)
        try:
            begin = time.thread_time_ns()
            grammar = peer.compiled(row["schema"])
            compiles.append((time.thread_time_ns() - begin) / 1e3)
            for test in row["tests"]:
                step, is_accepted = peer.state(grammar), True
                for id_ in test["ids"]:
                    begin = time.thread_time_ns()
                    is_accepted = step(id_)
                    masks.append((time.thread_time_ns() - begin) / 1e3)
                    if not is_accepted:
                        break
                if is_accepted != test["valid"] and outcome != "accepts an invalid":
                    outcome = "rejects a valid" if test["valid"] else "accepts an invalid"
        except TimeoutError:
            outcome = f"takes more than {SECONDS_PER_SCHEMA} s"
        except Exception:
            outcome = "refused at compile"
        finally:
            signal.alarm(0)
        outcomes[outcome] += 1
    return outcomes, masks, compiles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onggi", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--every", type=int, default=1, help="take every Nth schema")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with gzip.open(options.schemas, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:: options.every]
    tests = [test for row in rows for test in row["tests"]]
    server = Server(options.onggi, "--base", options.base)
    encode = encoder(server)
    for test in tests:
        test["ids"] = [*encode(json.dumps(test["data"], ensure_ascii=False)), EOS]
    tokens, special = vocabulary(options.base)
    for name, kind in (("llguidance", LLGuidance), ("xgrammar", XGrammar)):
        if options.only not in ("", name):
            continue
        outcomes, masks, compiles = judge(kind(tokens, special, encode), rows)
        figures = {"schemas": dict(outcomes)}
        for what, values in (("mask_us", masks), ("compile_us", compiles)):
            figures[what] = {"n": len(values), "mean": sum(values) / len(values)} | {f"p{share * 100:g}": percentile(values, share) for share in (0.5, 0.9, 0.99, 0.999)}
        print(json.dumps({"peer": name} | figures, indent=1, default=float), flush=True)
    server.stop()


if __name__ == "__main__":
    main()
