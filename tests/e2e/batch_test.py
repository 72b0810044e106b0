"""Batch files of `serve`: each line answered once and in order, the same bytes after any number of kills.

ONGGI_BATCH_ROWS and ONGGI_BATCH_KILLS make the kill test larger (20000 and 20: some minutes).
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop, jsonl

NUM_ROWS = int(os.environ.get("ONGGI_BATCH_ROWS", "300"))
NUM_KILLS = int(os.environ.get("ONGGI_BATCH_KILLS", "6"))
ENDED = ("completed", "failed", "expired", "cancelled")


def line(i, url="/v1/chat/completions", **body):
    """One of many lines, each in its own way; every seventh is one that the model can't serve."""
    content = {"messages": [{"role": "user", "content": f"후기 {i}: 촉촉하고 좋아요 {'!' * (i % 5)}"}], "max_tokens": 2 + i % 5, "temperature": [0, 1, 0.7][i % 3]}
    if i % 7 == 3:
        content["model"] = "absent"
    if i % 5 == 0:
        content["guided_choice"] = ["good", "bad"]
    return {"custom_id": f"row-{i}", "method": "POST", "url": url, "body": content | body}


def embedding_line(i, num_texts=3):
    """The same of /v1/embeddings; every eleventh has more dimensions than the model."""
    shared = "후기를 읽고 숫자로 나타내세요. " * 8  # What is in the cache is not the same after a kill.
    texts = [f"{shared}{i}번째 후기 {k}: " + "촉촉하고 좋아요 " * (1 + (i + k) % 9) for k in range(num_texts)]
    body = {"input": texts[0] if i % 4 == 1 else texts, "encoding_format": ["float", "base64"][i % 2], "pooling": ["mean", "last"][i // 2 % 2]}
    if i % 3 == 0:
        body["dimensions"] = 8
    if i % 11 == 5:
        body["dimensions"] = 100_000
    return {"custom_id": f"row-{i}", "method": "POST", "url": "/v1/embeddings", "body": body}


class Client(Server):
    """A server with a state folder, and what clients ask of it."""

    def __init__(self, base, state, *more):
        super().__init__("--base", base, "--state", state, "--threads", 1, *more)

    def upload(self, content, purpose="batch", filename="rows.jsonl", **fields):
        content = jsonl(content) if isinstance(content, list) else content
        content = content.encode() if isinstance(content, str) else content
        form = b""
        for name, value in {"purpose": purpose, **fields}.items():
            if value is not None:
                form += f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        form += f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode() + content + b"\r\n--cut--\r\n"
        status, _, text = self.request("POST", "/v1/files", form, {"content-type": "multipart/form-data; boundary=cut"})
        return status, json.loads(text)

    def file(self, content, **fields):
        status, file = self.upload(content, **fields)
        assert status == 200, file
        return file

    def get(self, path):
        status, _, text = self.request("GET", path)
        return status, json.loads(text)

    def batch(self, content, endpoint="/v1/chat/completions", window="24h", **more):
        file = self.file(content)
        return self.post("/v1/batches", {"input_file_id": file["id"], "endpoint": endpoint, "completion_window": window} | more)

    def wait(self, batch, until=lambda b: b["status"] in ENDED, seconds=120):
        deadline = time.monotonic() + seconds
        while True:
            status, now = self.get("/v1/batches/" + batch["id"])
            assert status == 200, now
            if until(now):
                return now
            assert time.monotonic() < deadline, (now, self.log()[-3000:])
            time.sleep(0.02)

    def content(self, file_id):
        status, _, text = self.request("GET", f"/v1/files/{file_id}/content")
        assert status == 200, text
        return text.encode()


class Batch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.w = Workshop(self.folder)
        self.state = self.folder / "state"

    def client(self, *more, state=None):
        client = Client(self.w.base, state or self.state, *more)
        self.addCleanup(lambda: client.process.poll() is None and client.stop(signal.SIGKILL))
        return client

    def end(self, client, how=signal.SIGTERM):
        status, _, log = client.stop(how)
        self.assertEqual(status, 0 if how == signal.SIGTERM else -how, log)
        self.assertEqual([fault for fault in binary.FAULTS if fault in log], [], log[-3000:])
        return log

    def assert_answers(self, client, batch, rows):
        """Each line once, in order, in the file where it belongs."""
        output = [json.loads(text) for text in client.content(batch["output_file_id"]).splitlines()]
        errors = [json.loads(text) for text in client.content(batch["error_file_id"]).splitlines()] if batch["error_file_id"] else []
        is_good = lambda row: row["body"].get("model") != "absent"  # noqa: E731
        self.assertEqual([item["custom_id"] for item in output], [row["custom_id"] for row in rows if is_good(row)])
        self.assertEqual([item["custom_id"] for item in errors], [row["custom_id"] for row in rows if not is_good(row)])
        self.assertEqual(batch["request_counts"], {"total": len(rows), "completed": len(output), "failed": len(errors)})
        for item in output:
            self.assertEqual((item["response"]["status_code"], item["error"]), (200, None))
        for item in errors:
            self.assertEqual((item["response"]["status_code"], item["response"]["body"]["error"]["code"]), (404, "model_not_found"))
        ids = [item["id"] for item in output + errors]
        self.assertEqual(len(set(ids)), len(ids))
        return output, errors

    def test_a_whole_life(self):
        client = self.client()
        rows = [line(i) for i in range(40)]
        batch = client.batch(jsonl(rows[:20]) + "\n \r\n" + jsonl(rows[20:]).rstrip("\n"), metadata={"job": "검사"})
        self.assertEqual((batch["object"], batch["status"], batch["errors"], batch["metadata"]), ("batch", "validating", None, {"job": "검사"}))
        self.assertEqual(batch["expires_at"] - batch["created_at"], 86_400)
        done = client.wait(batch)
        self.assertEqual(done["status"], "completed", done)
        for name in ("in_progress_at", "finalizing_at", "completed_at"):
            self.assertGreaterEqual(done[name], batch["created_at"])
        output, _ = self.assert_answers(client, done, rows)
        body = output[0]["response"]["body"]
        self.assertEqual((body["object"], body["created"], body["choices"][0]["finish_reason"] in ("stop", "length")), ("chat.completion", batch["created_at"], True))
        # A line's answer is what the same request gets.
        asked = rows[6]["body"]
        self.assertEqual(asked["temperature"], 0)
        alone = client.post("/v1/chat/completions", asked)
        self.assertEqual(next(o for o in output if o["custom_id"] == "row-6")["response"]["body"]["choices"], alone["choices"])
        # The same file again: the same answers, but for their time.
        again = client.wait(client.post("/v1/batches", {"input_file_id": done["input_file_id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}))
        self.assertEqual(
            client.content(again["output_file_id"]).replace(b'"created":%d' % again["created_at"], b""),
            client.content(done["output_file_id"]).replace(b'"created":%d' % done["created_at"], b""),
        )
        metrics = client.request("GET", "/metrics")[2]
        self.assertRegex(metrics, 'onggi_batch_lines_total{.*result="completed"} 68\n')
        self.assertRegex(metrics, "onggi_batch_lines_open{.*} 0\n")
        file = client.get("/v1/files/" + done["output_file_id"])[1]
        self.assertEqual((file["purpose"], file["bytes"], file["filename"]), ("batch_output", len(client.content(file["id"])), batch["id"] + "_output.jsonl"))
        log = self.end(client)
        self.assertIn("completed", log)

    def test_completions_too(self):
        client = self.client()
        rows = [{"custom_id": str(i), "method": "POST", "url": "/v1/completions", "body": {"prompt": "the", "max_tokens": 3, "n": 2}} for i in range(5)]
        rows.append({"custom_id": "s", "method": "POST", "url": "/v1/completions", "body": {"prompt": "the", "stream": True}})
        done = client.wait(client.batch(rows, "/v1/completions"))
        self.assertEqual((done["status"], done["request_counts"]), ("completed", {"total": 6, "completed": 5, "failed": 1}))
        self.assertIn("stream", client.content(done["error_file_id"]).decode())
        self.end(client)

    def test_embeddings_too(self):
        client = self.client()
        rows = [embedding_line(i) for i in range(12)]
        rows.append(embedding_line(0) | {"custom_id": "ids", "body": {"input": [[5, 6, 7], [8]], "model": "model"}})
        rows.append(embedding_line(0) | {"custom_id": "absent", "body": {"input": "a", "model": "absent"}})
        done = client.wait(client.batch(rows, "/v1/embeddings"))
        self.assertEqual((done["status"], done["request_counts"]), ("completed", {"total": 14, "completed": 12, "failed": 2}))
        output = [json.loads(text) for text in client.content(done["output_file_id"]).splitlines()]
        self.assertEqual([item["custom_id"] for item in output], [row["custom_id"] for row in rows if row["custom_id"] not in ("row-5", "absent")])
        bodies = {row["custom_id"]: row["body"] for row in rows}
        for item in output:  # What the same request gets, but for what it says of the cache.
            alone = client.post("/v1/embeddings", bodies[item["custom_id"]])
            self.assertIn("prompt_tokens_details", alone["usage"])
            del alone["usage"]["prompt_tokens_details"]
            self.assertEqual(item["response"]["body"], alone)
        self.assertEqual(len(output[0]["response"]["body"]["data"]), 3)
        errors = [json.loads(text)["response"] for text in client.content(done["error_file_id"]).splitlines()]
        self.assertEqual([(e["status_code"], e["body"]["error"]["param"]) for e in errors], [(400, "dimensions"), (404, "model")])
        # A line of another address is a fault of the file.
        self.assertEqual(client.wait(client.batch([line(0)], "/v1/embeddings"))["status"], "failed")
        self.end(client)

    def test_kills_change_no_vector(self):
        rows = [embedding_line(i, 16) for i in range(400)]
        client = self.client("--batch-rows", 1)
        batch = client.batch(rows, "/v1/embeddings")
        self.end(client, signal.SIGKILL)
        quiet = self.client(state=self.copy_of_state("quiet"))
        done = quiet.wait(batch)
        self.assertEqual(done["request_counts"], {"total": 400, "completed": 364, "failed": 36})
        expected = self.outputs(quiet, done)
        self.end(quiet)
        reached = []
        for target in (1, 90, 200, 300):
            client = self.client("--batch-rows", 1 + target % 3)
            now = client.wait(batch, lambda b: b["request_counts"]["completed"] >= target or b["status"] in ENDED)  # noqa: B023
            reached.append(now["request_counts"]["completed"])
            self.end(client, signal.SIGKILL)
        self.assertTrue(any(0 < count < 364 for count in reached), reached)
        client = self.client()
        done = client.wait(batch)
        self.assertEqual(done["status"], "completed")
        self.assertTrue(self.outputs(client, done) == expected)  # A difference of megabytes is not for reading.
        self.end(client)

    def test_faults_are_told_with_their_lines(self):
        client = self.client("--batch-lines", 50)

        def errors(content, **more):
            batch = client.wait(client.batch(content, **more))
            self.assertEqual((batch["status"], batch["output_file_id"]), ("failed", None), batch)
            return [(error["code"], error["line"], error["param"]) for error in batch["errors"]["data"]]

        rows = [line(i) for i in range(6)]
        bad = [jsonl([row]) for row in rows]
        bad[0] = "{\n"
        bad[1] = "[1]\n"
        bad[2] = jsonl([rows[2] | {"custom_id": ""}])
        bad[3] = jsonl([rows[3] | {"method": "GET"}])
        bad[4] = jsonl([rows[4] | {"url": "/v1/completions"}])
        bad[5] = jsonl([rows[5] | {"body": "x"}])
        good = jsonl([line(100)])
        expected = [("invalid_json_line", 2, None), ("invalid_json_line", 3, None), ("missing_required_parameter", 4, "custom_id"),
                    ("invalid_method", 5, "method"), ("mismatched_endpoint", 6, "url"), ("missing_required_parameter", 7, "body"),
                    ("duplicate_custom_id", 9, "custom_id")]  # fmt: skip
        self.assertEqual(errors(good + "".join(bad) + "\n" + good), expected)
        self.assertEqual(errors(b"\xff\xfe\n"), [("invalid_json_line", 1, None)])
        self.assertEqual(errors(""), [("empty_file", None, None)])
        self.assertEqual(errors(" \n\n"), [("empty_file", None, None)])
        self.assertEqual(errors([line(i) for i in range(51)]), [("too_many_lines", 51, None)])
        self.assertEqual(len(errors("x\n" * 1000)), 100)
        self.assertEqual(errors(b'{"custom_id": "' + b"x" * (9 << 20) + b'"}\n' + good.encode()), [("line_too_long", 1, None)])
        self.end(client)

    def test_files_are_kept_listed_and_deleted(self):
        client = self.client("--file-bytes", 1000)
        files = [client.file(f"{i}\n", filename=f"folder/{i}.jsonl") for i in range(5)]
        self.assertEqual(files[3] | {"id": 0, "created_at": 0}, {"id": 0, "object": "file", "bytes": 2, "created_at": 0, "expires_at": None, "filename": "3.jsonl",
                                                                   "purpose": "batch", "status": "processed", "status_details": None})  # fmt: skip
        ids = [file["id"] for file in files]
        listed = client.get("/v1/files")[1]
        self.assertEqual(([file["id"] for file in listed["data"]], listed["has_more"]), (ids[::-1], False))
        page = client.get("/v1/files?limit=2&order=asc&after=" + ids[1])[1]
        self.assertEqual(([file["id"] for file in page["data"]], page["has_more"], page["first_id"], page["last_id"]), (ids[2:4], True, ids[2], ids[3]))
        self.assertEqual(client.get("/v1/files?purpose=batch_output")[1]["data"], [])
        self.assertEqual(client.get("/v1/files/" + ids[2])[1], files[2])
        self.assertEqual(client.content(ids[2]), b"2\n")
        self.assertEqual(client.request("HEAD", f"/v1/files/{ids[2]}/content")[0], 200)
        status, _, text = client.request("DELETE", "/v1/files/" + ids[2])
        self.assertEqual((status, json.loads(text)), (200, {"id": ids[2], "object": "file", "deleted": True}))
        for method, path in (("GET", ids[2]), ("GET", ids[2] + "/content"), ("DELETE", ids[2]), ("GET", "..%2fonggi.db/content")):
            self.assertEqual(client.request(method, "/v1/files/" + path)[0], 404, path)
        for path in ("?limit=0", "?limit=x", "?limit=10001", "?order=up"):
            self.assertEqual(client.get("/v1/files" + path)[0], 400, path)
        self.assertEqual(client.get("/v1/files?after=none")[0], 404)
        expiring = client.file("x", **{"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600})
        self.assertEqual(expiring["expires_at"], expiring["created_at"] + 3600)
        for content, fields, names in (
            ("x", {"purpose": "fine-tune"}, "fine-tune"),
            ("x", {"purpose": None}, "purpose"),
            ("x", {"expires_after[anchor]": "now", "expires_after[seconds]": 3600}, "expires_after"),
            ("x", {"expires_after[anchor]": "created_at", "expires_after[seconds]": 10}, "expires_after"),
            ("x", {"expires_after[seconds]": "9" * 2000}, "expires_after"),
        ):
            status, answer = client.upload(content, **fields)
            self.assertEqual(status, 400, answer)
            self.assertIn(names, answer["error"]["message"])
        self.assertEqual(client.upload("x" * 1001)[0], 413)
        self.assertEqual(client.upload("x" * 200_000)[0], 413)
        form = {"content-type": "multipart/form-data; boundary=cut"}
        for body, headers, status in ((b"{}", {"content-type": "application/json"}, 415), (b"", form, 400), (b"--cut\r\n", form, 400), (b"--cut--", form, 400),
                                      (b"x", {"content-type": "multipart/form-data"}, 400)):  # fmt: skip
            self.assertEqual(client.request("POST", "/v1/files", body, headers)[0], status, body)
        self.end(client)
        self.assertEqual(sorted(path.name for path in (self.state / "files").iterdir()), sorted({*ids, expiring["id"]} - {ids[2]}))
        self.assertEqual(list((self.state / "incoming").iterdir()), [])

    def test_a_wrong_batch_is_refused(self):
        client = self.client()
        file = client.file([line(0)])
        good = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        for change, status, name in (
            ({"input_file_id": "file-none"}, 404, "input_file_id"),
            ({"input_file_id": 1}, 400, "input_file_id"),
            ({"endpoint": "/v1/nothing"}, 400, "endpoint"),
            ({"completion_window": "soon"}, 400, "completion_window"),
            ({"completion_window": "15d"}, 400, "completion_window"),
            ({"metadata": [1]}, 400, "metadata"),
            ({"metadata": {"a": 1}}, 400, "metadata.a"),
            ({"metadata": {str(i): "x" for i in range(17)}}, 400, "metadata"),
            ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, 400, "output_expires_after"),
        ):
            found, _, text = client.request("POST", "/v1/batches", good | change)
            self.assertEqual((found, json.loads(text)["error"]["param"]), (status, name), text)
        for method, path in (("GET", "/v1/batches/none"), ("POST", "/v1/batches/none/cancel")):
            self.assertEqual(client.request(method, path)[0], 404)
        batches = [client.wait(client.post("/v1/batches", good)) for _ in range(3)]
        page = client.get("/v1/batches?limit=2")[1]
        self.assertEqual(([b["id"] for b in page["data"]], page["has_more"]), ([batches[2]["id"], batches[1]["id"]], True))
        self.assertEqual([b["id"] for b in client.get("/v1/batches?after=" + batches[1]["id"])[1]["data"]], [batches[0]["id"]])
        self.assertEqual(client.request("POST", f"/v1/batches/{batches[0]['id']}/cancel")[0], 409)
        self.end(client)

    def test_without_a_folder_it_says_how_to_have_one(self):
        server = Server("--base", self.w.base)
        for method, path in (("GET", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/v1/files/x/content")):
            status, _, text = server.request(method, path, "{}" if method == "POST" else None)
            self.assertEqual((status, "--state" in text), (404, True))
        status, _, text = server.request("POST", "/v1/files", b"", {"content-type": "multipart/form-data; boundary=x"})
        self.assertEqual((status, "--state" in text), (404, True))
        server.stop()

    def copy_of_state(self, name):
        shutil.copytree(self.state, self.folder / name)
        return self.folder / name

    def outputs(self, client, batch):
        return {name: client.content(batch[name]) for name in ("output_file_id", "error_file_id")}

    def test_kills_change_nothing(self):
        rows = [line(i) for i in range(NUM_ROWS)]
        client = self.client()
        batch = client.batch(rows)
        self.end(client, signal.SIGKILL)
        quiet = self.client("--batch-rows", 8, state=self.copy_of_state("quiet"))
        began = time.monotonic()
        done = quiet.wait(batch, seconds=3600)
        took = time.monotonic() - began
        self.assertEqual(done["status"], "completed")
        self.assert_answers(quiet, done, rows)
        expected = self.outputs(quiet, done)
        self.end(quiet)
        rng = random.Random(int.from_bytes(os.urandom(4)))
        ready, reached = [], []
        answered = lambda b: b["request_counts"]["completed"] + b["request_counts"]["failed"]  # noqa: E731
        targets = [0, *sorted(rng.sample(range(NUM_ROWS * 9 // 10), NUM_KILLS))]  # and one more early, at any time
        for i, target in enumerate(targets):
            began = time.monotonic()
            client = self.client("--batch-rows", rng.choice([1, 3, 16]))
            ready.append(time.monotonic() - began)
            if target > 0:
                client.wait(batch, lambda b: answered(b) >= target)  # noqa: B023
            time.sleep(rng.uniform(0, 0.3 if target == 0 else 0.02))
            reached.append(answered(client.get("/v1/batches/" + batch["id"])[1]))
            self.end(client, signal.SIGKILL if i < NUM_KILLS else signal.SIGTERM)
        client = self.client()
        self.assertEqual(sorted(reached), reached)
        done = client.wait(batch, seconds=3600)
        self.assertEqual(done["status"], "completed")
        self.assertEqual(self.outputs(client, done), expected)
        self.assert_answers(client, done, rows)
        self.end(client)
        if NUM_ROWS > 300:
            print(f"{NUM_ROWS} lines, undisturbed in {took:.0f} s; {NUM_KILLS} kills with {reached} lines answered; longest start {max(ready):.2f} s")

    def test_a_kill_at_the_end_changes_nothing(self):
        """Kills around the moment in which the files get their names."""
        rows = [line(i) for i in range(8)]
        client = self.client()
        batch = client.batch(rows)
        self.end(client, signal.SIGKILL)
        expected = None
        for i in range(8):
            state = self.copy_of_state(f"state-{i}")
            client = self.client(state=state)
            if i > 0:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline and not list((state / "files").glob("file-*"))[1:]:
                    time.sleep(0.001)
                time.sleep(0.002 * (i - 1))
                self.end(client, signal.SIGKILL)
                client = self.client(state=state)
            done = client.wait(batch)
            self.assertEqual(done["status"], "completed")
            expected = expected or self.outputs(client, done)
            self.assertEqual(self.outputs(client, done), expected)
            self.end(client)

    def test_others_are_answered_while_a_batch_runs(self):
        client = self.client("--batch-rows", 2)
        slow = {"max_tokens": 300, "guided_regex": "[a-z]{300,4000}"}
        batch = client.batch([line(1, **slow) | {"custom_id": str(i)} for i in range(3000)])
        client.wait(batch, lambda b: b["status"] == "in_progress")
        for i in range(5):
            client.post("/v1/completions", {"prompt": f"the {i}", "max_tokens": 20})
        counts = client.get("/v1/batches/" + batch["id"])[1]["request_counts"]
        self.assertLess(counts["completed"], 2900)
        self.assertEqual(client.request("DELETE", "/v1/files/" + batch["input_file_id"])[0], 409)
        # A small batch does not wait for the large one.
        small = client.wait(client.batch([line(i) for i in range(2)]))
        self.assertEqual((small["status"], client.get("/v1/batches/" + batch["id"])[1]["status"]), ("completed", "in_progress"))
        now = client.post(f"/v1/batches/{batch['id']}/cancel", {})
        self.assertEqual(now["status"], "cancelling")
        done = client.wait(batch)
        self.assertEqual(done["status"], "cancelled")
        kept = client.content(done["output_file_id"]).splitlines() if done["output_file_id"] else []
        self.assertEqual(len(kept), done["request_counts"]["completed"])
        self.assertLess(len(kept), 3000)
        self.end(client)

    def test_what_is_too_late_is_said_to_be(self):
        client = self.client("--batch-rows", 1)
        slow = {"max_tokens": 500, "guided_regex": "[a-z]{500,4000}"}
        rows = [line(1, **slow) | {"custom_id": str(i)} for i in range(3000)]
        done = client.wait(client.batch(rows, window="1s"))
        self.assertEqual(done["status"], "expired")
        output = client.content(done["output_file_id"]).splitlines() if done["output_file_id"] else []
        errors = [json.loads(text) for text in client.content(done["error_file_id"]).splitlines()]
        self.assertEqual(len(output) + len(errors), 3000)
        self.assertEqual(sorted([json.loads(text)["custom_id"] for text in output] + [e["custom_id"] for e in errors], key=int), [str(i) for i in range(3000)])
        self.assertEqual((errors[-1]["error"]["code"], errors[-1]["response"]), ("batch_expired", None))
        self.end(client)

    def test_a_folder_that_is_no_good_is_named(self):
        def refused(state, *names):
            result = binary.run("serve", "--port", 0, "--base", self.w.base, "--state", state)
            self.assertEqual(binary.faults_of_refusal(result, names), [])

        client = self.client()
        refused(self.state, str(self.state), "in use")
        self.end(client)
        refused(self.w.write("file", "x"), "file")
        refused("/proc/none", "/proc/none")
        other = self.folder / "other"
        other.mkdir()
        database = sqlite3.connect(other / "onggi.db")
        database.execute("CREATE TABLE notes (id)")
        database.commit()
        database.close()
        refused(other, "onggi.db", "another program")
        (other / "onggi.db").write_bytes(b"no database at all " * 500)
        refused(other, "onggi.db")

    def test_what_a_killed_process_left_is_removed(self):
        client = self.client()
        file = client.file("x")
        self.end(client)
        for folder in ("incoming", "work", "files"):
            (self.state / folder / "leftover").write_text("x")
        self.end(self.client())
        self.assertEqual([list((self.state / folder).iterdir()) for folder in ("incoming", "work")], [[], []])
        self.assertEqual([path.name for path in (self.state / "files").iterdir()], [file["id"]])

    def test_an_input_that_is_gone_fails_the_batch(self):
        client = self.client("--batch-rows", 1)
        batch = client.batch([line(i) for i in range(200)])
        self.end(client, signal.SIGKILL)
        (self.state / "files" / batch["input_file_id"]).write_text("shorter")
        client = self.client()
        done = client.wait(batch)
        self.assertEqual(done["status"], "failed")
        self.assertIn("size", done["errors"]["data"][0]["message"])
        self.end(client)

    def test_a_full_disk_is_waited_for(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], capture_output=True).returncode != 0:
            self.skipTest("can't mount a small disk here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        client = self.client("--batch-rows", 2, state=disk / "state")
        rows = [line(i, max_tokens=30) for i in range(150)]
        batch = client.batch(rows)
        client.wait(batch, lambda b: b["status"] == "in_progress")
        with open(disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        deadline = time.monotonic() + 60
        while '"waits"' not in client.log() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertIn('"waits"', client.log())
        self.assertEqual(client.upload("x" * 100)[0], 507)
        self.assertEqual(client.request("GET", "/health")[0], 200)
        (disk / "filler").unlink()
        done = client.wait(batch)
        self.assertEqual(done["status"], "completed")
        self.assert_answers(client, done, rows)
        self.assertEqual(client.upload("x" * (14 << 20))[0], 507)
        self.assertEqual(client.upload("x" * 100)[0], 200)
        self.end(client)


if __name__ == "__main__":
    unittest.main()
