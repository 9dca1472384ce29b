// The room page itself: its markup, its keys, what it says when the connection is lost.
import assert from "node:assert/strict";

const FINAL = [1008, 4401, 4403];

export default async function (stage) {
  const visitor = await stage.member("alice");
  const page = await stage.room(visitor, "/chat/room/1/");
  const count = (selector) => page.locator(selector).count();
  const value = () => page.inputValue("#chat-message-input");
  const focused = () => page.evaluate(() => document.activeElement.id);

  await stage.check("the page has the chat box with its log, its input and its button", async () => {
    assert.equal(await count("section.chatbox > #chats"), 1);
    assert.equal(await count("section.chatbox > #chat-inputs > input#chat-message-input"), 1);
    assert.equal((await page.textContent("#chat-inputs > #chat-message-submit")).trim(), "Send");
    assert.equal(await page.getAttribute("#chats", "role"), "log");
  });

  await stage.check("the input has the focus from the start", async () => assert.equal(await focused(), "chat-message-input"));

  await stage.check("Enter sends, clears the input and keeps the focus", async () => {
    await stage.say(page, "by Enter");
    await stage.hears(page, "by Enter");
    assert.deepEqual([await value(), await focused()], ["", "chat-message-input"]);
  });

  await stage.check("the button sends, clears the input and gives the focus back", async () => {
    await page.fill("#chat-message-input", "by button");
    await page.click("#chat-message-submit");
    await stage.hears(page, "by button");
    assert.deepEqual([await value(), await focused()], ["", "chat-message-input"]);
  });

  await stage.check("the button is reached and pressed by keyboard alone", async () => {
    await page.keyboard.type("by Tab and Space");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "chat-message-submit");
    await page.keyboard.press("Space");
    await stage.hears(page, "by Tab and Space");
    assert.equal(await focused(), "chat-message-input");
  });

  await stage.check("an empty input sends nothing", async () => {
    const before = (await stage.texts(page)).length;
    await stage.say(page, "");
    await stage.say(page, "   ");
    await page.click("#chat-message-submit");
    await stage.say(page, "after nothing");
    await stage.hears(page, "after nothing");
    assert.equal((await stage.texts(page)).length, before + 1);
  });

  await stage.check("a message has exactly the markup that style sheets rely on", async () => {
    const html = await page.$eval("#chats > .message", (message) => message.outerHTML);
    assert.match(html,
      /^<div class="message self"><strong>me<\/strong> <span class="date">\d{1,2}:\d\d [AP]M<\/span><br>by Enter<\/div>$/);
  });

  await stage.check("the time is the browser's own, in English, whatever its language", async () => {
    const [shown, expected] = await page.evaluate(() => {
      const socketTime = document.querySelector("#chats > .message:last-child .date").textContent;
      const now = new Date();
      const near = [now, new Date(now - 60000)].map((time) => {
        const hours = time.getHours();
        return `${hours % 12 || 12}:${String(time.getMinutes()).padStart(2, "0")} ${hours < 12 ? "AM" : "PM"}`;
      });
      return [socketTime, near];
    });
    assert.ok(expected.includes(shown), `${shown} is none of ${expected}`);
  });

  await stage.check("text is shown as text, never as HTML", async () => {
    const nasty = `<img src=x onerror="document.title='broken'"></script><b>&amp;`;
    await stage.say(page, nasty);
    await stage.hears(page, nasty);
    assert.equal(await count("#chats img, #chats b"), 0);
    assert.notEqual(await page.title(), "broken");
  });

  await stage.check("the log stays at its end", async () => {
    for (let number = 0; number < 30; number += 1) await stage.say(page, `line ${number}`);
    await stage.hears(page, "line 29");
    const below = await page.$eval("#chats", (log) => log.scrollHeight - log.scrollTop - log.clientHeight);
    assert.ok(below <= 1, `${below} pixels are below`);
  });

  await stage.check("a message that is too long stays in the input, and the page says why", async () => {
    await stage.say(page, "x".repeat(4097));
    assert.match(await page.textContent("#chat-notice"), /4096 characters; this one has 4097/);
    assert.equal((await value()).length, 4097);
    await stage.say(page, "\u{1f30a}".repeat(4096));
    await page.waitForFunction(() => document.querySelector(".message:last-child").lastChild.data.length === 8192);
    assert.equal(await page.isVisible("#chat-notice"), false);
  });

  await stage.check("what the server could not take is told on the page, and the chat goes on", async () => {
    const [told] = await Promise.all([
      page.waitForFunction(() => !document.getElementById("chat-notice").hidden),
      page.evaluate(() => {
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function () {
          WebSocket.prototype.send = send;
          send.call(this, "not json");
        };
        document.getElementById("chat-message-input").value = "x";
        document.getElementById("chat-inputs").requestSubmit();
      }),
    ]);
    assert.ok(told);
    await stage.say(page, "still here");
    await stage.hears(page, "still here");
  });

  await stage.check("a phone's width needs no scrolling sideways", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  await stage.check("the page works under a policy that allows no inline script and no inline style", async () => {
    const answer = await visitor.request.get("/chat/room/1/");
    assert.match(answer.headers()["content-security-policy"], /default-src 'none'; script-src 'self'; style-src 'self'/);
  });

  await stage.check("nothing went wrong so far", async () => assert.deepEqual(page.errors, []));

  await stage.check("a server that comes back finds the page again, and the loss was told", async () => {
    await stage.restart(page);
    assert.equal(page.errors.filter((line) => line === "Chat socket closed unexpectedly").length, 1);
    await stage.say(page, "after the restart");
    await stage.hears(page, "after the restart");
  });

  for (const code of [1000, 1011, 1012, 4408, ...FINAL]) {
    const again = !FINAL.includes(code);
    await stage.check(`after ${code} the page ${again ? "connects again" : "stays away"}`, async () => {
      const { tab, attempts } = await closing(stage, visitor, code);
      await tab.waitForFunction(() => document.getElementById("chat-status").dataset.state !== "connecting");
      if (again) {
        await tab.waitForFunction(() => window.attempts > 1);
      } else {
        await tab.waitForSelector('#chat-status[data-state="closed"]');
        assert.equal(await attempts(), 1);
        assert.equal(await tab.evaluate(() => window.timers), 0);
      }
      assert.ok(tab.errors.includes("Chat socket closed unexpectedly"), tab.errors.join());
      assert.equal(await tab.isVisible("#chat-notice"), true);
      await tab.close();
    });
  }

  await stage.check("waiting times are random below a bound that doubles up to half a minute", async () => {
    const { tab } = await closing(stage, visitor, 1006);
    await tab.waitForFunction(() => window.waits.length >= 1);
    const waits = await tab.evaluate(async () => {
      // Every attempt fails at once, and no time passes between them.
      while (window.waits.length < 9) window.elapse();
      return window.waits;
    });
    const bounds = [1, 2, 4, 8, 16, 30, 30, 30, 30].map((seconds) => seconds * 1000 / 2);
    // The random number is always one half here, so that each wait is half of its bound.
    assert.deepEqual(waits.slice(0, 9), bounds);
  });
}

/** A room whose sockets are opened and at once closed with a code; for 1006, they fail before they open. */
async function closing(stage, visitor, code) {
  const tab = await stage.tab(visitor);
  await tab.addInitScript((code) => {
    window.attempts = 0;
    window.timers = 0;
    window.waits = [];
    const wait = window.setTimeout.bind(window);
    if (code === 1006) {
      Math.random = () => 0.5;
      let due = null;
      window.setTimeout = (body, time) => { window.waits.push(time); due = body; };
      window.elapse = () => due();
    } else {
      window.setTimeout = (body, time) => { window.timers += 1; return wait(body, time); };
    }
    window.WebSocket = class {
      static OPEN = 1;
      readyState = 1;
      constructor() {
        window.attempts += 1;
        const end = () => {
          if (code !== 1006) this.onopen();
          this.onclose({ code });
        };
        // Failing at once keeps the test of waiting times free of waiting.
        if (code === 1006 && window.attempts > 1) queueless(this, end); else wait(end, 0);
      }
      close() {}
      send() {}
    };
    function queueless(socket, end) {
      Object.defineProperty(socket, "onclose", { set(handler) { this.handler = handler; handler && endNow(); } });
      const endNow = () => socket.handler({ code });
    }
  }, code);
  await tab.goto("/chat/room/1/");
  return { tab, attempts: () => tab.evaluate(() => window.attempts) };
}
