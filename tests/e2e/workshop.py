"""A folder with everything a command needs, all of it good: tests spoil one thing and look at what is said."""

import atexit
import functools
import json
import tempfile
from pathlib import Path

import binary
import tiny_model

ROWS = [
    {
        "id": f"r{i}",
        "product": f"보습 크림 {10 * i}ml",
        "review": f"{i}번째 구매예요. 촉촉하고 {'좋아요' if i % 2 else '아쉬워요'}",
        "themes": [{"entity": f"크림 {10 * i}ml", "expression": "촉촉하고 좋은", "name": "보습력"}] if i % 2 else [],
        "label": "good" if i % 2 else "bad",
    }
    for i in range(1, 13)
]
TEMPLATE = "상품: {{product}}\n후기: {{review}}\n답:\n\n---answer---\n{{label}}\n"
CARD_TEMPLATE = "---\nformat: cards\n---\n상품: {{product}}\n후기: {{review}}\n답:\n\n---answer---\n{{themes|cards}}\n"
GUIDE = {"choices": ["good", "bad"]}
PREDICTIONS = [{"id": row["id"], "text": "[]"} for row in ROWS]
SPLIT = {"kind": "random", "test_share": 0.25, "validation_share": 0.25}


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


class Workshop:
    def __init__(self, folder):
        self.folder = folder
        self.rows = self.write("rows.jsonl", jsonl(ROWS))
        self.template = self.write("prompt.txt", TEMPLATE)
        self.guide = self.write("guide.json", GUIDE)
        self.split = self.write("split.json", SPLIT)
        self.base = tiny_model.write_folder(folder / "model")
        self.output = folder / "answers.jsonl"
        self.run = folder / "run"

    def write(self, name, content):
        """Text, bytes, or a value that is written as JSON."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def generate(self, *more, **files):
        """Arguments; `files` replaces a good file, or leaves its flag out where it is None."""
        flags = {"base": self.base, "rows": self.rows, "template": self.template, "output": self.output} | files
        return self._command("generate", flags, "--max-new-tokens", 8, *more)

    def sft(self, *more, **files):
        flags = {"base": self.base, "rows": self.rows, "template": self.template, "run": self.run} | files
        return self._command("sft", flags, "--rank", 2, "--batch-rows", 4, "--max-steps", 4, *more)

    def eval(self, *more, **files):
        flags = {"rows": self.rows, "predictions": self.folder / "predictions.jsonl"} | files
        return self._command("eval", flags, *more)

    def merge(self, *more, **files):
        flags = {"base": self.base, "adapter": self.run / "adapter", "output": self.folder / "merged"} | files
        return self._command("merge", flags, *more)

    def experiment(self, *more, **files):
        flags = {"base": self.base, "rows": self.rows, "split": self.split, "template": self.template, "output": self.folder / "study"} | files
        return self._command("experiment", flags, "prompts", "--rank", 2, "--max-steps", 2, *more)

    def data(self, verb, *more, **files):
        return self._command("data", {"rows": self.rows} | files, verb, *more)

    @staticmethod
    def _command(name, flags, *more):
        given = [part for flag, value in flags.items() if value is not None for part in (f"--{flag}", value)]
        return [name, *given, *more]


@functools.cache
def trained_adapter():
    """Folder of an adapter that `sft` made on the workshop's model: to copy, not to change."""
    scratch = tempfile.TemporaryDirectory()
    atexit.register(scratch.cleanup)
    workshop = Workshop(Path(scratch.name))
    result = binary.run(*workshop.sft())
    if problems := binary.faults_of(result):
        raise AssertionError(f"{problems}: {result.stderr}")
    return workshop.run / "adapter"
