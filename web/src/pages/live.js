import { getText } from "../api.js";
import { formatNumber, formatTime, t } from "../i18n.js";
import { bucketGrowth, growth, quantile, readMetrics } from "../metrics.js";
import { Plot } from "../plot.js";

const numSamples = 301; // Five minutes, one a second.
const rateSeconds = 3; // Over which written tokens are counted.
const windowSeconds = 10; // What all else is of: in one second few requests begin or end, and prompts come whole.

/**
 * What a line's next value is made of: `now`, and `since(seconds)`: the reading that long before, {metrics, seconds} with
 * the time that has really passed.
 */
const rate =
  (seconds, ...names) =>
  (now, since) => {
    const before = since(seconds);
    const grown = growth(now, before?.metrics, names);
    return grown === null ? null : grown / before.seconds;
  };
const gauge = (name) => (now) => now.values.get(name) ?? null;
const shareOf = (hits, queries) => (now, since) => {
  const [found, asked] = [hits, queries].map((names) => growth(now, since(windowSeconds)?.metrics, names));
  return found === null || !asked ? null : found / asked;
};
const quantileOf =
  (share, ...names) =>
  (now, since) => {
    const name = names.find((other) => now.histograms.has(other));
    return name === undefined ? null : quantile(bucketGrowth(now, since(windowSeconds)?.metrics, name), share);
  };

/** At most one digit after the point, and only for small numbers. */
const short = (value) => formatNumber(value, value < 10 && !Number.isInteger(Math.round(value * 1e6) / 1e6) ? 1 : 0);
const duration = (seconds) => (seconds < 1 ? `${short(seconds * 1000)} ms` : `${short(seconds)} s`);
const share = (value) => `${formatNumber(value * 100)} %`;

const times = (id, ...names) => ({
  id,
  needs: names,
  format: duration,
  least: 0.01,
  lines: { line_p50: quantileOf(0.5, ...names), line_p95: quantileOf(0.95, ...names) },
});

const hitNames = ["vllm:prefix_cache_hits", "vllm:prefix_cache_hits_total"];
const queryNames = ["vllm:prefix_cache_queries", "vllm:prefix_cache_queries_total"];

/** A plot a row: which metrics it needs (any of them), and how a line's next value comes from them. */
const specs = [
  {
    id: "throughput",
    needs: ["vllm:generation_tokens_total", "vllm:prompt_tokens_total"],
    format: short,
    least: 10,
    lines: {
      line_generated: rate(rateSeconds, "vllm:generation_tokens_total"),
      line_prompt: rate(windowSeconds, "vllm:prompt_tokens_total"),
    },
  },
  {
    id: "queue",
    needs: ["vllm:num_requests_running", "vllm:num_requests_waiting"],
    format: short,
    least: 4,
    lines: { line_running: gauge("vllm:num_requests_running"), line_waiting: gauge("vllm:num_requests_waiting") },
  },
  { id: "cache", needs: queryNames, format: share, least: 1, lines: { line_share: shareOf(hitNames, queryNames) } },
  times("first", "vllm:time_to_first_token_seconds"),
  times("latency", "onggi_request_seconds", "vllm:e2e_request_latency_seconds"),
  times("between", "vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),
];

export class Live {
  constructor() {
    this.history = []; // {at, metrics}, the newest last, as far back as the quantiles' window.
    this.plots = specs.map((spec) => {
      const lineNames = Object.keys(spec.lines);
      const plot = new Plot({
        title: `plot_${spec.id}`,
        lineNames,
        format: spec.format,
        least: spec.least,
        numSamples,
      });
      plot.series = lineNames.map(() => Array(numSamples).fill(null));
      plot.isThere = true;
      return plot;
    });
    document.getElementById("plots").append(...this.plots.map((plot) => plot.root));
    this.stateLine = document.getElementById("live-state");
    this.timer = 0;
    this.#listen();
    this.#draw();
  }

  /** Reads while the page is to be seen: `isShown` false stops it. */
  set isShown(value) {
    this.isVisible = value;
    this.#update();
  }

  #listen() {
    const toggle = (id, run) => {
      const button = document.getElementById(id);
      button.addEventListener("click", () => {
        const isOn = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isOn));
        run(isOn);
      });
    };
    toggle("pause", (isOn) => {
      this.isPaused = isOn;
      if (isOn) this.#say("live_paused");
      this.#update();
    });
    toggle("tables", (isOn) => this.plots.forEach((plot) => (plot.isTable = isOn)));
    document.addEventListener("visibilitychange", () => this.#update());
    document.addEventListener("onggi:language", () => this.#draw());
  }

  #update() {
    const isOn = this.isVisible && !this.isPaused && !document.hidden;
    if (isOn && this.timer === 0) {
      this.timer = setInterval(() => this.#read(), 1000);
      this.#read();
    } else if (!isOn) {
      clearInterval(this.timer);
      this.timer = 0;
    }
  }

  async #read() {
    if (this.isReading) return;
    this.isReading = true;
    try {
      this.#add(readMetrics(await getText("metrics")));
      this.#say("live_at");
    } catch {
      this.#add(null);
      this.#say("live_lost");
    } finally {
      this.isReading = false;
    }
  }

  #say(name) {
    this.said = { name, time: new Date() };
    this.#drawState();
  }

  #drawState() {
    if (!this.said) return;
    // Told once to screen readers, not every second: the text changes only for the eye.
    this.stateLine.setAttribute("aria-live", this.said.name === "live_at" ? "off" : "polite");
    this.stateLine.textContent = t(this.said.name, { time: formatTime(this.said.time) });
  }

  /** One more value on every line; `metrics` null is a gap. Seconds without a reading are gaps too. */
  #add(metrics) {
    const at = performance.now() / 1000;
    const last = this.history.at(-1);
    const numMissed = last ? Math.min(numSamples, Math.round(at - last.at) - 1) : 0;
    const since = (seconds) => {
      const entry = this.history.find((other) => other.metrics && at - other.at <= seconds + 0.5);
      return entry && { metrics: entry.metrics, seconds: at - entry.at };
    };
    this.plots.forEach((plot, p) => {
      const spec = specs[p];
      if (metrics) plot.isThere = spec.needs.some((name) => metrics.values.has(name) || metrics.histograms.has(name));
      Object.values(spec.lines).forEach((next, i) => {
        const value = metrics ? next(metrics, since) : null;
        plot.series[i].push(...Array(Math.max(0, numMissed)).fill(null), value);
        plot.series[i] = plot.series[i].slice(-numSamples);
      });
    });
    this.history.push({ at, metrics });
    this.history = this.history.filter((entry) => at - entry.at <= windowSeconds + 0.5);
    this.#draw();
  }

  #draw() {
    for (const plot of this.plots) {
      plot.show(
        plot.series.map((values) => ({ values })),
        plot.isThere ? "" : t("plot_absent"),
      );
    }
    this.#drawState();
  }
}
