"""Wrong uses of `label`, `label rank` and `experiment noise`."""

from bad_input import Case
from workshop import ROWS, jsonl

URL = "http://127.0.0.1:9/v1"


def label(w, *more, **files):
    flags = {"teacher": URL, "model": "big", "prompt": w.template, "input": w.rows, "output": w.output} | files
    return w._command("label", flags, *more)


def label_case(name, more, *names, **files):
    def make(w):
        return label(w, *more, **{flag: value(w) if callable(value) else value for flag, value in files.items()})

    return Case(f"label: {name}", make, names)


def rank_case(name, rows, *names, more=()):
    return Case(f"label rank: {name}", lambda w: ["label", "rank", "--input", w.write("in.jsonl", jsonl(rows)), "--output", w.output, *more], names)


EXAMPLES = {"examples": lambda w: w.rows}
CASES = [
    label_case("no teacher", (), "--teacher", teacher=None),
    label_case("no prompt", (), "--prompt", prompt=None),
    label_case("no input", (), "--input", input=None),
    label_case("no output", (), "--output", output=None),
    label_case("a word too many", ("more",), "no positional"),
    label_case("no model", (), "--model", model=None),
    label_case("another protocol", (), "ftp://a/v1", "https://", teacher="ftp://a/v1"),
    label_case("no host", (), "no host", teacher="https://"),
    label_case("an address with a query", (), "query", teacher="https://a/v1?key=1"),
    label_case("a checkpoint that is not there", (), "none.gguf", teacher="none.gguf", model=None),
    label_case("a checkpoint with a model's name", (), "--model", teacher=lambda w: w.base),
    label_case("a guide for an address", ("--guide", "g.json"), "--guide", "--schema"),
    label_case("no answers", ("--answers", "0"), "--answers is 0", "1 to 64"),
    label_case("answers that are all the same", ("--answers", "3"), "--temperature"),
    label_case("no examples wanted", ("--nearest", "0"), "--nearest is 0"),
    label_case("a share of nothing", ("--least-share", "0"), "--least-share"),
    label_case("repairs below 0", ("--repairs", "-1"), "--repairs is -1"),
    label_case("retries below 0", ("--max-retries", "-1"), "--max-retries is -1"),
    label_case("nothing under way", ("--parallel", "0"), "--parallel is 0"),
    label_case("a limit below 0", ("--requests-per-minute", "-1"), "below 0"),
    label_case("a price that is no number", ("--input-price", "cheap"), "--input-price", "cheap"),
    label_case("a price below 0", ("--output-price", "-1"), "--output-price"),
    label_case("a price too exact", ("--cached-price", "0.0000001"), "--cached-price"),
    label_case("a limit without prices", ("--max-cost", "1"), "--max-cost", "--input-price"),
    label_case("a body that is a list", ("--body", "[]"), "--body"),
    label_case("a body that is no JSON", ("--body", "{"), "--body"),
    label_case("no time", ("--timeout-s", "0"), "--timeout-s is 0"),
    label_case("no tokens", ("--max-tokens", "0"), "--max-tokens is 0"),
    label_case("a temperature below 0", ("--temperature", "-1"), "--temperature"),
    label_case("vectors without examples' vectors", ("--vectors", "v.npy"), "--example-vectors"),
    label_case("vectors without examples", ("--vectors", "v.npy", "--example-vectors", "e.npy"), "--examples"),
    label_case("vectors that are none", ("--vectors", "prompt.txt", "--example-vectors", "prompt.txt"), "prompt.txt", ".npy", **EXAMPLES),
    label_case("examples without an answer", (), "bare.jsonl:1", '"label"', examples=lambda w: w.write("bare.jsonl", jsonl([{"product": "a", "review": "b"}]))),
    label_case("a group that examples lack", ("--group", "shop"), "rows.jsonl:1", '"shop"', **EXAMPLES),
    label_case("rows without a column of the prompt", (), "raw.jsonl:2", '"review"', input=lambda w: w.write("raw.jsonl", jsonl([ROWS[0], {"product": "a"}]))),
    label_case("rows with a teacher", (), "raw.jsonl:1", '"teacher"', input=lambda w: w.write("raw.jsonl", jsonl([ROWS[0] | {"teacher": 1}]))),
    label_case("no rows", (), "none.jsonl", "no row", input=lambda w: w.write("none.jsonl", "")),
    label_case("a schema that is a list", (), "s.json", "object", schema=lambda w: w.write("s.json", "[]")),
    label_case("guidelines that are not there", (), "none.md", guidelines="none.md"),
    label_case("guidelines in another encoding", (), "g.md", "UTF-8", guidelines=lambda w: w.write("g.md", "지침".encode("cp949"))),
    label_case("an output that was there", (), "here.jsonl", "onggi label", output=lambda w: w.write("here.jsonl", "mine\n")),
    Case("label rank: no input", lambda w: ["label", "rank", "--output", w.output], ("--input",)),
    Case("label rank: no output", lambda w: ["label", "rank", "--input", w.rows], ("--output",)),
    rank_case("an unknown method", ROWS, "best", "learned, once or plain", more=("--method", "best")),
    rank_case("one fold", ROWS, "--folds is 1", more=("--folds", "1")),
    rank_case("no neighbours", ROWS, "--neighbours is 0", more=("--neighbours", "0")),
    rank_case("no rounds", ROWS, "--rounds is 0", more=("--rounds", "0")),
    rank_case("no theme anywhere", [row | {"themes": []} for row in ROWS], "no row has a theme"),
    rank_case("rows without themes", [{"id": "a", "product": "b", "review": "c"}], "in.jsonl:1", '"themes"'),
    rank_case("fewer groups than folds", [row | {"product": "a"} for row in ROWS], "1 groups", "5 folds"),
    rank_case("an unknown group", ROWS, "in.jsonl:1", '"shop"', more=("--group", "shop")),
    rank_case("rows that all failed", [ROWS[0] | {"teacher": {"failure": "x"}}], "no labelled row"),
    Case("experiment noise: no rows", lambda w: ["experiment", "noise"], ("--rows",)),
    Case("experiment noise: no seeds", lambda w: ["experiment", "noise", "--rows", w.rows, "--seeds", "0"], ("--seeds is 0",)),
    Case("experiment noise: an empty beginning", lambda w: ["experiment", "noise", "--rows", w.rows, "--begin", "0"], ("--begin",)),
]
