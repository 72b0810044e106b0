"""`cluster`: groups, duplicates, outliers, names and maps of texts; the same bytes with any number of threads."""

import json
import math
import random
import struct
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

import binary
from workshop import jsonl

THEMES = {
    "보습": ["아침까지 촉촉한", "속당김이 없는", "건조함을 잡아 주는", "보습이 오래가는", "겨울에도 촉촉한"],
    "배송": ["배송이 빠른", "하루 만에 도착한", "포장이 꼼꼼한", "빠르게 받은", "배송이 정확한"],
    "소음": ["소리가 작은", "밤에도 조용한", "소음이 적은", "돌려도 조용한", "진동이 없는"],
}
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }"
SVG = "{http://www.w3.org/2000/svg}"


def write_npy(path, vectors):
    header = HEADER % (len(vectors), len(vectors[0]))
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    body = b"".join(struct.pack(f"<{len(v)}f", *v) for v in vectors)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body)


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Cluster(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        draw = random.Random(5)
        self.rows, vectors = [], []
        for number in range(120):
            theme = list(THEMES)[number % 3]
            text = f"{draw.choice(THEMES[theme])} {number}번"
            self.rows.append({"id": f"e{number}", "expression": text, "theme": theme})
            vectors.append([(4.0 if d == number % 3 else 0.0) + draw.gauss(0, 0.4) for d in range(12)])
        for number in (6, 9):  # Far from all others.
            vectors[number] = [-9.0 if d == number else draw.gauss(0, 0.4) for d in range(12)]
        self.rows[60]["expression"] = self.rows[3]["expression"] + " "
        vectors[60] = vectors[3]
        self.vectors = vectors
        self.input = self.folder / "themes.jsonl"
        self.input.write_text(jsonl(self.rows), encoding="utf-8")
        self.npy = self.folder / "themes.npy"
        write_npy(self.npy, vectors)
        Path(f"{self.npy}.ids.jsonl").write_text(jsonl([{"id": row["id"]} for row in self.rows]))
        self.output, self.clusters, self.map = (self.folder / name for name in ("rows.jsonl", "clusters.json", "map.svg"))

    def command(self, *more, **files):
        flags = {"rows": self.input, "text": "expression", "vectors": self.npy, "output": self.output, "clusters": self.clusters,
                 "map": self.map} | files  # fmt: skip
        return ["cluster", *(part for flag, value in flags.items() if value is not None for part in (f"--{flag}", value)), *more]

    def good(self, *more, **files):
        result = binary.run(*self.command(*more, **files))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def refused(self, names, *more, **files):
        result = binary.run(*self.command(*more, **files))
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        self.assertFalse(self.output.exists() or self.clusters.exists() or self.map.exists())

    def test_groups_are_found_named_and_drawn(self):
        text = self.good("--truth", "theme", "--remove-components", 0)
        self.assertIn("3 clusters", text)
        self.assertIn("1 the same as another", text)
        lines = read_lines(self.output)
        self.assertEqual([line["id"] for line in lines], [row["id"] for row in self.rows])
        self.assertEqual(lines[60]["duplicate_of"], "e3")
        self.assertEqual([i for i, line in enumerate(lines) if line["outlier"]], [6, 9])
        groups = {}
        for row, line in zip(self.rows, lines):
            if line["cluster"] is not None:
                groups.setdefault(line["cluster"], set()).add(row["theme"])
        self.assertEqual(sorted(map(len, groups.values())), [1, 1, 1])
        summary = json.loads(self.clusters.read_text(encoding="utf-8"))
        self.assertEqual((summary["rows"], summary["distinct"], summary["outliers"]), (120, 119, 2))
        self.assertEqual(sum(theme["texts"] for theme in summary["clusters"]) + summary["noise"], 120)
        by_id = {row["id"]: row for row in self.rows}
        for theme in summary["clusters"]:
            self.assertEqual(by_id[theme["medoid"]]["expression"], theme["name"])
            self.assertEqual(len(theme["expressions"]), 5)
            self.assertEqual({by_id[e["id"]]["theme"] for e in theme["expressions"]}, groups[theme["cluster"]])
        self.assertIn("NMI", text)

    def test_a_share_of_outliers_is_marked(self):
        self.good("--outlier-share", 0.1)
        self.assertEqual(json.loads(self.clusters.read_text(encoding="utf-8"))["outliers"], 11)

    def test_the_map_is_svg_that_shows_every_text_once(self):
        for layout in ("tsne", "pca"):
            self.good("--layout", layout, "--remove-components", 0)
            root = xml.etree.ElementTree.fromstring(self.map.read_text(encoding="utf-8"))
            self.assertEqual(root.tag, SVG + "svg")
            shown = [group.find(SVG + "title").text for group in root.iter(SVG + "g")]
            self.assertEqual(len(shown), 119)
            self.assertEqual(sum(1 for group in root.iter(SVG + "g") if group.find(SVG + "path") is not None), 2)
            names = {theme["name"] for theme in json.loads(self.clusters.read_text(encoding="utf-8"))["clusters"]}
            drawn = {text.text for text in root.iter(SVG + "text")}
            self.assertLessEqual(names, drawn)

    def test_hostile_texts_stay_text(self):
        for row in self.rows[:4]:
            row["expression"] = f"<script>alert(1)</script>&\"'\x01\u0000 {row['id']}"
        self.input.write_text(jsonl(self.rows), encoding="utf-8")
        self.good()
        root = xml.etree.ElementTree.fromstring(self.map.read_text(encoding="utf-8"))
        self.assertEqual([e for e in root.iter() if e.tag.endswith("script")], [])

    def test_threads_and_instruction_sets_change_no_byte(self):
        for flags in (("--method", "kmeans"), ("--method", "hdbscan"), ("--duplicates", "reviews", "--outliers", "glosh")):
            wanted = None
            for threads in (1, 2, 5):
                self.good(*flags, "--threads", threads)
                found = [path.read_bytes() for path in (self.output, self.clusters, self.map)]
                self.assertEqual(found, wanted or found)
                wanted = found
            result = binary.run(*self.command(*flags), env={"ONGGI_ISA": "scalar"})
            self.assertEqual(binary.faults_of(result), [], result.stderr)
            self.assertEqual([path.read_bytes() for path in (self.output, self.clusters, self.map)], wanted)

    def test_kmeans_chooses_the_number_and_takes_it(self):
        text = self.good("--method", "kmeans", "--truth", "theme", "--remove-components", 0, "--max-k", 8)
        summary = json.loads(self.clusters.read_text(encoding="utf-8"))
        self.assertEqual(summary["noise"], 0)
        self.assertEqual([t["clusters"] for t in summary["tried"]], [2, 3, 4, 5, 6, 7, 8])
        best = max(summary["tried"], key=lambda t: t["silhouette"])
        self.assertIn(f"{best['clusters']} clusters", text)
        self.good("--method", "kmeans", "--k", 5)
        self.assertEqual(len(json.loads(self.clusters.read_text(encoding="utf-8"))["clusters"]), 5)

    def test_without_vectors_the_texts_themselves_are_grouped(self):
        self.good("--min-cluster-size", 3, vectors=None)
        self.assertEqual(json.loads(self.clusters.read_text(encoding="utf-8"))["vectors"], "character n-grams")

    def test_vectors_of_lines_and_rows_without_one(self):
        lines = [{"id": row["id"], "embedding": [struct.unpack("<f", struct.pack("<f", x))[0] for x in v]} for row, v in zip(self.rows, self.vectors)]
        lines[10] = {"id": "e10", "failure": "too long", "embedding": None}
        path = self.folder / "themes-lines.jsonl"
        path.write_text(jsonl(lines), encoding="utf-8")
        self.good(vectors=path)
        from_lines = self.output.read_bytes()
        self.assertEqual(read_lines(self.output)[10], {"id": "e10", "failure": "no vector"})
        self.vectors[10] = [math.nan] * 12
        write_npy(self.npy, self.vectors)
        self.good()
        self.assertEqual(self.output.read_bytes(), from_lines)

    def test_few_rows_are_noise(self):
        for count in (1, 2, 3):
            self.input.write_text(jsonl(self.rows[:count]), encoding="utf-8")
            self.good(vectors=None)
            self.assertEqual([line["cluster"] for line in read_lines(self.output)], [None] * count)
            self.good("--method", "kmeans", vectors=None)

    def test_what_does_not_go_together_is_refused(self):
        self.refused(("--text",), text=None)
        self.refused(("--output",), output=None, clusters=None, map=None)
        self.refused(("expresion", "expression"), text="expresion")
        self.refused(("--method", "dbscan", "hdbscan"), "--method", "dbscan")
        self.refused(("--outliers", "z", "robust-z"), "--outliers", "z")
        self.refused(("--layout", "umap", "tsne"), "--layout", "umap")
        self.refused(("--min-cluster-size", "1"), "--min-cluster-size", 1)
        self.refused(("--duplicate-similarity",), "--duplicate-similarity", 2)
        self.refused(("--outlier-share",), "--outlier-share", 1)
        self.refused(("12 components", "12 dimensions"), "--remove-components", 12)
        self.refused(("plant", "evaluate", "evalute"), "evalute")
        self.refused((".npy", "themes.jpg"), vectors=self.folder / "themes.jpg")
        self.refused(("nothing.npy", "No such file"), vectors=self.folder / "nothing.npy")
        self.input.write_text(jsonl(self.rows[:-1]), encoding="utf-8")
        self.refused(("120 vectors", "119 rows"))
        self.input.write_text(jsonl([*self.rows[:-2], self.rows[-1], self.rows[-2]]), encoding="utf-8")
        self.refused(("e118", "e119", "themes.npy.ids.jsonl:119"))
        self.input.write_text(jsonl(self.rows), encoding="utf-8")
        whole = self.npy.read_bytes()
        for cut in (0, 5, 40, 127, 128, 1000, len(whole) - 1):
            self.npy.write_bytes(whole[:cut])
            self.refused(("themes.npy",))
        self.vectors[4][2] = math.inf
        write_npy(self.npy, self.vectors)
        self.refused(("themes.npy", "vector 4", "finite"))


class Planted(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        draw = random.Random(7)
        rows = []
        for number in range(150):
            kind = number % 2
            aspect = ("보습력", "소음")[kind]
            expression = " ".join(draw.sample(THEMES[("보습", "소음")[kind]], 2))
            rows.append({"id": str(number), "category": ("스킨케어", "가전")[kind], "product": f"p{number}",
                         "themes": [{"entity": ("크림", "청소기")[kind] + str(number), "expression": expression, "name": aspect}]})  # fmt: skip
        self.rows = self.folder / "rows.jsonl"
        self.rows.write_text(jsonl(rows), encoding="utf-8")
        self.other = self.folder / "other.jsonl"
        self.other.write_text(jsonl([{"text": f"영화가 {i}번 봐도 재미있다"} for i in range(40)]), encoding="utf-8")
        self.planted = self.folder / "planted.jsonl"

    def plant(self, *more):
        result = binary.run("cluster", "plant", "--rows", self.rows, "--other", self.other, "--output", self.planted, "--each", 30, *more)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return read_lines(self.planted)

    def test_planted_ones_are_wrong_in_the_way_that_they_say(self):
        lines = self.plant()
        wanted = {None: 150, "wrong type": 30, "broken grammar": 30, "other domain": 30}
        self.assertEqual({kind: sum(1 for line in lines if line["planted"] == kind) for kind in wanted}, wanted)
        real = {line["expression"] for line in lines if line["planted"] is None}
        for line in lines:
            if line["planted"] == "wrong type":
                self.assertEqual(line["aspect"], "소음" if line["category"] == "스킨케어" else "보습력")
            if line["planted"] in ("broken grammar", "other domain"):
                self.assertNotIn(line["expression"], real)
        self.assertEqual(len({line["id"] for line in lines}), len(lines))
        first = self.planted.read_bytes()
        self.plant()
        self.assertEqual(self.planted.read_bytes(), first)
        self.plant("--seed", 1)
        self.assertNotEqual(self.planted.read_bytes(), first)

    def test_detectors_are_compared_alike_with_any_threads(self):
        self.plant()
        tables = []
        for threads in (1, 3):
            output = self.folder / f"study-{threads}.json"
            result = binary.run("cluster", "evaluate", "--rows", self.planted, "--output", output, "--draws", 2, "--share", 0.1,
                                "--max-k", 5, "--threads", threads)  # fmt: skip
            self.assertEqual(binary.faults_of(result), [], result.stderr)
            tables.append(json.loads(output.read_text(encoding="utf-8")))
        self.assertEqual(*tables)
        (share,) = tables[0]["shares"]
        self.assertEqual((share["real"], share["planted"]), (150, 17))
        for row in share["detectors"].values():
            for figure in (row["auroc"], row["average_precision"]):
                self.assertTrue(0 <= figure["low"] <= figure["value"] + 0.1 and figure["high"] <= 1, figure)
            self.assertEqual(set(row["auroc_by_kind"]), {"wrong type", "broken grammar", "other domain"})
        # Words that occur nowhere else are easily found.
        self.assertGreater(share["detectors"]["knn distance"]["auroc_by_kind"]["other domain"], 0.9)

    def test_too_few_are_refused(self):
        self.plant()
        for names, more in ((("--share", "0.9"), ("--share", 0.9)), (("30", "needs"), ("--share", 0.45)), (("--draws",), ("--draws", 0))):
            result = binary.run("cluster", "evaluate", "--rows", self.planted, *more)
            self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        result = binary.run("cluster", "plant", "--rows", self.other, "--output", self.folder / "x.jsonl")
        self.assertEqual(binary.faults_of_refusal(result, ("themes", "other.jsonl:1")), [], result.stderr)


if __name__ == "__main__":
    unittest.main()
