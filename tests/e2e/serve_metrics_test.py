"""`serve`: what /metrics shows. The list of names is a contract: boards, alerts and scalers are built on it."""

import concurrent.futures
import re
import tempfile
import time
import unittest
from pathlib import Path

from serve_test import Server
from workshop import Workshop

FIRST_TOKEN = ".001 .005 .01 .02 .04 .06 .08 .1 .25 .5 .75 1 2.5 5 7.5 10 20 40 80 160 640 2560"
TOKEN = ".01 .025 .05 .075 .1 .15 .2 .3 .4 .5 .75 1 2.5 5 7.5 10 20 40 80"
REQUEST = ".3 .5 .8 1 1.5 2 2.5 5 10 15 20 30 40 50 60 120 240 480 960 1920 7680"
FINE = ".001 .002 .005 .01 .02 .05 .1 .2 .5 1 2 5 10 20 60"
TINY = "1e-5 2e-5 5e-5 1e-4 2e-4 5e-4 .001 .002 .005 .01 .02 .05 .1 .5 2"
LENGTHS = "1 2 5 10 20 50 100 200 500 1000 2000"  # to the tiny model's context of 1,024
HISTOGRAMS = {
    "vllm:time_to_first_token_seconds": FIRST_TOKEN,
    "vllm:inter_token_latency_seconds": TOKEN,
    "vllm:time_per_output_token_seconds": TOKEN,
    "vllm:request_time_per_output_token_seconds": TOKEN,
    "vllm:e2e_request_latency_seconds": REQUEST,
    "vllm:request_queue_time_seconds": REQUEST,
    "vllm:request_inference_time_seconds": REQUEST,
    "vllm:request_prefill_time_seconds": REQUEST,
    "vllm:request_decode_time_seconds": REQUEST,
    "vllm:request_prompt_tokens": LENGTHS,
    "vllm:request_generation_tokens": LENGTHS,
    "vllm:request_max_num_generation_tokens": LENGTHS,
    "vllm:request_params_n": "1 2 5 10 20",
    "vllm:request_params_max_tokens": LENGTHS,
    "vllm:iteration_tokens_total": "1 8 16 32 64 128 256 512 1024 2048 4096 8192 16384",
    "http_request_duration_seconds": FINE,
    "onggi_request_seconds": FINE,
    "onggi_mask_seconds": TINY,
    "onggi_grammar_compile_seconds": FINE,
    "onggi_adapter_load_seconds": FINE,
}
GAUGES = {
    "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc", "vllm:cache_config_info",
    "vllm:lora_requests_info", "onggi_open_tokens", "onggi_prefix_cache_tokens", "onggi_adapters", "onggi_adapters_loaded",
    "onggi_adapter_bytes",
}  # fmt: skip
COUNTERS = {
    "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total", "vllm:num_preemptions_total", "vllm:request_success_total", "http_requests_total",
    "onggi_forced_tokens_total", "onggi_cancelled_total", "onggi_shed_total", "onggi_prefix_cached_tokens_total",
    "onggi_steps_total", "onggi_busy_seconds_total", "onggi_log_lines_dropped_total",
}  # fmt: skip

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"')


def parse(text):
    """{family: (type, {(name, labels): value})}; every line must be of the format, every sample of a family."""
    families, current = {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in families, f"{current} twice"
            families[current] = [None, {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current, line
            families[current][0] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            assert name in (current, f"{current}_bucket", f"{current}_sum", f"{current}_count"), (current, line)
            key = (name, tuple(LABEL.findall(labels or "")))
            assert key not in families[current][1], f"{key} twice"
            families[current][1][key] = float(value)
    return families


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.w = Workshop(Path(scratch.name))
        cls.server = Server("--base", cls.w.base, "--name", 'a "model"\\', "--max-waiting-tokens", 3000)
        cls.addClassCleanup(lambda: cls.server.stop())

    def read(self):
        status, headers, text = self.server.request("GET", "/metrics")
        self.assertEqual((status, headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        return parse(text)

    def total(self, families, family, name=None, **labels):
        return sum(
            value
            for (sample, found), value in families.get(family, (None, {}))[1].items()
            if sample == (name or family) and labels.items() <= dict(found).items()
        )

    def count(self, families, family, **labels):
        return self.total(families, family, f"{family}_count", **labels)

    def test_names_types_and_buckets_are_the_contract(self):
        self.server.request("GET", "/health")
        families = self.read()
        kinds = {name: kind for name, (kind, _) in families.items()}
        wanted = {name: "histogram" for name in HISTOGRAMS} | {name: "gauge" for name in GAUGES} | {name: "counter" for name in COUNTERS}
        self.assertEqual({name: kind for name, kind in kinds.items() if name in wanted}, wanted)
        self.assertTrue(set(kinds) >= set(wanted))
        for name, (kind, samples) in families.items():
            for (sample, labels), value in samples.items():
                self.assertEqual(labels[:2], (("model_name", 'a \\"model\\"\\\\'), ("engine", "0")), sample)
                self.assertGreaterEqual(value, 0, sample)
            if kind != "histogram":
                continue
            series = {}
            for (sample, labels), value in samples.items():
                series.setdefault(tuple(label for label in labels if label[0] != "le"), []).append((sample, dict(labels).get("le"), value))
            for rows in series.values():
                buckets = [(float(le), value) for sample, le, value in rows if sample.endswith("_bucket")]
                bounds = [float(bound) for bound in HISTOGRAMS[name].split()] if name in HISTOGRAMS else [b for b, _ in buckets[:-1]]
                self.assertEqual([bound for bound, _ in buckets], [*bounds, float("inf")], name)
                counts = [value for _, value in buckets]
                self.assertEqual(counts, sorted(counts))
                self.assertEqual([value for sample, _, value in rows if sample.endswith("_count")], [counts[-1]])
                self.assertEqual(len([1 for sample, _, _ in rows if sample.endswith("_sum")]), 1)

    def test_a_request_is_counted_once_everywhere(self):
        before = self.read()
        body = {"prompt": "the the the", "max_tokens": 7, "seed": 1, "guided_regex": "[a-z]{30,40}"}
        usage = self.server.post("/v1/completions", body)["usage"]
        self.server.events("/v1/completions", body | {"n": 3, "temperature": 1})
        self.assertEqual(self.server.request("POST", "/v1/completions", "{")[0], 400)
        after = self.read()
        more = lambda family, **labels: self.total(after, family, **labels) - self.total(before, family, **labels)  # noqa: E731
        deadline = time.monotonic() + 10
        http = lambda status: more("http_requests_total", handler="/v1/completions", method="POST", status=status)  # noqa: E731
        counted = lambda: (http("2xx"), http("4xx"), more("vllm:generation_tokens_total"))  # noqa: E731
        while counted() != (2, 1, 4 * usage["completion_tokens"]) and time.monotonic() < deadline:
            after = self.read()  # counted when the last byte is out, and at the step's end
        grown = lambda family, **labels: self.count(after, family, **labels) - self.count(before, family, **labels)  # noqa: E731
        for family in ("vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds", "onggi_request_seconds",
                       "vllm:request_queue_time_seconds", "vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds",
                       "vllm:request_inference_time_seconds", "vllm:request_prompt_tokens", "vllm:request_params_n"):  # fmt: skip
            self.assertEqual(grown(family), 2, family)
        self.assertEqual(grown("vllm:request_generation_tokens"), 4)
        self.assertEqual(grown("vllm:inter_token_latency_seconds"), 4 * (usage["completion_tokens"] - 1))
        self.assertGreater(grown("onggi_mask_seconds"), 6)
        self.assertGreater(grown("vllm:iteration_tokens_total"), 6)
        self.assertLessEqual(grown("onggi_grammar_compile_seconds"), 1)
        self.assertEqual(more("vllm:generation_tokens_total"), 4 * usage["completion_tokens"])
        self.assertEqual(more("vllm:prompt_tokens_total"), 2 * usage["prompt_tokens"])
        self.assertEqual(more("vllm:request_success_total", finished_reason="length"), 2)
        self.assertEqual((http("2xx"), http("4xx")), (2, 1))

    def test_strangers_do_not_make_new_series(self):
        for i in range(5):
            self.server.request("GET", f"/no/such/{i}")
        families = self.read()
        handlers = {dict(labels)["handler"] for _, labels in families["http_requests_total"][1]}
        self.assertEqual({h for h in handlers if "such" in h}, set())
        self.assertGreaterEqual(self.total(families, "http_requests_total", handler="none", status="4xx"), 5)

    def test_what_is_refused_for_want_of_room_is_counted(self):
        body = {"prompt": "the", "max_tokens": 900, "seed": 3, "guided_regex": "[a-z]{900,4000}"}
        before = self.total(self.read(), "onggi_shed_total", reason="overloaded")
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            statuses = list(pool.map(lambda _: self.server.request("POST", "/v1/completions", body)[0], range(12)))
        self.assertEqual(self.total(self.read(), "onggi_shed_total", reason="overloaded") - before, statuses.count(429))


if __name__ == "__main__":
    unittest.main()
