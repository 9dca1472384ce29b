// Every page on a phone and on a desktop, light and dark: nothing is cut off, texts can be read, and a picture of each
// is saved for people to look at.
import assert from "node:assert/strict";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const PAGES = { login: "/accounts/login/", courses: "/courses/", course: "/courses/1/", room: "/chat/room/1/",
  forbidden: "/chat/room/2/", nothing: "/nothing/here/" };

export default async function (stage) {
  const bob = await stage.room(await stage.member("bob"), "/chat/room/1/");
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const alice = await stage.member("alice", { colorScheme, viewport });
      const nobody = await stage.visitor({ colorScheme, viewport });
      for (const [name, path] of Object.entries(PAGES)) {
        await stage.check(`${name} on a ${size}, ${colorScheme}`, async () => {
          const page = await stage.tab(name === "login" ? nobody : alice);
          await page.goto(path);
          if (name === "room") await talk(stage, page, bob);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), viewport.width);
          const [ratio, text] = await page.evaluate(lowestContrast);
          assert.ok(ratio >= 4.5, `contrast is ${ratio.toFixed(2)} at ${text}`);
          await stage.picture(page, `${name}-${size}-${colorScheme}`);
          await page.close();
        });
      }
      await Promise.all([alice.close(), nobody.close()]);
    }
  }
}

async function talk(stage, alice, bob) {
  await stage.connected(alice);
  for (const [page, text] of [
    [bob, "Has anyone got the third exercise to compile? I keep getting E0502 in line 14."],
    [alice, "Yes: take the length first, then push. The borrow has to end before."],
    [bob, "That was it, thank you!"],
    [alice, "The long explanation: https://doc.rust-lang.org/error_codes/E0502.html"],
  ]) {
    await stage.say(page, text);
    await stage.hears(alice, text);
  }
}

/** The lowest contrast between a text and the nearest colour behind it, by WCAG's formula, and where. */
function lowestContrast() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      const [, , , alpha = 1] = channels(color);
      if (alpha > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let lowest = [21, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || ["SCRIPT", "NOSCRIPT"].includes(element.tagName)) continue;
    const [one, two] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, texts.currentNode.data.trim().slice(0, 40)];
  }
  return lowest;
}
