/** Prometheus text (version 0.0.4) to numbers, and numbers of two moments to what happened between them. */

const samplePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;

/** {name: sum over all labels} and {name: [[upper bound, count], ...]} of histograms. */
export function readMetrics(text) {
  const values = new Map();
  const histograms = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, labels = "", number] = samplePattern.exec(line) ?? [];
    const value = Number(number === "+Inf" ? Infinity : number);
    if (name === undefined || Number.isNaN(value)) continue;
    const bound = name.endsWith("_bucket") ? /(?:^|,)le="([^"]*)"/.exec(labels)?.[1] : undefined;
    if (bound === undefined) {
      values.set(name, (values.get(name) ?? 0) + value);
      continue;
    }
    const buckets = histograms.get(name.slice(0, -"_bucket".length)) ?? new Map();
    const upper = bound === "+Inf" ? Infinity : Number(bound);
    buckets.set(upper, (buckets.get(upper) ?? 0) + value);
    histograms.set(name.slice(0, -"_bucket".length), buckets);
  }
  const sorted = (buckets) => [...buckets].sort(([a], [b]) => a - b);
  return { values, histograms: new Map([...histograms].map(([name, buckets]) => [name, sorted(buckets)])) };
}

/** How much a counter grew; null where it is absent or began anew. `names`: the first that is there counts. */
export function growth(now, before, names) {
  const name = names.find((other) => now.values.has(other));
  if (name === undefined || !before?.values.has(name)) return null;
  const difference = now.values.get(name) - before.values.get(name);
  return difference < 0 ? null : difference;
}

/** What a histogram counted between two moments; null where it is absent or began anew. */
export function bucketGrowth(now, before, name) {
  const [a, b] = [now.histograms.get(name), before?.histograms.get(name)];
  if (!a || !b || a.length !== b.length) return null;
  const buckets = a.map(([bound, count], i) => [bound, count - b[i][1]]);
  return buckets.some(([, count]) => count < 0) ? null : buckets;
}

/** The value that `share` of what was counted is under, within a bucket by straight line; null where nothing was. */
export function quantile(buckets, share) {
  const total = buckets?.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  const rank = share * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound, count] = buckets[index];
  const [low, below] = index > 0 ? buckets[index - 1] : [0, 0];
  if (bound === Infinity) return low;
  return low + (bound - low) * ((rank - below) / (count - below));
}
