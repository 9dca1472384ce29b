// Two processes of one site: members at either hear each other, and a member in Python.
import assert from "node:assert/strict";

export default async function (stage) {
  const alice = await stage.room(await stage.member("alice"), "/chat/room/1/");
  const bob = await stage.room(await stage.member("bob", { baseURL: process.env.SOLENT_TEST_OTHER }), "/chat/room/1/");

  await stage.check("pages at two processes exchange messages", async () => {
    await stage.say(alice, "hello from one process");
    await stage.hears(bob, "hello from one process");
    await stage.say(bob, "hello from the other");
    const heard = await stage.hears(alice, "hello from the other");
    assert.deepEqual(heard.map((message) => [message.name, message.text]),
      [["me", "hello from one process"], ["bob", "hello from the other"]]);
  });

  await stage.check("a member in Python is seen on both", async () => {
    await stage.ask("dora says hello");
    for (const page of [alice, bob]) {
      const last = (await stage.hears(page, "hello from Python")).at(-1);
      assert.deepEqual([last.self, last.name], [false, "dora"]);
    }
  });

  await stage.check("nothing went wrong on any page", async () => {
    assert.deepEqual([alice.errors, bob.errors], [[], []]);
  });
}
