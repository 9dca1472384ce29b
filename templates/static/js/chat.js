// The chat room's client: one socket, a list of messages, an input.
//
// The server and the page agree on this wire: the client sends {"message": text}; members get
// {"type": "chat.message", "message": text, "user": name, "time": ISO 8601}; {"type": "error", …} concerns this client alone.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("chat-data").textContent);
  const chats = document.getElementById("chats");
  const form = document.getElementById("chat-inputs");
  const input = document.getElementById("chat-message-input");
  const status = document.getElementById("chat-status");
  const notice = document.getElementById("chat-notice");

  const MAX_CHARACTERS = 4096;
  const MAX_SHOWN = 2000;
  // A connection that lived this long was a good one: the next loss starts the back-off anew. Resetting it at every
  // open would let a server that accepts and closes at once be hammered.
  const STABLE_MS = 10000;
  const FIRST_DELAY_MS = 1000;
  const LONGEST_DELAY_MS = 30000;
  const FINAL = {
    1008: "The server ended this conversation.",
    4401: "You are logged out. Reload the page to log in again.",
    4403: "You no longer have access to this room.",
  };

  const clock = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", hour12: true });

  let socket = null;
  let timer = 0;
  let failures = 0;
  let leaving = false;

  // ---- the connection

  function connect() {
    clearTimeout(timer);
    const url = new URL(data.socket, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const current = new WebSocket(url);
    let openedAt = 0;
    socket = current;
    current.onopen = () => {
      openedAt = performance.now();
      show("open", "Connected");
      tell("");
    };
    current.onmessage = (event) => receive(event.data);
    current.onclose = (event) => {
      if (current !== socket || leaving) return;
      socket = null;
      const stable = openedAt && performance.now() - openedAt > STABLE_MS;
      closed(event.code, Boolean(openedAt), stable);
    };
  }

  function closed(code, wasOpen, stable) {
    // Once per loss: the attempts that fail afterwards are not news.
    if (wasOpen || failures === 0) console.error("Chat socket closed unexpectedly");
    if (code in FINAL) {
      show("closed", "Disconnected");
      tell(FINAL[code]);
      return;
    }
    if (stable) failures = 0;
    show("lost", "Reconnecting…");
    tell("Chat socket closed unexpectedly. Trying to reconnect; messages sent meanwhile will not show up here.");
    timer = setTimeout(connect, delay(failures));
    failures += 1;
  }

  // Full jitter: anything between nothing and the bound, so that a restarted server is not met by everyone at once.
  function delay(attempt) {
    return Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
  }

  // ---- what arrives

  function receive(text) {
    let event;
    try {
      event = JSON.parse(text);
    } catch {
      return;
    }
    if (event === null || typeof event !== "object") return;
    switch (String(event.type).replaceAll("_", ".")) {
      case "chat.message":
        append(event);
        break;
      case "error":
        tell(event.message || "The server could not use that message.");
        break;
      case "layer.gap":
        tell("Some messages may be missing here.");
        break;
    }
  }

  // Text goes in as text: nothing that anyone writes is ever read as HTML.
  function append(event) {
    const name = String(event.user ?? event.username ?? "");
    const mine = name === data.username;
    const time = new Date(event.time);

    const message = document.createElement("div");
    message.className = mine ? "message self" : "message others";
    const who = document.createElement("strong");
    who.textContent = mine ? "me" : name;
    const date = document.createElement("span");
    date.className = "date";
    date.textContent = clock.format(Number.isNaN(time.getTime()) ? new Date() : time).replace("\u202f", " ");
    message.append(who, " ", date, document.createElement("br"), String(event.message ?? ""));

    // Who reads further up is left there.
    const atEnd = chats.scrollHeight - chats.scrollTop - chats.clientHeight < 80;
    chats.append(message);
    while (chats.childElementCount > MAX_SHOWN) chats.firstElementChild.remove();
    if (mine || atEnd) toEnd();
  }

  function toEnd() {
    chats.scrollTop = chats.scrollHeight;
  }

  // ---- what is sent

  function send() {
    const text = input.value;
    input.focus();
    if (!text.trim()) return;
    const length = [...text].length;
    if (length > MAX_CHARACTERS) {
      tell(`A message can have ${MAX_CHARACTERS} characters; this one has ${length}.`);
      return;
    }
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      tell("Not connected. Your message stays here until you send it again.");
      return;
    }
    socket.send(JSON.stringify({ message: text }));
    input.value = "";
    tell("");
  }

  // ---- what the page says

  function show(state, text) {
    status.dataset.state = state;
    status.textContent = text;
  }

  function tell(text) {
    notice.textContent = text;
    notice.hidden = !text;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  // A page that is left closes its socket on purpose; one that comes back from the browser's cache opens a new one.
  window.addEventListener("pagehide", () => {
    leaving = true;
    clearTimeout(timer);
    if (socket) socket.close();
  });
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) connect();
  });
  window.addEventListener("online", () => {
    if (!socket && status.dataset.state === "lost") connect();
  });
  // On a phone the keyboard shrinks the room; the last message stays in view.
  new ResizeObserver(toEnd).observe(chats);

  input.focus();
  toEnd();
  connect();
})();
