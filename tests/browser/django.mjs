// A Django site behind Solent: its log-in, its pages' sockets at Solent, what its views push, and its workers.
import assert from "node:assert/strict";

const NOTIFICATIONS = "/ws/notifications/";
const EVENT = { type: "order.shipped", order: 7, text: "Grüße 🌊" };

export default async function (stage) {
  const front = async (name) => {
    const page = await stage.tab(await stage.visitor());
    await page.goto("/");
    assert.match(await page.textContent("body"), /^hello nobody /);
    await page.goto("/accounts/login/");
    await stage.login(page, name, `${name}-secret-1`);
    assert.equal(new URL(page.url()).pathname, "/");
    return page;
  };
  let alice, bob;

  await stage.check("people log in at Django's own pages", async () => {
    [alice, bob] = [await front("alice"), await front("bob")];
    for (const [page, name] of [[alice, "alice"], [bob, "bob"]]) {
      assert.match(await page.textContent("body"), new RegExp(`^hello ${name} `));
    }
  });

  await stage.check("a page opens a socket at Solent with Django's session", async () => {
    for (const page of [alice, bob]) assert.equal(await open(page, NOTIFICATIONS), "open");
  });

  await stage.check("who is not logged in has none", async () => {
    const stranger = await stage.tab(await stage.visitor());
    await stranger.goto("/");
    assert.equal(await open(stranger, NOTIFICATIONS), "closed 1006");
    await stranger.close();
  });

  await stage.check("what a Django view sends to a user's group reaches that user's page", async () => {
    assert.equal(await alice.evaluate(async () => (await fetch("/notify/")).text()), "sent");
    assert.deepEqual(await hears(alice, NOTIFICATIONS, 1), [EVENT]);
    assert.equal(await bob.evaluate(async () => (await fetch("/notify/")).text()), "sent");
    assert.deepEqual(await hears(bob, NOTIFICATIONS, 1), [EVENT], "bob has heard of his own order alone");
  });

  await stage.check("a Python worker answers a page through Solent", async () => {
    const path = "/ws/room/7/";
    assert.equal(await open(alice, path), "open");
    const [connect] = await hears(alice, path, 1);
    assert.deepEqual([connect.type, connect.user.username, connect.kwargs], ["websocket.connect", "alice", { room: "7" }]);
    await say(alice, path, "hello, Python");
    const [, receive] = await hears(alice, path, 2);
    assert.deepEqual([receive.type, receive.text, receive.seq], ["websocket.receive", "hello, Python", 1]);
    assert.equal(await open(bob, path), "open");
    await hears(bob, path, 1);
    await say(bob, path, "event room_7");
    const both = [await hears(alice, path, 3), await hears(bob, path, 2)].map((all) => all.map((event) => event.type));
    for (const types of both) assert.ok(types.includes("chat.message"), types.join());
  });

  await stage.check("who logs out at Django loses the socket, and nobody else", async () => {
    const status = await alice.evaluate(async () => {
      const token = document.body.textContent.split("csrf=")[1].trim();
      const headers = { "X-CSRFToken": token };
      return (await fetch("/accounts/logout/", { method: "POST", headers })).status;
    });
    assert.equal(status, 200);
    assert.equal(await closed(alice, NOTIFICATIONS), 4401);
    assert.equal(await bob.evaluate((path) => window.sockets[path].socket.readyState, NOTIFICATIONS), 1);
  });

  await stage.check("nothing went wrong on any page", async () => {
    assert.deepEqual([alice.errors, bob.errors], [[], []]);
  });
}

/** Opens a socket from a page; "open", or "closed" and the code. */
function open(page, path) {
  return page.evaluate((path) => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}${path}`);
    const state = { socket, heard: [], closed: null };
    (window.sockets ??= {})[path] = state;
    socket.onopen = () => resolve("open");
    socket.onmessage = (message) => state.heard.push(JSON.parse(message.data));
    socket.onclose = ({ code }) => { state.closed = code; resolve(`closed ${code}`); };
  }), path);
}

function say(page, path, text) {
  return page.evaluate(([path, text]) => window.sockets[path].socket.send(text), [path, text]);
}

/** All that a page's socket has heard, once there is so much of it. */
async function hears(page, path, count) {
  await page.waitForFunction(([path, count]) => window.sockets[path].heard.length >= count, [path, count]);
  return page.evaluate((path) => window.sockets[path].heard, path);
}

/** The code with which a page's socket is closed. */
async function closed(page, path) {
  await page.waitForFunction((path) => window.sockets[path].closed !== null, path);
  return page.evaluate((path) => window.sockets[path].closed, path);
}
