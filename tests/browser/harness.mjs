// Runs one scenario in headless Chromium against a live server, for the Rust tests of tests/site/ and others.
//
//   node tests/browser/harness.mjs SCENARIO BASE_URL [FLAG OF CHROMIUM…]
//
// A scenario is a module in this folder; its default export takes a Stage. What it checks is printed line by line
// (`ok - …`, `not ok - …`); the first failure ends it with exit code 1. Where the scenario needs something done to
// the server, it prints `? words` and goes on when a line comes back on standard input.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { mkdirSync } from "node:fs";

const require = createRequire(process.env.SOLENT_TEST_NODE_MODULES + "/");
const { chromium } = require("playwright-core");

const CHROMIUM_FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const PASSWORDS = { alice: "wonderland-1", bob: "builder-2", carol: "singer-3" };
const PATIENCE_MS = 15000;

/** What a scenario works with: a browser, the server's address, and words for what a visitor does. */
class Stage {
  constructor(browser, base) {
    this.browser = browser;
    this.base = base;
    this.answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  }

  /** A visitor of their own: cookies are not shared with others. */
  async visitor(options = {}) {
    const context = await this.browser.newContext({ baseURL: this.base, ignoreHTTPSErrors: true, locale: "de-DE",
      timezoneId: "America/New_York", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  }

  /** A new tab, with what it writes to the console and the requests that it makes. */
  async tab(visitor) {
    const page = await visitor.newPage();
    page.errors = [];
    page.on("console", (line) => line.type() === "error" && page.errors.push(line.text()));
    page.on("pageerror", (error) => page.errors.push(`uncaught: ${error.message}`));
    return page;
  }

  /** A visitor who has logged in as one of the demo's members. */
  async member(name, options = {}) {
    const visitor = await this.visitor(options);
    const page = await this.tab(visitor);
    await page.goto("/accounts/login/");
    await this.login(page, name, PASSWORDS[name]);
    await page.close();
    return visitor;
  }

  async login(page, username, password) {
    await page.fill("#id_username", username);
    await page.fill("#id_password", password);
    // The answer leads to another page or shows this one again; either way it is a new one.
    const answered = page.waitForEvent("framenavigated");
    await page.press("#id_password", "Enter");
    await answered;
    await page.waitForLoadState();
  }

  /** Opens a room in a new tab and waits until its socket is open. */
  async room(visitor, path) {
    const page = await this.tab(visitor);
    await page.goto(path);
    await this.connected(page);
    return page;
  }

  async connected(page) {
    await page.waitForSelector('#chat-status[data-state="open"]');
  }

  /** Restarts the server, and waits until these pages have noticed its loss and are back. */
  async restart(...pages) {
    // Asked for beforehand: a page may be back sooner than anybody looks.
    const lost = pages.map((page) => page.waitForEvent("console",
      { predicate: (line) => line.text() === "Chat socket closed unexpectedly" }));
    await this.ask("restart");
    await Promise.all(lost);
    await Promise.all(pages.map((page) => this.connected(page)));
  }

  async say(page, text) {
    await page.fill("#chat-message-input", text);
    await page.press("#chat-message-input", "Enter");
  }

  /** Waits until a message with this text is shown, and gives all messages as {self, name, date, text}. */
  async hears(page, text) {
    try {
      await page.waitForFunction(
        (text) => [...document.querySelectorAll(".message")].some((message) => message.lastChild.data === text), text);
    } catch (error) {
      const shown = await page.evaluate(() => ["chat-status", "chat-notice", "chats", "chat-message-input"]
        .map((id) => document.getElementById(id)).map((found) => found?.value ?? found?.textContent));
      throw new Error(`“${text}” did not come; the page shows ${JSON.stringify(shown)}`, { cause: error });
    }
    return this.messages(page);
  }

  async messages(page) {
    return page.$$eval("#chats > .message", (all) => all.map((message) => ({
      self: message.className === "message self",
      name: message.querySelector("strong").textContent,
      date: message.querySelector("span.date").textContent,
      text: message.lastChild.data,
    })));
  }

  async texts(page) {
    return (await this.messages(page)).map((message) => message.text);
  }

  /** Asks the Rust side to do something to the server. */
  async ask(words) {
    console.log(`? ${words}`);
    const { value, done } = await this.answers.next();
    assert.ok(!done && value === "done", `the answer to "${words}" was ${value}`);
  }

  /** Names what is about to be shown; whatever fails before the next one is its failure. */
  async check(name, body) {
    try {
      await body();
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name}\n${String(error.stack).replace(/^/gm, "#   ")}`);
      process.exitCode = 1;
      throw new Failed();
    }
  }

  /** Saves what a page looks like, for people to look at. */
  async picture(page, name) {
    const folder = process.env.SOLENT_TEST_PICTURES;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
}

class Failed extends Error {}

const [scenario, base, ...flags] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.SOLENT_TEST_CHROMIUM, 
  args: [...CHROMIUM_FLAGS, ...flags] });
try {
  const { default: play } = await import(`./${scenario}.mjs`);
  await play(new Stage(browser, base));
  console.log("done");
} catch (error) {
  if (!(error instanceof Failed)) {
    console.log(`not ok - ${scenario}\n${String(error.stack).replace(/^/gm, "#   ")}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  process.stdin.destroy();
}
