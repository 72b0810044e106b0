// What people do in the playground, with models "model", "tuned" and "other". tests/e2e/page_test.py starts the server.

import assert from "node:assert/strict";
import test from "node:test";

import { answered, choose, desktop, isDone, open, phone, settings, tabTo, texts, type, url } from "./browser.mjs";

for (const viewport of [desktop, phone]) {
  test(`a prompt is asked, read and looked into by keyboard alone, ${viewport.width} pixels wide`, async (t) => {
    const page = await open(t, { viewport });
    await choose(page, "[name=model]", "tuned");
    await type(page, "[name=prompt]", "Product: {{product}}\nAnswer:");
    await type(page, '[name="slot:product"]', "보습 크림");
    await tabTo(page, "#sampling summary");
    await page.keyboard.press("Enter");
    await tabTo(page, "[name=max_tokens]");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("12");
    const sent = page.waitForRequest((request) => request.url().endsWith("/v1/chat/completions"));
    await page.keyboard.press("Control+Enter");
    const body = (await sent).postDataJSON();
    assert.equal(body.model, "tuned");
    assert.equal(body.messages[0].content, "Product: 보습 크림\nAnswer:");
    await answered(page);
    const count = await page.locator("#answers .answer").first().locator(".token").count();
    assert.ok(count > 0 && count <= 12, `${count} tokens`);
    await tabTo(page, "#answers .token");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    const rows = await texts(page, "#alternatives li code");
    assert.ok(rows.length >= 5 && rows.length <= 6, rows.join());
    assert.equal(await page.locator("#alternatives p").textContent(), `token ${Math.max(1, count - 1)}`);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-describedby")), "alternatives");
    await page.keyboard.press("Escape");
    assert.ok(await page.locator("#alternatives").isHidden());
  });
}

test("the page shows the text, tokens and alternatives that the server gave, in both ways of asking", async (t) => {
  for (const [mode, path, prompt] of [
    ["chat", "v1/chat/completions", "크림"],
    ["text", "v1/completions", "상품: 크림"],
  ]) {
    const page = await open(t, {
      hash: `#playground?${settings}&mode=${mode}&prompt=${encodeURIComponent(prompt)}&max_tokens=40`,
    });
    const sent = page.waitForRequest((request) => request.url().endsWith(path));
    await page.keyboard.press("Tab");
    await tabTo(page, "#run");
    await page.keyboard.press("Enter");
    const body = (await sent).postDataJSON();
    await answered(page);
    const whole = await (
      await page.request.post(url + path, { data: { ...body, stream: false, stream_options: undefined } })
    ).json();
    const choice = whole.choices[0];
    await page.getByRole("button", { name: "Copy text" }).first().press("Enter");
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      mode === "chat" ? choice.message.content : choice.text,
    );
    const found =
      mode === "chat" ? choice.logprobs.content.map((entry) => entry.logprob) : choice.logprobs.token_logprobs;
    const labels = await page
      .locator("#answers .token[role=option]")
      .evaluateAll((tokens) => tokens.map((token) => token.getAttribute("aria-label")));
    assert.equal(labels.length, found.length);
    labels.forEach((label, i) => {
      const shown = Number(/([\d.]+) %$/.exec(label)[1]);
      assert.ok(Math.abs(shown - Math.exp(found[i]) * 100) <= 0.06, `${label}, expected ${Math.exp(found[i])}`);
    });
  }
});

test("hovering shows alternatives, and the box can be pointed at", async (t) => {
  const page = await open(t, { hash: `#playground?${settings}&prompt=a` });
  await page.locator("#run").click();
  await answered(page);
  await page.locator("#answers .token[role=option]").first().hover();
  await page.locator("#alternatives li").first().hover();
  await page.waitForTimeout(300);
  assert.ok(await page.locator("#alternatives").isVisible());
  await page.locator("#run").hover();
  await page.locator("#alternatives").waitFor({ state: "hidden" });
});

test("two models answer the same prompt with the same seed, side by side", async (t) => {
  const page = await open(t, { hash: "#playground?prompt=a&max_tokens=12" });
  await choose(page, "[name=model]", "tuned");
  await choose(page, "[name=other]", "model");
  const bodies = [];
  page.on("request", (request) => request.method() === "POST" && bodies.push(request.postDataJSON()));
  await page.keyboard.press("Control+Enter");
  await answered(page);
  assert.deepEqual(
    bodies.map((body) => body.model),
    ["tuned", "model"],
  );
  assert.equal(bodies[0].seed, bodies[1].seed);
  assert.deepEqual(await texts(page, "#answers h3"), ["Answer of tuned", "Answer of model"]);
  const [left, right] = await Promise.all([0, 1].map((i) => page.locator("#answers .answer").nth(i).boundingBox()));
  assert.ok(left.y === right.y && left.x + left.width <= right.x);
  assert.match(
    await page.locator("#difference").textContent(),
    /^(The answers part at token \d+|Both answers are the same)\.$/,
  );
  await page.selectOption("[name=model]", "model");
  await page.locator("#run").click();
  await answered(page);
  assert.equal(await page.locator("#difference").textContent(), "Both answers are the same.");
});

test("a guide holds the answer, and what can't be held is said in the server's words", async (t) => {
  const page = await open(t, { hash: `#playground?${settings}&prompt=a` });
  page.expected = ["400 (Bad Request)"];
  await choose(page, "[name=guide]", "one of");
  await type(page, "[name=guide_choice]", "good\nbad");
  await page.keyboard.press("Control+Enter");
  await answered(page);
  const shown = async () => (await texts(page, "#answers .token[role=option]")).join("");
  assert.ok(["good", "bad"].includes(await shown()), await shown());
  await page.selectOption("[name=guide]", "json");
  await page.fill("[name=guide_json]", '{"enum": ["yes"]');
  await page.locator("#run").click();
  assert.match(await page.locator("#wrong").textContent(), /^This is no JSON/);
  await page.fill("[name=guide_json]", '{"enum": ["yes"]}');
  await page.locator("#run").click();
  await answered(page);
  assert.equal(await shown(), '"yes"');
  await page.fill("[name=guide_json]", '{"not": {}}');
  await page.locator("#run").click();
  await answered(page);
  const error = page.locator("#answers .error:visible");
  assert.match(await error.textContent(), /"not" allows no value.*Change “JSON Schema” and run again\./);
  assert.equal(await page.evaluate(() => document.activeElement.name), "guide_json");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-invalid")), "true");
});

test("an answer is stopped, by button and by Escape", async (t) => {
  const page = await open(t, {
    hash: "#playground?mode=text&prompt=a&max_tokens=900&guide=regex&guide_regex=%5Ba-z%5D%7B900,4000%7D",
  });
  const load = new AbortController();
  const crowd = fetch(`${url}v1/completions`, {
    method: "POST",
    signal: load.signal,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a", max_tokens: 900, n: 100, guided_regex: "[a-z]{900,4000}" }),
  }).catch(() => {});
  await tabTo(page, "#run");
  for (const key of ["Tab Enter", "Escape"]) {
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(() => document.querySelector("#stop-run").disabled === false);
    for (const press of key.split(" ")) await page.keyboard.press(press);
    await answered(page);
    assert.equal(await page.locator("#answers .state").first().textContent(), "Stopped by you");
    assert.equal(await page.evaluate(() => document.activeElement.id), "run");
  }
  load.abort();
  await crowd;
});

test("Enter that ends a composition of Hangul does not run", async (t) => {
  const page = await open(t, { hash: `#playground?${settings}&prompt=a` });
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await tabTo(page, "[name=prompt]");
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text: "하", selectionStart: 1, selectionEnd: 1 });
  await page.keyboard.press("Control+Enter");
  for (const name of ["prompt", "max_tokens"]) {
    await page.evaluate((field) => {
      const event = new KeyboardEvent("keydown", {
        code: "Enter",
        key: "Enter",
        ctrlKey: true,
        isComposing: true,
        bubbles: true,
        cancelable: true,
      });
      document.querySelector(`[name=${field}]`).dispatchEvent(event);
    }, name);
  }
  assert.deepEqual(sent, []);
  await session.send("Input.insertText", { text: "한" });
  await page.keyboard.press("Control+Enter");
  await answered(page);
  assert.equal(sent.length, 1);
});

test("form and answers survive a reload, a link brings the form along, the key stays out", async (t) => {
  const page = await open(t);
  await page.selectOption("[name=model]", "tuned");
  await page.fill("[name=prompt]", "{{a b}} 한글 & more=1");
  await page.fill('[name="slot:a b"]', "슬롯");
  await page.locator("#sampling summary").click();
  await page.fill("[name=max_tokens]", "7");
  await page.selectOption("[name=guide]", "regex");
  await page.fill("[name=guide_regex]", "[a-z]{9}");
  await page.locator("#access summary").click();
  await page.fill("#key", "secret-key");
  await page.locator("#run").click();
  await answered(page);
  const answer = await page.locator("#answers .tokens").first().textContent();
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[name=model]").value === "tuned");
  const values = () =>
    page.evaluate(() =>
      ["prompt", "slot:a b", "max_tokens", "guide", "guide_regex"].map(
        (name) => document.querySelector(`[name="${name}"]`).value,
      ),
    );
  assert.deepEqual(await values(), ["{{a b}} 한글 & more=1", "슬롯", "7", "regex", "[a-z]{9}"]);
  assert.equal(await page.locator("#answers .tokens").first().textContent(), answer);
  await page.getByRole("button", { name: "Copy link" }).press("Enter");
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("http"));
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole("button", { name: "Copy as curl" }).press("Enter");
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("curl"));
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(command, /\$ONGGI_KEY/);
  assert.ok(!link.includes("secret") && !command.includes("secret"));
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes("secret"));
  await page.locator("#start-over").press("Enter");
  assert.equal(await page.evaluate(() => document.querySelector("[name=prompt]").value), "");
  const other = await open(t, { hash: link.slice(url.length) });
  await other.waitForFunction(() => document.querySelector("[name=model]").value === "tuned");
  assert.equal(await other.evaluate(() => document.querySelector('[name="slot:a b"]').value), "슬롯");
});

test("a server that is gone is said to be, with what to do", async (t) => {
  const page = await open(t, { hash: `#playground?${settings}&prompt=a` });
  page.expected = ["ERR_FAILED"];
  await page.route("**/v1/chat/completions", (route) => route.abort());
  await page.locator("#run").click();
  await answered(page);
  assert.match(await page.locator("#answers .error:visible").textContent(), /can't be reached/);
  await page.unroute("**/v1/chat/completions");
  const refuse = (status, error, headers = {}) =>
    page.route(
      "**/v1/chat/completions",
      (route) =>
        route.fulfill({
          status,
          headers,
          contentType: "application/json",
          body: JSON.stringify({ error: { param: null, ...error } }),
        }),
      { times: 1 },
    );
  page.expected.push("status of");
  for (const [status, error, headers, sentence] of [
    [429, { message: "busy", code: "overloaded" }, { "retry-after-ms": "2300" }, "busyRun again in 3 s."],
    [401, { message: "a key", code: "invalid_api_key" }, {}, "a keyGive a key of this server"],
    [503, { message: "ending", code: "draining" }, {}, "endingThe server is stopping"],
    [500, { message: "a fault", code: null }, { "x-request-id": "req_7" }, "req_7"],
  ]) {
    await refuse(status, error, headers);
    await page.locator("#run").click();
    await page.waitForFunction(
      (part) => document.querySelector("#answers .error")?.textContent.includes(part),
      sentence,
    );
    await answered(page);
  }
});

test("a server with keys is asked with the one that is given", async (t) => {
  const page = await open(t);
  page.expected = ["401"];
  const isRight = (request) => request.headers().authorization === "Bearer right";
  const refusal = JSON.stringify({
    error: { message: "expected a key of this server", param: null, code: "invalid_api_key" },
  });
  await page.route("**/v1/models", (route) =>
    isRight(route.request())
      ? route.continue()
      : route.fulfill({ status: 401, contentType: "application/json", body: refusal }),
  );
  await page.reload();
  await page.waitForFunction(() => document.activeElement.id === "key");
  assert.match(await page.locator("#notice").textContent(), /expected a key of this server Give a key/);
  await page.keyboard.type("right");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.querySelector("[name=model]").value === "model");
  assert.equal(await page.locator("#notice").textContent(), "");
});
