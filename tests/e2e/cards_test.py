"""`cards`: pictures of cards. What the binary says of contrast and place is measured here again, from the PNG files alone."""

import json
import re
import struct
import tempfile
import time
import unittest
import zlib
from html.parser import HTMLParser
from pathlib import Path

import binary

FONT = Path("/usr/share/fonts/truetype/nanum/NanumSquareEB.ttf")
DATA = binary.ROOT / "examples" / "review-themes" / "data"
THEMES = [
    {"id": "t-1", "entity": "크림", "expression": "아침까지 당김 없는", "name": "보습력", "products": ["세라 크림 50ml", "수분 크림", "밤"]},
    {"id": "t-2", "entity": "토너", "expressions": ["금방 흡수되는", "산뜻한"], "aspect": "흡수력", "product": "쌀겨 토너 200ml"},
    {"id": "r-3", "product": "홍삼 스틱 30포", "themes": [{"entity": "홍삼 스틱", "expression": "가방에 넣고 다니기 좋은", "name": "휴대성"},
                                                       {"entity": "홍삼 스틱", "expression": "물 없이 짜 먹기 편한", "name": "간편함"}]},
    {"id": "a-4", "text": json.dumps(["안개처럼 곱게 분사되는 '미스트' : 사용감"], ensure_ascii=False), "log_probability": -1.5, "fields": []},
    {"id": "a-5", "text": "[]", "log_probability": -0.1},
    {"id": "a-6", "text": None, "failure": "too long"},
    {"id": "한글/..", "entity": "니트", "expression": "맨살에 입어도 따갑지 않은", "name": "처음 보는 주제"},
]  # fmt: skip
HOSTILE = {
    "emoji": {"expression": "촉촉한 \U0001f9f4 느낌의", "why": "U+1F9F4 as character 5"},
    "control": {"entity": "크\u0007림", "why": "U+0007, a control character"},
    "private": {"name": "\ue000", "why": "U+E000, for private use"},
    "unassigned": {"expression": "\U0003fff0", "why": "unassigned"},
    "noncharacter": {"expression": "\uffff", "why": "U+FFFF"},
    "empty": {"entity": "", "why": "entity is empty"},
    "invisible": {"expression": "\u200b\u202e\ufeff", "why": "expression is empty"},
    "endless": {"entity": "뷁" * 70, "why": "fits into no layout"},
    "too long": {"expression": "가나 " * 50, "why": "149 characters"},
    "product": {"products": ["크림", "\U0001f9f4"], "why": "product has U+1F9F4"},
}


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_png(path):
    """(width, height, rows of bytes r g b) of an 8-bit PNG without alpha."""
    content, at, data = path.read_bytes(), 8, b""
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, color, *_ = struct.unpack(">IIBBBBB", body)
            assert (depth, color) == (8, 2)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, rows, before = zlib.decompress(data), [], bytes(3 * width)
    for y in range(height):
        kind, row = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1 : (y + 1) * (3 * width + 1)])
        if kind == 1:
            for i in range(3, len(row)):
                row[i] = (row[i] + row[i - 3]) & 255
        elif kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, before))
        else:
            assert kind == 0
        rows.append(bytes(row))
        before = row
    return width, height, rows


LIGHT = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in range(256)]


def luminance(r, g, b):
    return 0.2126 * LIGHT[r] + 0.7152 * LIGHT[g] + 0.0722 * LIGHT[b]


def contrast_around(picture, text):
    """(least WCAG ratio of a text's colour to the 3 x 3 means near its strokes, number of pixels of its colour)."""
    width, height, rows = picture
    color = tuple(int(text["color"][i : i + 2], 16) for i in (1, 3, 5))
    own = luminance(*color)
    x, y, w, h = text["box"]
    left, top, right, bottom = int(x) - 2, int(y) - 2, int(x + w) + 3, int(y + h) + 3
    assert left >= 1 and top >= 1 and right < width - 1 and bottom < height - 1
    pixel = lambda i, k: rows[k][3 * i : 3 * i + 3]  # noqa: E731
    is_near = lambda p: all(abs(a - b) <= 40 for a, b in zip(p, color))  # noqa: E731
    ink = {(i, k) for k in range(top, bottom) for i in range(left, right) if is_near(pixel(i, k))}
    # Beyond the soft edges of the strokes (two pixels), and not far from them (four).
    grown = lambda by: {(i + a, k + b) for i, k in ink for a in range(-by, by + 1) for b in range(-by, by + 1)}  # noqa: E731
    worst = 21.0
    for i, k in grown(4) - grown(2):
        mean = sum(luminance(*pixel(i + a, k + b)) for a in (-1, 0, 1) for b in (-1, 0, 1)) / 9
        worst = min(worst, (max(mean, own) + 0.05) / (min(mean, own) + 0.05))
    return worst, len(ink)


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.images, self.links, self.ids = [], [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "img":
            self.images.append(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        if "id" in attributes:
            self.ids.append(attributes["id"])


@unittest.skipUnless(FONT.exists(), "fonts-nanum and fonts-nanum-extra are not installed")
class Cards(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.output = self.folder / "pictures"

    def write(self, name, rows):
        path = self.folder / name
        path.write_text(rows if isinstance(rows, str) else jsonl(rows), encoding="utf-8")
        return path

    def good(self, *arguments):
        result = binary.run("cards", *arguments)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def refused(self, *arguments, names):
        result = binary.run("cards", *arguments)
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def lines(self, output=None):
        return [json.loads(line) for line in ((output or self.output) / "cards.jsonl").read_text(encoding="utf-8").splitlines()]

    def test_every_form_of_input_becomes_cards(self):
        cards = self.write("cards.jsonl", THEMES)
        sources = self.write("rows.jsonl", [{"id": "a-4", "product": "시카 미스트 120ml", "review": "좋아요"}])
        output = self.good("--input", cards, "--rows", sources, "--output", self.output, "--size", "320x400", "--size", "600x314")
        self.assertIn("6 cards drawn, 0 refused, 2 rows without a card", output)
        lines = self.lines()
        self.assertEqual([line["id"] for line in lines], ["t-1", "t-2", "r-3-1", "r-3-2", "a-4-1", "한글/.."])
        self.assertEqual(lines[1]["expression"], "금방 흡수되는")
        self.assertEqual(lines[4]["products"], ["시카 미스트 120ml"])
        named = [file for line in lines for picture in line["pictures"] for file in (picture["png"], picture["svg"])]
        self.assertEqual(sorted(named + ["cards.jsonl", "cards.manifest.json"]), sorted(binary.files_in(self.output)))
        self.assertEqual(len({line["design"] for line in lines}), 6)
        for line in lines:
            for picture in line["pictures"]:
                svg = (self.output / picture["svg"]).read_text(encoding="utf-8")
                self.assertIn(f"<title id=\"title\">{line['expression']} {line['entity']}</title>", svg)
                self.assertIn(line["alt"], svg)
                self.assertNotRegex(svg, r"<(script|style|text|image|use|foreignObject)|href|nan|inf")
                said = " ".join(word for text in picture["texts"] for word in text["lines"])
                for part in (line["expression"], line["entity"], line["name"]):
                    self.assertIn(part, said)
        self.assertIn("외 2개", " ".join(lines[0]["pictures"][0]["texts"][-1]["lines"]))
        self.assertIn(": 0 problems", self.good("check", self.output))

    def test_the_pixels_of_the_files_show_every_text_with_contrast(self):
        self.good("--input", DATA, "--max-rows", "3", "--output", self.output, "--format", "png")
        for line in self.lines()[:5]:
            for picture in line["pictures"]:
                pixels = read_png(self.output / picture["png"])
                self.assertEqual(pixels[:2], (640, 800))
                for text in picture["texts"]:
                    ratio, ink = contrast_around(pixels, text)
                    # At least so many pixels have the text's colour: strokes cover some tenth of their box.
                    self.assertGreater(ink, 0.03 * text["box"][2] * text["box"][3], (line["id"], text))
                    self.assertGreaterEqual(ratio, 0.97 * text["contrast_needed"], (line["id"], text))

    def test_bytes_follow_from_the_input_alone(self):
        cards = self.write("cards.jsonl", THEMES)
        for threads in (1, 2):
            self.good("--input", cards, "--output", self.folder / f"o{threads}", "--size", "320x400", "--threads", threads)
        one = binary.files_in(self.folder / "o1")
        self.assertEqual(one, binary.files_in(self.folder / "o2"))
        self.good("--input", cards, "--output", self.folder / "o3", "--size", "320x400", "--seed", "9")
        three = binary.files_in(self.folder / "o3")
        self.assertTrue(all(one[name] != three[name] for name in one if name.endswith(".png")))
        # A card keeps its look when others come behind it.
        self.write("fewer.jsonl", THEMES[:2])
        self.good("--input", self.folder / "fewer.jsonl", "--output", self.folder / "o4", "--size", "320x400")
        for name, content in binary.files_in(self.folder / "o4").items():
            if not name.startswith("cards."):
                self.assertEqual(content, one[name])

    def test_a_killed_job_goes_on_to_the_same_bytes(self):
        arguments = ["cards", "--input", DATA, "--max-rows", "30", "--size", "240x300"]
        whole = self.folder / "whole"
        self.assertEqual(binary.faults_of(binary.run(*arguments, "--output", whole)), [])
        for kill in range(3):
            process = binary.start(*arguments, "--output", self.output)
            end = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < end:
                if len(list(self.output.glob("*.png"))) > 30 * (kill + 1):
                    break
                time.sleep(0.005)
            process.kill()
            process.communicate()
        self.assertEqual(binary.faults_of(binary.run(*arguments, "--output", self.output)), [])
        self.assertEqual(binary.files_in(self.output), binary.files_in(whole))
        # With other settings it does not mix.
        self.refused(*arguments[1:], "--output", self.output, "--seed", "2", names=["seed", "other settings"])

    def test_hostile_texts_are_refused_by_name_and_the_others_drawn(self):
        good = {"entity": "크림", "expression": "촉촉한", "name": "보습력"}
        rows = [{"id": "good", **good}]
        rows += [{"id": name, **good, **{key: value for key, value in case.items() if key != "why"}} for name, case in HOSTILE.items()]
        rows.append({"id": "rtl", **good, "expression": "\u05e9\u05dc\u05d5\u05dd \u200b스킨\u202e 케어에 좋은"})
        self.good("--input", self.write("cards.jsonl", rows), "--output", self.output, "--size", "320x400")
        lines = {line["id"]: line for line in self.lines()}
        for name, case in HOSTILE.items():
            self.assertIn(case["why"], lines[name].get("failure", "drawn"), name)
            self.assertNotIn("pictures", lines[name])
        self.assertEqual(lines["rtl"]["expression"], "\u05e9\u05dc\u05d5\u05dd 스킨 케어에 좋은")
        self.assertEqual(len(list(self.output.glob("*.png"))), 2)
        self.assertIn("2 cards, 2 pictures", self.good("check", self.output))

    def test_the_check_sees_what_is_wrong(self):
        self.good("--input", self.write("cards.jsonl", THEMES[:2]), "--output", self.output, "--size", "320x400")
        png = self.output / "t-1-320x400.png"
        png.write_bytes(png.read_bytes() + b"\0")
        (self.output / "t-2-320x400.svg").unlink()
        result = binary.run("cards", "check", self.output)
        self.assertEqual(result.returncode, 1)
        self.assertIn("t-1: t-1-320x400.png holds other bytes", result.stdout)
        self.assertIn("t-2: t-2-320x400.svg is missing", result.stdout)
        lines = self.output / "cards.jsonl"
        lines.write_text(lines.read_text(encoding="utf-8").replace("t-1-320x400.png", "../../t-1.png"), encoding="utf-8")
        self.refused("check", self.output, names=["cards.jsonl:1", "folder itself"])
        lines.write_text("{}\n")
        self.refused("check", self.output, names=["cards.jsonl:1", '"id" is missing'])

    def test_the_shop_front_stands_alone(self):
        page = self.output / "index.html"
        sheet = self.folder / "sheet.png"
        name = "온기 <상점> & \"친구\""
        self.good("--input", DATA, "--max-rows", "12", "--output", self.output, "--size", "320x400", "--shop-front", page,
                  "--shop-name", name, "--contact-sheet", sheet, "--sheet-width", "400")  # fmt: skip
        self.assertTrue(sheet.read_bytes().startswith(b"\x89PNG"))
        html = page.read_text(encoding="utf-8")
        self.assertIn("온기 &lt;상점&gt; &amp; &quot;친구&quot;", html)
        self.assertIn('content="default-src &#39;none&#39;' if "&#39;none" in html else "content=\"default-src 'none'", html)
        self.assertNotRegex(html, r"<script|javascript:|https?://|\son\w+=")
        parsed = Page()
        parsed.feed(html)
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)))
        self.assertGreater(len(parsed.images), 10)
        for image in parsed.images:
            self.assertTrue((self.output / image["src"]).is_file())
            self.assertTrue(image["alt"] and image["width"] == "320" and image["height"] == "400")
        for link in parsed.links:
            self.assertTrue(link[1:] in parsed.ids if link.startswith("#") else (self.output / link).is_file(), link)

    def test_wrong_uses_are_refused(self):
        cards = self.write("cards.jsonl", THEMES)
        twice = self.write("twice.jsonl", [THEMES[0], THEMES[0]])
        other = self.write("other.jsonl", [{"id": "x", "review": "좋아요"}])
        typed = self.write("typed.jsonl", [THEMES[0] | {"products": "크림"}])
        number = self.write("number.jsonl", [THEMES[0] | {"products": [1]}])
        none = self.write("none.jsonl", [{"id": "a", "text": "[]"}])
        bad = self.write("bad.jsonl", "{\n")
        ok = ["--input", cards, "--output", self.output]
        cases = [
            ([], ["--input is missing"]),
            (["--input", cards], ["--output is missing"]),
            (["--input", self.folder / "nothing.jsonl", "--output", self.output], ["nothing.jsonl"]),
            (["--input", twice, "--output", self.output], ["twice.jsonl:2", "twice.jsonl:1", "t-1"]),
            (["--input", other, "--output", self.output], ["other.jsonl:1", "entity"]),
            (["--input", typed, "--output", self.output], ["typed.jsonl:1", "products"]),
            (["--input", number, "--output", self.output], ["number.jsonl:1", "products"]),
            (["--input", none, "--output", self.output], ["none.jsonl", "no card"]),
            (["--input", bad, "--output", self.output], ["bad.jsonl:1"]),
            ([*ok, "--size", "640"], ["WIDTHxHEIGHT", "640"]),
            ([*ok, "--size", "10x10"], ["160"]),
            ([*ok, "--size", "640x800", "--size", "640x800"], ["twice"]),
            ([*ok, "--format", "jpg"], ["--format", "jpg"]),
            ([*ok, "--format", ""], ["--format"]),
            ([*ok, "--seed", "-1"], ["--seed"]),
            ([*ok, "--fonts", self.folder], ["Nanum", "fonts-nanum"]),
            ([*ok, "--shop-front", self.folder / "index.html"], ["--shop-front", "--output"]),
            ([*ok, "--sheet-width", "3"], ["--sheet-width"]),
            (["chek", self.output], ["chek", "check"]),
            (["check"], ["one folder"]),
            (["check", self.folder / "nothing"], ["nothing"]),
        ]
        for arguments, names in cases:
            with self.subTest(arguments=[str(a) for a in arguments]):
                self.refused(*arguments, names=names)
        self.assertFalse([name for name in binary.files_in(self.folder) if re.search(r"\.(png|svg)$", name)])


if __name__ == "__main__":
    unittest.main()
