// The whole course chat site, as its members use it.
import assert from "node:assert/strict";

const TIME = /^(1[0-2]|[1-9]):[0-5]\d [AP]M$/;

export default async function (stage) {
  const alices = await stage.visitor();
  let alice, bob;

  await stage.check("a visitor who asks for a room is led to the log-in page and then to the room", async () => {
    alice = await stage.tab(alices);
    await alice.goto("/chat/room/1/");
    const login = new URL(alice.url());
    assert.deepEqual([login.pathname, login.searchParams.get("next")], ["/accounts/login/", "/chat/room/1/"]);
    await stage.login(alice, "alice", "wonderland-1");
    await stage.connected(alice);
    assert.equal(new URL(alice.url()).pathname, "/chat/room/1/");
  });

  await stage.check("alice and bob see names, times, and their own messages apart", async () => {
    bob = await stage.room(await stage.member("bob"), "/chat/room/1/");
    await stage.say(alice, "good morning");
    await stage.hears(bob, "good morning");
    await stage.say(bob, "and to you");
    await stage.hears(alice, "and to you");
    for (const [page, first, second] of [[alice, "me", "bob"], [bob, "alice", "me"]]) {
      const [one, two] = await stage.messages(page);
      assert.deepEqual([one.name, one.self, one.text], [first, first === "me", "good morning"]);
      assert.deepEqual([two.name, two.self, two.text], [second, second === "me", "and to you"]);
      assert.match(one.date, TIME);
      assert.match(two.date, TIME);
    }
  });

  await stage.check("two tabs of one user both show “me”", async () => {
    const second = await stage.room(alices, "/chat/room/1/");
    await stage.say(second, "from my other tab");
    for (const page of [alice, second]) {
      const said = (await stage.hears(page, "from my other tab")).at(-1);
      assert.deepEqual([said.name, said.self], ["me", true]);
    }
    await second.close();
  });

  await stage.check("carol is refused in a room that is not hers, and can log out there", async () => {
    const carol = await stage.tab(await stage.member("carol"));
    const answer = await carol.goto("/chat/room/1/");
    assert.equal(answer.status(), 403);
    assert.match(await carol.textContent("h1"), /no access/);
    await carol.click("text=Log out");
    await carol.waitForURL((url) => !url.pathname.startsWith("/chat"));
    const again = await carol.goto("/courses/");
    assert.equal(new URL(again.url()).pathname, "/accounts/login/");
  });

  await stage.check("the whole way from log-in to a sent message needs no mouse", async () => {
    const page = await stage.tab(await stage.visitor());
    await page.goto("/");
    await page.waitForFunction(() => document.activeElement.id === "id_username");
    await page.keyboard.type("bob");
    await page.keyboard.press("Tab");
    await page.keyboard.type("builder-2");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === "/courses/");
    await tabTo(page, "Rust for Django developers");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === "/courses/1/");
    await tabTo(page, "Course chat room");
    await page.keyboard.press("Enter");
    await stage.connected(page);
    await page.keyboard.type("by keyboard alone");
    await page.keyboard.press("Enter");
    await stage.hears(page, "by keyboard alone");
    await stage.hears(alice, "by keyboard alone");
    await page.close();
  });

  await stage.check("a wrong password is told in words, and the username stays", async () => {
    const page = await stage.tab(await stage.visitor());
    await page.goto("/accounts/login/");
    await stage.login(page, "alice", "wrong");
    assert.ok((await page.textContent("[role=alert]")).length > 10);
    assert.equal(await page.inputValue("#id_username"), "alice");
    assert.equal(await page.inputValue("#id_password"), "");
  });

  await stage.check("after a restart of the server both pages are back by themselves", async () => {
    await stage.restart(alice, bob);
    await stage.say(alice, "are you back?");
    await stage.hears(bob, "are you back?");
    assert.equal((await stage.texts(bob)).filter((text) => text === "are you back?").length, 1);
  });

  await stage.check("nothing went wrong on any page but the loss of the server", async () => {
    for (const page of [alice, bob]) {
      assert.deepEqual(page.errors.filter((line) => !/closed unexpectedly|WebSocket connection to/.test(line)), []);
    }
  });
}

/** Presses Tab until a link with this text has the focus. */
async function tabTo(page, text) {
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.textContent.trim()) === text) return;
  }
  throw new Error(`${text} cannot be reached with Tab`);
}
