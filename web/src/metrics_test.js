import assert from "node:assert/strict";
import test from "node:test";

import { bucketGrowth, growth, quantile, readMetrics } from "./metrics.js";

const text = (a, b) => `# HELP x y
# TYPE x counter
x{model_name="a, le=\\"1\\"",engine="0"} ${a}
x{model_name="b"} ${b}
plain 2.5e3
wait_bucket{le="0.1"} ${a}
wait_bucket{le="1"} ${a + b}
wait_bucket{model="m",le="+Inf"} ${a + b}
wait_sum 3
no number
`;

test("samples are summed over labels, buckets sorted by their bounds", () => {
  const { values, histograms } = readMetrics(text(1, 2));
  assert.equal(values.get("x"), 3);
  assert.equal(values.get("plain"), 2500);
  assert.equal(values.get("wait_sum"), 3);
  assert.deepEqual(histograms.get("wait"), [
    [0.1, 1],
    [1, 3],
    [Infinity, 3],
  ]);
});

test("growth is of the first name that is there, and none over a restart", () => {
  const [before, now] = [readMetrics(text(1, 2)), readMetrics(text(5, 4))];
  assert.equal(growth(now, before, ["absent", "x"]), 6);
  assert.equal(growth(before, now, ["x"]), null);
  assert.equal(growth(now, undefined, ["x"]), null);
  assert.equal(growth(now, before, ["absent"]), null);
});

test("quantiles are of what was counted between two moments", () => {
  const grown = bucketGrowth(readMetrics(text(5, 4)), readMetrics(text(1, 2)), "wait");
  assert.deepEqual(grown, [
    [0.1, 4],
    [1, 6],
    [Infinity, 6],
  ]);
  assert.ok(Math.abs(quantile(grown, 0.5) - 0.075) < 1e-12);
  assert.ok(Math.abs(quantile(grown, 0.95) - (0.1 + 0.9 * (1.7 / 2))) < 1e-12);
  assert.equal(
    quantile(
      [
        [1, 0],
        [Infinity, 4],
      ],
      0.5,
    ),
    1,
  );
  assert.equal(
    quantile(
      [
        [1, 0],
        [Infinity, 0],
      ],
      0.5,
    ),
    null,
  );
  assert.equal(bucketGrowth(readMetrics(text(1, 2)), readMetrics(text(5, 4)), "wait"), null);
  assert.equal(bucketGrowth(readMetrics(""), readMetrics(""), "wait"), null);
});
