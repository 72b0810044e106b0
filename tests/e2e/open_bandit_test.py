"""`display evaluate` on the Open Bandit Dataset's sample, against the same estimators written down once more here."""

import csv
import gzip
import json
import os
import tempfile
import unittest
from pathlib import Path

import binary

SHARED = Path(os.environ.get("ONGGI_SHARED") or binary.ROOT.parent / "shared")
DATA = SHARED / "data" / "open-bandit"


def rows_of(name):
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [(int(r["item_id"]), int(r["position"]), float(r["click"]), float(r["propensity_score"])) for r in csv.DictReader(file)]


@unittest.skipUnless((DATA / "random_men.csv.gz").exists(), f"no Open Bandit Dataset in {DATA}")
class OpenBandit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        cls.rows = {}
        for name in ("random_men", "bts_men"):
            (cls.folder / f"{name}.csv").write_bytes(gzip.decompress((DATA / f"{name}.csv.gz").read_bytes()))
            cls.rows[name] = rows_of(f"{name}.csv.gz")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def evaluate(self, log, policy, *arguments, status=0):
        output = self.folder / "result.json"
        result = binary.run("display", "evaluate", "--log", self.folder / f"{log}.csv", "--policy", policy, "--json", output, *arguments, timeout=300)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        values = json.loads(output.read_text())
        return values, {e["id"]: e for e in values["estimates"]}

    def test_the_uniform_policy_from_the_log_of_thompson_sampling(self):
        values, estimates = self.evaluate("bts_men", "uniform", "--on-policy", self.folder / "random_men.csv", "--resamples", 1000)
        rows = self.rows["bts_men"]
        weights = [1 / 34 / p for _, _, _, p in rows]
        total = sum(w * r for w, (_, _, r, _) in zip(weights, rows))
        self.assertEqual((values["impressions"], len(rows)), (10000, 10000))
        self.assertAlmostEqual(values["mean_reward"], 0.0069, places=12)
        self.assertAlmostEqual(estimates["ipw"]["value"], total / len(rows), places=9)
        self.assertAlmostEqual(estimates["snipw"]["value"], total / sum(weights), places=9)
        self.assertAlmostEqual(values["effective_sample"], sum(weights) ** 2 / sum(w * w for w in weights), places=4)
        self.assertAlmostEqual(values["max_weight"], max(weights), places=9)
        self.assertAlmostEqual(estimates["ipw"]["relative_error"], abs(total / len(rows) - 0.0046) / 0.0046, places=9)
        # The truth, 46 clicks of 10,000, is within the intervals or within twice its own standard error of them.
        error = 2 * (0.0046 / 10000) ** 0.5
        for id in ("ipw", "snipw", "dr", "sndr"):
            self.assertLess(estimates[id]["low"] - error, 0.0046, id)
            self.assertGreater(estimates[id]["high"] + error, 0.0046, id)

    def test_thompson_sampling_from_the_uniform_log(self):
        on_policy = self.folder / "bts_men.csv"
        values, estimates = self.evaluate("random_men", f"frequency:{on_policy}", "--on-policy", on_policy, "--resamples", 1000)
        counts, slots = {}, {}
        for item, slot, _, _ in self.rows["bts_men"]:
            counts[item, slot] = counts.get((item, slot), 0) + 1
            slots[slot] = slots.get(slot, 0) + 1
        rows = self.rows["random_men"]
        weights = [counts.get((item, slot), 0) / slots[slot] / p for item, slot, _, p in rows]
        total = sum(w * r for w, (_, _, r, _) in zip(weights, rows))
        self.assertAlmostEqual(estimates["ipw"]["value"], total / len(rows), places=9)
        self.assertAlmostEqual(estimates["snipw"]["value"], total / sum(weights), places=9)
        self.assertEqual(values["warnings"], [])
        # Published for the campaign "all": 0.157 (dm), 0.311 (ipw), 0.312 (snipw), 0.292 (dr), each +- its own 0.11 to 0.33.
        for id, published, deviation in (("dm", 0.157, 0.110), ("ipw", 0.311, 0.311), ("snipw", 0.312, 0.335), ("dr", 0.292, 0.315)):
            self.assertLess(estimates[id]["relative_error"], published + 2 * deviation, id)

    def test_the_same_bits_with_any_number_of_threads(self):
        one = self.evaluate("bts_men", "uniform", "--threads", 1, "--resamples", 100)
        self.assertEqual(one, self.evaluate("bts_men", "uniform", "--threads", 2, "--resamples", 100))

    def test_a_log_is_its_own_policys_mean(self):
        values, estimates = self.evaluate("random_men", "uniform", "--resamples", 100)
        for id in ("ipw", "snipw"):
            self.assertAlmostEqual(estimates[id]["value"], 0.0046, places=9)
        self.assertAlmostEqual(values["effective_sample"], 10000, places=6)

    def test_a_logistic_model_of_the_context(self):
        _, estimates = self.evaluate(
            "bts_men", "uniform", "--model", "logistic", "--features", "user_feature_0,user_feature_1,user_feature_2", "--resamples", 200
        )
        self.assertGreater(estimates["dm"]["value"], 0.001)
        self.assertLess(estimates["dm"]["value"], 0.015)

    def test_what_the_log_cant_say_is_refused(self):
        policy = self.folder / "one.json"
        policy.write_text('{"probabilities": {"13": 0.5, "a new item": 0.5}}', encoding="utf-8")
        values, _ = self.evaluate("random_men", policy, "--resamples", 100, status=1)
        self.assertEqual(values["verdict"], "refused")
        self.assertAlmostEqual(values["unsupported"], 0.5, places=6)


if __name__ == "__main__":
    unittest.main()
