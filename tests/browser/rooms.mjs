// Members of one room hear each other; others hear nothing.
import assert from "node:assert/strict";

const TIME = /^(1[0-2]|[1-9]):[0-5]\d [AP]M$/;

export default async function (stage) {
  const bobs = await stage.member("bob");
  const one = await stage.room(await stage.member("alice"), "/chat/room/1/");
  const two = await stage.room(bobs, "/chat/room/1/");
  const other = await stage.room(await stage.member("carol"), "/chat/room/2/");

  await stage.check("two pages in one room exchange messages", async () => {
    await stage.say(one, "hello from one");
    await stage.hears(two, "hello from one");
    await stage.say(two, "hello from two");
    await stage.hears(one, "hello from two");
  });

  await stage.check("own messages stand apart from those of others", async () => {
    const [mine, theirs] = await stage.messages(one);
    assert.deepEqual([mine.self, mine.name], [true, "me"]);
    assert.deepEqual([theirs.self, theirs.name], [false, "bob"]);
    assert.match(mine.date, TIME);
    const html = await one.$eval("#chats > .message.others", (message) => message.outerHTML);
    assert.match(html,
      /^<div class="message others"><strong>bob<\/strong> <span class="date">\d{1,2}:\d\d [AP]M<\/span><br>hello from two<\/div>$/);
  });

  await stage.check("a late window sees only later messages", async () => {
    const late = await stage.room(bobs, "/chat/room/1/");
    await stage.say(one, "after the late one came");
    await stage.hears(late, "after the late one came");
    assert.deepEqual(await stage.texts(late), ["after the late one came"]);
  });

  await stage.check("a member of room 2 hears nothing of room 1", async () => {
    // What room 2 hears next shows that everything before would have been there.
    await stage.say(other, "only for room 2");
    await stage.hears(other, "only for room 2");
    assert.deepEqual(await stage.texts(other), ["only for room 2"]);
    assert.ok(!(await stage.texts(one)).includes("only for room 2"));
  });

  await stage.check("nothing went wrong on any page", async () => {
    assert.deepEqual([one.errors, two.errors, other.errors], [[], [], []]);
  });
}
