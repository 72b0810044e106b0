"""Writes clusters.json (what scikit-learn and hdbscan give for small data) and metrics.json (scikit-learn's figures)."""

import json
import sys
from pathlib import Path

import hdbscan
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import (adjusted_rand_score, average_precision_score, normalized_mutual_info_score, precision_score,
                             recall_score, roc_auc_score, silhouette_samples)
from sklearn.neighbors import LocalOutlierFactor

SEED = 20261128


def blobs(random, sizes, dims, spread, noise):
    parts = [random.normal(random.normal(0, 1, dims), s, (n, dims)) for n, s in zip(sizes, spread)]
    parts.append(random.uniform(-2, 2, (noise, dims)))
    x = np.concatenate(parts).round(4).astype(np.float32)
    truth = np.concatenate([np.full(len(p), i) for i, p in enumerate(parts)])
    order = random.permutation(len(x))
    return x[order], truth[order]


def stable_hdbscan(d, min_cluster_size, min_samples):
    """None where the result depends on the order of the points: mutual reachabilities have ties, which the library
    breaks by chance."""
    fit = lambda x: hdbscan.HDBSCAN(min_cluster_size=min_cluster_size, min_samples=min_samples, algorithm="generic").fit(x)  # noqa: E731
    model = fit(d)
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(d))
        other = fit(d[order])
        for name in ("probabilities_", "outlier_scores_"):
            if not np.allclose(getattr(model, name)[order], getattr(other, name), rtol=1e-9, atol=1e-12):
                return None
        if adjusted_rand_score(model.labels_[order], other.labels_) < 1:
            return None
    return model


def first_stable(make):
    return next(found for found in map(make, range(SEED, SEED + 500)) if found)


def case(name, x, truth, num_clusters, min_cluster_size, min_samples, neighbours):
    d = x.astype(np.float64)
    # scipy's distances between f32 rows widened to f64: the same numbers as ours up to the order of their sums.
    model = stable_hdbscan(d, min_cluster_size, min_samples)
    if model is None:
        return None
    first = x[np.random.default_rng(SEED).choice(len(x), num_clusters, replace=False)]
    means = KMeans(num_clusters, init=first.astype(np.float64), n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(d)
    lof = LocalOutlierFactor(n_neighbors=neighbours, algorithm="brute").fit(d)
    pca = PCA(2, svd_solver="full").fit(d)
    return {
        "name": name,
        "x": [[round(float(v), 7) for v in row] for row in x],
        "hdbscan": {"min_cluster_size": min_cluster_size, "min_samples": min_samples, "labels": model.labels_.tolist(),
                    "probabilities": model.probabilities_.tolist(), "outlier_scores": model.outlier_scores_.tolist(),
                    "persistence": model.cluster_persistence_.tolist()},
        "kmeans": {"first": [[round(float(v), 7) for v in row] for row in first], "labels": means.labels_.tolist(),
                   "inertia": float(means.inertia_), "silhouettes": silhouette_samples(d, means.labels_).tolist()},
        "lof": {"neighbours": neighbours, "factors": (-lof.negative_outlier_factor_).tolist()},
        "pca": {"variances": pca.explained_variance_.tolist(), "axes": pca.components_.tolist()},
    }  # fmt: skip


def metrics(random):
    """Labels and scores, with ties, and their figures."""
    cases = []
    for size, classes, noise in ((30, 3, 0.2), (200, 6, 0.5), (200, 6, 2.0), (7, 1, 0.1)):
        truth = random.integers(0, classes, size)
        found = np.where(random.random(size) < noise / 2, random.integers(-1, classes, size), (truth * 5 + 2) % 7)
        flags = random.random(size) < 0.2
        flags[:2] = (True, False)
        scores = (flags + random.normal(0, noise + 0.3, size)).round(1)
        cut = 0.75
        cases.append({
            "truth": truth.tolist(), "found": found.tolist(), "flags": flags.astype(int).tolist(), "scores": scores.tolist(),
            "nmi": normalized_mutual_info_score(truth, found), "ari": adjusted_rand_score(truth, found),
            "auroc": roc_auc_score(flags, scores), "average_precision": average_precision_score(flags, scores),
            "cut": cut, "precision": precision_score(flags, scores > cut, zero_division=0),
            "recall": recall_score(flags, scores > cut),
        })  # fmt: skip
    return cases


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


def main():
    data = lambda seed, *shape: blobs(np.random.default_rng(seed), *shape)  # noqa: E731

    def directions(seed):
        x, truth = data(seed, [40, 40, 30, 30, 20], 17, [0.45] * 5, 15)
        return (x / np.linalg.norm(x, axis=1, keepdims=True)).round(4).astype(np.float32), truth

    cases = [
        first_stable(lambda seed: case("even blobs", *data(seed, [40, 30, 50], 6, [0.35, 0.3, 0.4], 12), 3, 10, 5, 20)),
        first_stable(lambda seed: case("blobs of different density", *data(seed, [60, 25, 40, 30], 9, [0.1, 0.5, 0.25, 0.15], 20), 4, 8, 3, 10)),
        first_stable(lambda seed: case("one dense cloud", *data(seed, [90], 4, [0.4], 15), 2, 6, 5, 15)),
        first_stable(lambda seed: case("directions", *directions(seed), 5, 5, 5, 12)),
    ]
    random = np.random.default_rng(SEED)
    Path(sys.argv[1]).write_text(json.dumps(rounded(cases)) + "\n")
    Path(sys.argv[2]).write_text(json.dumps(rounded(metrics(random))) + "\n")


main()
