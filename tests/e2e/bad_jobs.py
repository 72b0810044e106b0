"""Templates, guides, rows, splits, outputs and flags that are wrong."""

import json
import shutil

import binary
import tiny_model
from bad_input import Case
from workshop import CARD_TEMPLATE, PREDICTIONS, ROWS, TEMPLATE, jsonl, trained_adapter


# --- templates and guides ---


def template_case(name, content, *names, command="generate"):
    def make(w):
        path = w.write("prompt.txt", content)
        return w.generate() if command == "generate" else w.sft() if command == "sft" else w.data("check", "--template", path)

    return Case(f"template: {name}", make, names)


def guide_case(name, content, *names):
    return Case(f"guide: {name}", lambda w: w.generate(guide=w.write("guide.json", content)), ("guide.json", *names))


def schema_case(name, schema, *names):
    return guide_case(f"schema with {name}", {"schema": schema}, *names)


def schema_object(**properties):
    return {"type": "object", "additionalProperties": False, "required": [*properties], "properties": properties}


TEMPLATES = [
    template_case("unknown slot", "{{reveiw}}\n", "rows.jsonl:1", '"reveiw"', 'did you mean "review"', "prompt.txt"),
    template_case("unknown slot, in training", TEMPLATE.replace("product", "brand"), "rows.jsonl", '"brand"', command="sft"),
    template_case("no answer part, in training", "{{review}}\n", "prompt.txt", "---answer---", command="sft"),
    template_case("nothing after the answer mark", "{{review}}\n---answer---\n", "prompt.txt", "---answer---"),
    template_case("empty", "", "prompt.txt", "empty"),
    template_case("slot that is never closed", "a\n{{review\n", "prompt.txt:2", "{{"),
    template_case("slot without a name", "{{ }}\n", "prompt.txt:1", "name"),
    template_case("unknown converter", "{{review|card}}\n", "prompt.txt:1", "|cards"),
    template_case("front section that is never closed", "---\nname: a\n", "prompt.txt:1", "---"),
    template_case("unknown key in front", "---\ncolour: red\n---\n{{review}}", "prompt.txt:2", "colour"),
    template_case("UTF-16", "{{review}}".encode("utf-16"), "prompt.txt", "UTF-16"),
    template_case("CP949", "후기: {{review}} 답변을 적어 주세요".encode("cp949"), "prompt.txt", "CP949"),
    Case("template: not there", lambda w: w.generate(template=w.folder / "nothing.txt"), ("nothing.txt", "No such file")),
    Case("template: a folder", lambda w: w.generate(template=w.base), ("model", "directory")),
]
GUIDES = [
    guide_case("broken JSON", '{"choices": ["a",}', "line 1", "column"),
    guide_case("empty file", "", "line 1"),
    guide_case("list", "[]", "object"),
    guide_case("unknown keyword", {"choises": ["a"]}, "/choises", "choices"),
    guide_case("two kinds", {"choices": ["a"], "regex": "a"}, "/choices", "/regex"),
    guide_case("no choices", {"choices": []}, "choices", "at least one"),
    guide_case("choice that is a number", {"choices": [1]}, "choices"),
    guide_case("open group", {"regex": "(a"}, "("),
    guide_case("look-ahead", {"regex": "(?=a)b"}, "(?"),
    guide_case("regex that is a number", {"regex": 1}, "/regex"),
    guide_case("unknown member of cards", {"cards": {"names": ["a"], "max_card": 3}}, "/cards/max_card"),
    guide_case("cards without names", {"cards": {}}, "/cards/names"),
    guide_case("cards of a broken class", {"cards": {"names": ["a"], "expression_class": "[a"}}, "expression_class"),
    Case("guide: slot that the template lacks", lambda w: w.generate(guide=w.write("guide.json", {"regex": "{brand:piece}"})),
         ('"brand"', "product"), ("answers.jsonl", "answers.jsonl.manifest.json")),
    guide_case("unknown whitespace", {"schema": {"type": "null"}, "whitespace": "wide"}, "whitespace", "wide"),
    schema_case("a keyword that can't be enforced", schema_object(a={"type": "array", "uniqueItems": True}), '"uniqueItems"', "#/properties/a"),
    schema_case("what is left unevaluated", {"not": {"unevaluatedProperties": False}}, '"unevaluatedProperties"'),
    schema_case("an unknown format", schema_object(a={"type": "string", "format": "dates"}), '"dates"', "#/properties/a"),
    schema_case("a pattern that looks behind", schema_object(a={"type": "string", "pattern": "(?<=a)b"}), "look-around", "#/properties/a"),
    schema_case("an unknown keyword", schema_object(a={"type": "string", "maxLen": 3}), '"maxLen"', "#/properties/a/maxLen"),
    schema_case("an unknown type", schema_object(a={"type": "text"}), '"text"', "#/properties/a/type"),
    schema_case("a reference to itself", {"$ref": "#"}, '"$ref"', "itself"),
    schema_case("a reference to nothing", {"$ref": "#/$defs/b"}, '"#/$defs/b"', "#/$ref"),
    schema_case("no value at all", {"enum": []}, "no value", "#"),
]


# --- rows ---


def rows_case(name, content, *names, command="generate", file="rows.jsonl", flags=(), template=None):
    def make(w):
        path = w.write(file, content)
        prompt = w.template if template is None else w.write("prompt.txt", template)
        if command == "check":
            return w.data("check", *flags, "--template", prompt, rows=path)
        return (w.sft if command == "sft" else w.generate)(*flags, rows=path)

    return Case(f"rows: {name}", make, names)


GOOD = jsonl(ROWS)
EDITED = lambda **changes: jsonl([ROWS[0], ROWS[1] | changes, ROWS[2]])  # noqa: E731
CSV_HEAD = "id,product,review,label\n"
DATA = [
    rows_case("broken line", GOOD + '{"id": "x", \n', "rows.jsonl:13", "not valid JSON"),
    rows_case("line that is a list", GOOD + "[1, 2]\n", "rows.jsonl:13", "object"),
    rows_case("member twice", '{"id": "a", "id": "b"}\n', "rows.jsonl:1", '"id" twice'),
    rows_case("CP949", GOOD.encode("cp949"), "rows.jsonl:1", "CP949"),
    rows_case("UTF-16", GOOD.encode("utf-16"), "rows.jsonl:1", "UTF-16"),
    rows_case("UTF-16 without a mark", GOOD.encode("utf-16-le"), "rows.jsonl:1", "UTF-16"),
    rows_case("UTF-8, then CP949", GOOD.encode() + GOOD.encode("cp949"), "rows.jsonl:13", "mixed encodings"),
    rows_case("cut in a character", GOOD.encode()[:-20].rstrip(b"\n") + b"\xec\xa2", "rows.jsonl", "UTF-8"),
    rows_case("NUL byte", GOOD + "\0", "rows.jsonl:13", "NUL"),
    rows_case("line over the limit", GOOD, "rows.jsonl:1", "max_line_bytes", flags=("--max-line-bytes", 20)),
    rows_case("missing column", GOOD.replace('"review"', '"text"'), "rows.jsonl:1", '"review"', "text"),
    rows_case("column of another type", EDITED(review=["a", "b"]), "rows.jsonl:2", "review", "array"),
    rows_case("column that is null", EDITED(review=None), "rows.jsonl:2", "review", "null"),
    rows_case("id that is a list", EDITED(id=[1]), "rows.jsonl:2", "id", "array"),
    rows_case("empty file", "", "rows.jsonl", "no row"),
    rows_case("blank lines", "\n \n\n", "rows.jsonl", "no row", command="sft"),
    rows_case("empty answer", EDITED(label="  "), "rows.jsonl:2", "answer is empty", command="sft"),
    rows_case("repeated id", EDITED(id="r1"), "rows.jsonl:2", '"r1"', "line 1", command="sft"),
    rows_case("themes that are a text", EDITED(themes="a"), "rows.jsonl:2", "list", command="sft", template=CARD_TEMPLATE),
    rows_case("theme without a name", EDITED(themes=[{"entity": "a"}]), "rows.jsonl:2", '"expression"', command="sft", template=CARD_TEMPLATE),
    rows_case("all longer than the limit", GOOD, "--max-tokens 20", command="sft", flags=("--max-tokens", 20)),
    rows_case("all longer than the context", EDITED(review="가" * 2000).split("\n")[1], "1024", command="sft", flags=("--max-tokens", 100000)),
    rows_case("unknown format", GOOD, "xml", "jsonl", flags=("--format", "xml")),
    rows_case("column map to nothing", GOOD, "rows.jsonl:1", '"body"', flags=("--columns", "review=body")),
    rows_case("column map without =", GOOD, '"review"', flags=("--columns", "review")),
    rows_case("CSV with a short record", CSV_HEAD + "1,a,b,c\n2,a,b\n", "rows.csv:3", "3 cells", "4", file="rows.csv"),
    rows_case("CSV with an open quote", CSV_HEAD + '1,a,"b,c\n2,a,b,c\n', "rows.csv", "never closed", file="rows.csv"),
    rows_case("CSV with text after a quote", CSV_HEAD + '1,a,"b"c,d\n', "rows.csv:2", "closing quote", file="rows.csv"),
    rows_case("CSV with a column twice", "id,id\n1,2\n", "rows.csv:1", "twice", file="rows.csv"),
    rows_case("CSV with its head alone", CSV_HEAD, "rows.csv", "no row", file="rows.csv"),
    Case("rows: not there", lambda w: w.generate(rows=w.folder / "nothing.jsonl"), ("nothing.jsonl", "No such file")),
    Case("rows: folder without rows", lambda w: w.generate(rows=w.base), ("model", ".jsonl")),
    Case("rows: answers that the guide can't produce",
         lambda w: w.sft("--guide-loss", guide=w.write("guide.json", {"choices": ["yes", "no"]})), ("guide", "rows.jsonl:1", "good")),
    Case("rows: the same row in training and validation", lambda w: w.sft(validation=w.write("held.jsonl", jsonl(ROWS[4:6]))),
         ("rows.jsonl:5", "held.jsonl:1", "same row")),
    Case("rows: the same row in training and test, with other spaces",
         lambda w: w.sft(rows=w.write("rows.jsonl", jsonl([ROWS[0], ROWS[0] | {"id": "x", "review": ROWS[0]["review"].replace(" ", "  ")}] + ROWS[1:])),
                         split=w.write("split.json", {"kind": "random", "test_share": 0.5, "validation_share": 0.2})),
         ("the same row", "rows.jsonl")),
]  # fmt: skip


def split_case(name, content, *names):
    return Case(f"split: {name}", lambda w: w.data("split", "--split", w.write("split.json", content), "--output", w.folder / "parts"), names)


SPLITS = [
    split_case("broken JSON", "{", "split.json", "line 1"),
    split_case("unknown option", {"kind": "group", "grop": "product"}, "split.json", '"grop"', '"group"'),
    split_case("unknown kind", {"kind": "by_hand"}, "by_hand", "stratified"),
    split_case("modulus of 0", {"kind": "group", "group": "product", "modulus": 0}, "modulus"),
    split_case("modulus that is a text", {"kind": "group", "modulus": "five"}, "split.json", "modulus", "five"),
    split_case("shares above 1", {"kind": "random", "test_share": 0.9, "validation_share": 0.4}, "share"),
    split_case("column that is not there", {"kind": "group", "group": "brand"}, "rows.jsonl:1", '"brand"'),
    Case("split: beside --validation", lambda w: w.sft(split=w.split, validation=w.rows), ("--split", "--validation")),
    Case("split: unknown part", lambda w: w.generate("--part", "tset", split=w.split), ("--part", "tset", "validation")),
]


# --- outputs, runs, memory ---


def full_output(w):
    w.write("answers.jsonl", "mine\n")
    return w.generate()


def begun_output(*changes, **files):
    """An output that was begun with other settings or rows."""

    def make(w):
        result = binary.run(*w.generate())
        assert not binary.faults_of(result), result.stderr
        return w.generate(*changes, **{name: w.write(f"other-{name}", content) for name, content in files.items()})

    return make


def begun_run(change):
    """A run that is in its folder; `change` takes the workshop to the arguments of the next call."""

    def make(w):
        result = binary.run(*w.sft())
        assert not binary.faults_of(result), result.stderr
        return change(w)

    return make


def foreign_run_folder(w):
    w.write("run/config.json", {"mine": True})
    w.write("run/notes.txt", "mine")
    return w.sft()


def too_large_run(w):
    """One row of 80,000 tokens, computed at once: its attention alone takes 190 GB."""
    (w.base / "config.json").write_text(json.dumps(tiny_model.config(max_position_embeddings=1 << 19)))
    rows = w.write("rows.jsonl", jsonl([ROWS[0] | {"review": "x y " * 20_000}]))
    return w.sft("--max-tokens", 1 << 19, "--pass-tokens", 1 << 19, rows=rows)


def predictions_case(name, lines, *names, rows=None, more=()):
    def make(w):
        w.write("predictions.jsonl", lines if isinstance(lines, (str, bytes)) else jsonl(lines))
        return w.eval(*more, rows=w.rows if rows is None else w.write("rows.jsonl", rows))

    return Case(f"eval: {name}", make, names)


OUTPUTS = [
    Case("output: under a file", lambda w: w.generate(output=w.rows / "answers.jsonl"), ("rows.jsonl", "directory")),
    Case("split: output under a file", lambda w: w.data("split", "--split", w.split, "--output", w.rows / "parts"), ("rows.jsonl", "folder")),
    Case("output: a folder", lambda w: w.generate(output=w.base), ("model",)),
    Case("output: a file of something else", full_output, ("answers.jsonl", "already")),
    Case("output: begun with another seed", begun_output("--seed", 5), ("answers.jsonl", '"options"', "seed", "0", "5")),
    Case("output: begun with another template", begun_output(template="{{review}}\n"), ("answers.jsonl", '"template"')),
    Case("output: begun with other rows", begun_output(rows=jsonl(ROWS[:3])), ("answers.jsonl", '"rows"')),
    Case("output: begun without a guide", begun_output(guide=json.dumps({"choices": ["a"]})), ("answers.jsonl", '"guide"')),
    Case("output: manifest broken", lambda w: begun_output()(w) and w.write("answers.jsonl.manifest.json", "{") and w.generate(),
         ("answers.jsonl.manifest.json", "line 1")),
    Case("run: where a file is", lambda w: w.sft(run=w.rows), ("rows.jsonl", "folder")),
    Case("run: in a folder of something else", foreign_run_folder, ("run", "something else")),
    Case("run: begun with another rank", begun_run(lambda w: w.sft("--rank", 3)), ("run", '"rank"', "2", "3")),
    Case("run: begun with another learning rate", begun_run(lambda w: w.sft("--learning-rate", 1)), ("run", '"learning_rate"', "0.0004")),
    Case("run: begun with other rows", begun_run(lambda w: w.sft(rows=w.write("rows.jsonl", jsonl(ROWS[:8])))), ("run", "train")),
    Case("run: begun with another base", begun_run(lambda w: tiny_model.write_folder(w.base, seed=2) and w.sft()), ("run", "base")),
    Case("run: begun with another template", begun_run(lambda w: w.write("prompt.txt", TEMPLATE + "!\n") and w.sft()), ("run", "template")),
    Case("run: begun without a guide", begun_run(lambda w: w.sft("--guide-loss", guide=w.guide)), ("run", "guide")),
    Case("run: manifest broken", begun_run(lambda w: w.write("run/manifest.json", "{") and w.sft()), ("manifest.json", "line 1")),
    Case("memory: more than there is", too_large_run, ("needs", "free", "lower")),
    Case("runs: not there", lambda w: ["runs", w.folder / "nothing"], ("nothing",)),
    Case("runs: a file", lambda w: ["runs", w.rows], ("rows.jsonl",)),
    Case("runs: comparing what is no run", lambda w: ["runs", "compare", w.base, w.base], ("manifest.json", "model")),
    Case("runs: comparing one", lambda w: ["runs", "compare", w.base], ("two",)),
    predictions_case("a missing id", PREDICTIONS[:4] + PREDICTIONS[5:], "predictions.jsonl", '"r5"', '"r6"', "row 5"),
    predictions_case("an id twice", PREDICTIONS[:5] + PREDICTIONS[4:], "predictions.jsonl", '"r5"', '"r6"', "row 6"),
    predictions_case("fewer rows", PREDICTIONS[:8], "predictions.jsonl", "row 9", '"r9"'),
    predictions_case("more rows", PREDICTIONS + [{"id": "z", "text": "[]"}], "predictions.jsonl", "row 13", '"z"'),
    predictions_case("no column with the text", [{"id": row["id"], "answer": "[]"} for row in ROWS], "predictions.jsonl:1", '"text"'),
    predictions_case("a text that is a list", [{"id": row["id"], "text": []} for row in ROWS], "predictions.jsonl:1", "text", "array"),
    predictions_case("a broken line", '{"id": "r1", "text": "[]"}\n{\n', "predictions.jsonl:2"),
    predictions_case("rows without themes", PREDICTIONS, "rows.jsonl:1", '"themes"', rows=jsonl([{"id": "r1", "product": "a", "review": "b"}])),
    predictions_case("themes of another type", PREDICTIONS, "rows.jsonl:2", "list", rows=EDITED(themes=5)),
    predictions_case("empty rows", PREDICTIONS, "rows.jsonl", "no row", rows=""),
    predictions_case("comparison without a name", PREDICTIONS, "--compare", "NAME=FILE", more=("--compare", "file.jsonl")),
    predictions_case("comparison with a file that is not there", PREDICTIONS, "nothing.jsonl", more=("--compare", "a=nothing.jsonl")),
    predictions_case("report in a folder that is not there", PREDICTIONS, "nowhere", more=("--report", "nowhere/report.html")),
    predictions_case("run that is no run", PREDICTIONS, "nowhere", more=("--run", "nowhere", "--report", "report.html")),
]  # fmt: skip


def merge_case(name, command, *names):
    """`command` takes a workshop whose run/adapter is an adapter of its model."""

    def make(w):
        shutil.copytree(trained_adapter(), w.run / "adapter")
        return command(w)

    return Case(f"merge: {name}", make, names)


MERGES = [
    merge_case("no adapter", lambda w: w.merge(adapter=None), "--adapter"),
    merge_case("no output", lambda w: w.merge(output=None), "--output"),
    merge_case("onto a file of something else", lambda w: w.merge(output=w.rows), "rows.jsonl"),
    merge_case("onto a folder of something else", lambda w: w.write("merged/notes.txt", "mine") and w.merge(), "merged"),
    merge_case("onto a model, without --force", lambda w: shutil.copytree(w.base, w.folder / "merged") and w.merge(), "merged", "--force"),
    merge_case("onto the base", lambda w: w.merge("--force", output=w.base), "model", "the base itself"),
    merge_case("under a file", lambda w: w.merge(output=w.rows / "merged"), "rows.jsonl"),
    merge_case("with another base", lambda w: tiny_model.write_folder(w.base, seed=2) and w.merge(), "another base"),
    merge_case("to an unknown type", lambda w: w.merge("--type", "Q3"), "Q3", "BF16"),
    merge_case("to GGUF from a folder", lambda w: w.merge(output=w.folder / "merged.gguf"), "GGUF"),
    Case("experiment: no verb", lambda w: ["experiment"], ("prompts",)),
    Case("experiment: unknown verb", lambda w: ["experiment", "prmpts"], ('prompts',)),
    Case("experiment: no split", lambda w: w.experiment(split=None), ("--split",)),
    Case("experiment: template that is not there", lambda w: w.experiment(template=w.folder / "nothing.txt"), ("nothing.txt",)),
    Case("experiment: price below zero", lambda w: w.experiment("--price-per-hour", -1), ("price",)),
    Case("experiment: output is a file", lambda w: w.experiment(output=w.rows), ("rows.jsonl",)),
]


# --- review ---


def review_case(name, make, *names, makes=()):
    return Case(f"review: {name}", make, names, makes)


def review(w, *more, rows=None, store="review.db"):
    return ["review", "--store", w.folder / store, "--input", rows or w.rows, "--port", 0, *more]


STORES = ("review.db", "review.db-wal", "review.db-shm", "review.db-lock")
REVIEWS = [
    review_case("no store", lambda w: ["review", "--input", w.rows], "--store"),
    review_case("unknown part", lambda w: ["review", "exprot"], "exprot", "export"),
    review_case("rows that are not there", lambda w: review(w, rows=w.folder / "nothing.jsonl"), "nothing.jsonl", makes=STORES),
    review_case("a row without an answer", lambda w: review(w, rows=w.write("bad.jsonl", jsonl([ROWS[0], {"id": "x", "review": "y"}]))), "bad.jsonl:2", "themes", makes=STORES),
    review_case("an answer that is no theme", lambda w: review(w, rows=w.write("bad.jsonl", jsonl([ROWS[0], ROWS[1] | {"themes": [{"entity": 1}]}]))), "bad.jsonl:2", "entity", makes=STORES),
    review_case("unknown kind", lambda w: review(w, "--kind", "cards"), "cards", "themes, json or text", makes=STORES),
    review_case("a guide that is none", lambda w: review(w, "--guide", w.write("guide.json", {"choises": []})), "choises", makes=STORES),
    review_case("a guide and a schema", lambda w: review(w, "--guide", w.guide, "--schema", w.guide), "--guide", "--schema"),
    review_case("guidelines that are not there", lambda w: review(w, "--guidelines", w.folder / "none.md"), "none.md"),
    review_case("people who are none", lambda w: review(w, "--people", w.write("people.yaml", "people: []")), "people.yaml"),
    review_case("open to others without tokens", lambda w: review(w, "--host", "0.0.0.0"), "--people"),
    review_case("a store that is something else", lambda w: review(w, store=w.rows.name), "rows.jsonl"),
    review_case("an export of nothing", lambda w: ["review", "export", "--store", w.folder / "none.db", "--output", w.folder / "out.jsonl"], "none.db"),
    review_case("an export to nowhere", lambda w: ["review", "export", "--store", w.folder / "none.db"], "--output"),
    review_case("a status of nothing", lambda w: ["review", "status", "--store", w.folder / "none.db"], "none.db"),
    review_case("an import of nothing", lambda w: ["review", "import", "--store", w.folder / "new.db"], "--input"),
    review_case("a person without a name", lambda w: ["review", "person"], "NAME"),
    review_case("a person who is there", lambda w: w.write("people.yaml", 'people:\n  - name: "hana"\n') and ["review", "person", "hana", "--file", w.folder / "people.yaml"], "nobody else"),
    review_case("an overlap above 1", lambda w: review(w, "--overlap", 2), "overlap", makes=STORES),
    review_case("no width", lambda w: review(w, "--width", 0), "--width"),
]


# --- flags ---


def flag_case(flags, *names, command="sft"):
    return Case(f"flag: {command} {' '.join(flags)}", lambda w: getattr(w, command)(*flags), names)


EXTRACTOR = ("--samples", 2, "--temperature", 1, "--extractor-weight", 0.5)
FLAGS = [
    Case("flag: unknown command", lambda w: ["genrate"], ('"genrate"', '"generate"')),
    Case("flag: a word too many", lambda w: ["inspect", w.base, w.base], ("one path",)),
    Case("flag: no rows", lambda w: w.sft(rows=None), ("--rows",)),
    Case("flag: no template", lambda w: w.sft(template=None), ("--template",)),
    Case("flag: no run", lambda w: w.sft(run=None), ("--run",)),
    Case("flag: no output", lambda w: w.generate(output=None), ("--output",)),
    Case("flag: no predictions", lambda w: w.eval(predictions=None), ("--predictions",)),
    Case("flag: data without a verb", lambda w: ["data", "--rows", w.rows], ("check", "split", "card")),
    Case("flag: data with an unknown verb", lambda w: ["data", "chek", "--rows", w.rows], ('"chek"', "check")),
    flag_case(["--lerning-rate", "1"], "--lerning-rate", "--learning-rate"),
    flag_case(["--rank"], "--rank", "value"),
    flag_case(["--rank", "many"], "--rank", "whole number", "many"),
    flag_case(["--rank", "2.5"], "--rank", "2.5"),
    flag_case(["--rank", "99999999999"], "--rank", "99999999999"),
    flag_case(["--rank", "0"], "rank", "0"),
    flag_case(["--rank", "5000"], "rank", "4096"),
    flag_case(["--alpha", "nan"], "--alpha", "nan"),
    flag_case(["--alpha", "0"], "alpha"),
    flag_case(["--alpha", "-1"], "alpha"),
    flag_case(["--learning-rate", "-1"], "learning", "-1"),
    flag_case(["--learning-rate", "1e999"], "--learning-rate", "1e999"),
    flag_case(["--warmup-share", "2"], "warm"),
    flag_case(["--warmup-share", "-1"], "warm"),
    flag_case(["--weight-decay", "-1"], "weight"),
    flag_case(["--max-gradient-norm", "-1"], "gradient"),
    flag_case(["--schedule", "square"], "square", "cosine"),
    flag_case(["--method", "qlora"], "qlora", "lora"),
    flag_case(["--targets", "q_porj"], "q_porj", "q_proj"),
    flag_case(["--batch-rows", "0"], "batch"),
    flag_case(["--epochs", "0"], "epochs"),
    flag_case(["--max-steps", "-1"], "steps"),
    flag_case(["--max-tokens", "0"], "max"),
    flag_case(["--pass-tokens", "0"], "pass"),
    flag_case(["--checkpoint-steps", "0"], "checkpoint"),
    flag_case(["--eval-steps", "-1"], "eval"),
    flag_case(["--patience", "-1"], "patience"),
    flag_case(["--threads", "-1"], "threads", "-1"),
    flag_case(["--threads", "1000000"], "threads", "1000000"),
    flag_case(["--guide-loss"], "--guide"),
    flag_case(["--temperature", "-1"], "temperature", command="generate"),
    flag_case(["--top-p", "0"], "top_p", command="generate"),
    flag_case(["--min-p", "2"], "min_p", command="generate"),
    flag_case(["--top-k", "-1"], "top_k", command="generate"),
    flag_case(["--max-new-tokens", "0"], "new tokens", command="generate"),
    flag_case(["--batch-rows", "0"], "batch", command="generate"),
    flag_case(["--max-rows", "-1"], "max_rows", command="generate"),
    flag_case(["--max-line-bytes", "0"], "max_line_bytes", command="generate"),
    flag_case(["--no-rows"], "--no-rows", command="generate"),
    flag_case(["--lora-dropout", "1"], "--lora-dropout"),
    flag_case(["--base-type", "q3"], "q3", "nf4"),
    flag_case(["--memory-mb", "1"], "needs", "1"),
    flag_case(["--memory-mb", "-1"], "memory"),
    flag_case(["--samples", "0"], "--samples", command="generate"),
    flag_case(["--samples", "2"], "--temperature", command="generate"),
    flag_case(["--least-share", "0"], "--least-share", command="generate"),
    flag_case(["--extractor-weight", "1.5"], "--extractor-weight", "0 to 1", command="generate"),
    flag_case(["--extractor-weight", "0.5"], "--samples", command="generate"),
    Case("flag: an extractor and no cards", lambda w: w.generate(*EXTRACTOR), ("prompt.txt", "cards")),
    Case("flag: an extractor and no labelled rows", lambda w: w.generate(*EXTRACTOR, template=w.write("cards.txt", CARD_TEMPLATE)), ("--extractor-rows",)),
    Case(
        "flag: an extractor and rows without themes",
        lambda w: w.generate(*EXTRACTOR, "--extractor-rows", w.write("raw.jsonl", jsonl([{"product": "a", "review": "b"}])),
                             template=w.write("cards.txt", CARD_TEMPLATE)),  # fmt: skip
        ("raw.jsonl:1", '"themes"'),
    ),
    flag_case(["--join-validation"], "--join-validation", "--split"),
    Case("flag: inspect --length 0", lambda w: ["inspect", w.base, "--length", "0"], ("length",)),
    Case("flag: inspect --batch-rows 2147483647", lambda w: ["inspect", w.base, "--batch-rows", "2147483647"], ("batch",)),
    Case("flag: bench --runs 0", lambda w: ["bench", "--base", w.base, "--runs", "0"], ("--runs",)),
    Case("flag: bench --rank 0", lambda w: ["bench", "--base", w.base, "--rank", "0"], ("rank",)),
]

CASES = [*TEMPLATES, *GUIDES, *DATA, *SPLITS, *OUTPUTS, *MERGES, *REVIEWS, *FLAGS]
