/* The line to the server. Where it is cut, Gradio would end its own page with a message (English alone, not shown: page.css) and
   load it anew. So what it fetches goes through here: a cut is waited out, what may not have been heard is said again, and the
   page stays as it is, unless another server answers. What happens is said in the page's own words. */
"use strict";
(() => {
  const root = document.documentElement;
  const words = () => document.getElementById("line-says")?.dataset ?? {};

  /* A sentence at the foot of the page that no drawing takes away. stays: it cannot be closed */
  function say(text, stays) {
    document.getElementById("line")?.remove();
    if (!text) return;
    const box = document.createElement("div");
    box.id = "line";
    box.className = "notice refusal";
    box.setAttribute("role", "alert");
    const said = document.createElement("p");
    said.textContent = text;
    box.append(said);
    if (!stays) {
      const close = document.createElement("button");
      close.type = "button";
      close.className = "round";
      close.textContent = "\u00d7";
      close.dataset.dismiss = "";
      close.setAttribute("aria-label", words().dismiss);
      box.append(close);
    }
    document.querySelector(".gradio-container").append(box);
  }

  let left = -Infinity; // when this page was last about to be left: what ends then has not failed
  addEventListener("beforeunload", () => { left = performance.now(); });

  /* The server does not answer. What runs there is not known now (`cut` hides how far it is). */
  function cut() {
    const since = performance.now() - left;
    if (since < 2000) return setTimeout(() => waited && cut(), 2000 - since);
    if (root.classList.contains("cut")) return;
    root.classList.add("cut");
    mirdemo.remember(sessionStorage, "mirdemo-cut", "yes");
    say(words().cut, true);
  }

  /* ---- waiting for the server, more and more seldom, where somebody waits for its answer ---- */
  const SOONEST = 500, SELDOM = 8000; // milliseconds between two questions
  const FORGOTTEN = 30_000; // milliseconds without a cut, after which one asks soon again
  const sleep = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds));
  const base = (where) => where.slice(0, where.indexOf("/gradio_api/") + 12);
  let pause = SOONEST;
  let mended = -Infinity; // when it was back last
  let waited = null; // for the server, while it does not answer
  const fetched = window.fetch;

  /* Which process answers: null for none. */
  async function who(where, patience = 5000) {
    try {
      const answer = await fetched(`${base(where)}app_id`, { signal: AbortSignal.timeout(patience), cache: "no-store" });
      return answer.ok ? (await answer.json()).app_id : null;
    } catch { return null; }
  }
  const same = (app) => app === window.gradio_config?.app_id;

  /* Until the server answers. Whether the page had said meanwhile that it does not. */
  const back = (where) => waited ||= (async () => {
    pause = performance.now() - mended < FORGOTTEN ? Math.min(2 * pause, SELDOM) : SOONEST;
    for (let app = null, wait = pause; app === null; wait = Math.min(2 * wait, SELDOM)) {
      await sleep(wait);
      app = await who(where);
      if (app === null) cut();
      else if (!same(app)) {
        mirdemo.remember(sessionStorage, "mirdemo-cut", "yes"); // what was asked for was not done: the page says why
        location.reload();
        await new Promise(() => {});
      }
    }
    const told = root.classList.contains("cut");
    root.classList.remove("cut");
    document.getElementById("line")?.remove();
    mirdemo.remember(sessionStorage, "mirdemo-cut", "");
    mended = performance.now();
    waited = null;
    beatAgain();
    return told;
  })();

  /* ---- what Gradio fetches ---- */
  const joining = new Set(); // what was asked, until it has joined
  const joined = new Map(); // an event whose last answer is not here -> what it was asked with
  const early = new Set(); // events whose last answer was here before it was known that they have joined

  /* A line may die without a word, and the browser waits for it for minutes. Where nothing comes while the server answers over
     another one, it is given up, as one that was cut; a server that is only slow answers neither. */
  const SILENT = 3000, SOON = 1500; // milliseconds without a word, and for an answer over another line
  const elsewhere = (where) => Promise.any([1, 2, 3].map(async () => { // some that a browser has kept may be dead, too
    if (await who(where, SOON) === null) throw new Error("silent");
  })).then(() => true, () => false);
  let heardAt = 0, joinedAt = 0; // when the stream of answers said anything last, and when anything was asked
  async function unlessDead(where, how) {
    const line = new AbortController();
    let over = false, wait = SOONEST;
    (async () => {
      for (await sleep(SILENT); !over; await sleep(wait = Math.min(2 * wait, SELDOM))) if (await elsewhere(where) && !over) return line.abort();
    })();
    try {
      return await fetched(where, { ...how, signal: line.signal });
    } finally {
      over = true;
    }
  }
  /* The same of the stream of answers: a proxy may hold it back, so the page asks for news first. Returns what ends the watch. */
  function watched(where, line) {
    let askedAt = -1, asking = false;
    const beat = setInterval(async () => {
      const since = Math.max(heardAt, joinedAt);
      if (asking || !joined.size || performance.now() - since < SILENT) return;
      asking = true;
      const there = await elsewhere(where);
      asking = false;
      if (!there || since !== Math.max(heardAt, joinedAt)) return;
      if (askedAt > heardAt) return line.abort();
      askedAt = performance.now();
      mirdemo.silence();
    }, SILENT / 6);
    return () => clearInterval(beat);
  }

  /* An act that was refused before it was done: the server's own words, where it gave any. */
  let refused = null;
  async function join(where, how) {
    joining.add(how.body);
    try {
      return await joinedOrRefused(where, how);
    } finally {
      joining.delete(how.body);
    }
  }
  async function joinedOrRefused(where, how) {
    for (;;) {
      const answer = await unlessDead(where, how).catch(() => null);
      if (answer?.ok) {
        const { event_id } = await answer.clone().json();
        if (!early.delete(event_id)) joined.set(event_id, how.body);
        joinedAt = performance.now();
        beatAgain();
      }
      else if (answer && ![502, 504].includes(answer.status)) refused = (await answer.clone().json().catch(() => ({}))).detail;
      else {
        await back(where);
        continue;
      }
      return answer;
    }
  }

  /* The messages of an event stream as they come; ends with the stream. Throws where it is cut. */
  async function* messages(answer) {
    if (!answer.ok) throw new Error(answer.status);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const whole = (held + part.value).split("\n\n");
      held = whole.pop();
      for (const message of whole) yield message;
    }
  }
  const again = ({ url, headers, credentials, signal }, ends = signal) => fetched(url, { headers, credentials, signal: ends });
  const events = (start) => new Response(new ReadableStream({ start }), { headers: { "Content-Type": "text/event-stream" } });
  const says = (put, message) => put.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(message)}\n\n`));

  /* The answers to all events. Gradio takes the stream for open until it is told of its end. So an event that has joined while the
     end was on its way would never be answered: for it the stream is opened again. Where it is cut, its events are over for Gradio. */
  async function answers(request, put) {
    let whole = false;
    const line = new AbortController();
    request.signal.addEventListener("abort", () => line.abort());
    const unwatch = watched(request.url, line);
    try {
      while (!whole) {
        whole = true; // if the stream says that it ends
        let ended = false;
        for await (const message of messages(await again(request))) {
          heardAt = performance.now();
          const brief = message.includes('"process_completed"') || message.length < 500 ? JSON.parse(message.slice(message.indexOf("{"))) : {};
          if (brief.msg === "unexpected_error" && !brief.event_id) throw new Error(brief.message);
          ended = brief.msg === "close_stream";
          if (ended) break;
          if (brief.msg === "process_completed" && !joined.delete(brief.event_id)) early.add(brief.event_id);
          put.enqueue(new TextEncoder().encode(`${message}\n\n`));
        }
        if (!ended) throw new Error("cut");
        whole = !joined.size;
      }
    } catch {
      if (request.signal.aborted) return;
      const lost = [...joined.values()].map((body) => JSON.parse(body).event_data);
      const nothing = { data: [0, 1].map(() => ({ __type__: "update" })), is_generating: false };
      for (const event_id of joined.keys()) says(put, { msg: "process_completed", event_id, success: true, output: nothing });
      joined.clear();
      back(request.url).then((told) => mirdemo.back(lost, told));
    } finally {
      unwatch();
    }
    says(put, { msg: "close_stream", event_id: null });
    put.close();
  }

  /* By its heartbeat the server knows that the page is open. It beats again after a cut; for a minute that is tried, and then after
     the next act: a page that nobody looks at must not keep a server from its sleep. */
  let beatAgain = () => {};
  async function heartbeat(request, put) {
    for (let wait = SOONEST; !request.signal.aborted;) {
      const began = performance.now();
      try {
        for await (const beat of messages(await again(request))) put.enqueue(new TextEncoder().encode(`${beat}\n\n`));
      } catch { /* it is cut */ }
      wait = performance.now() - began > FORGOTTEN ? 2 * SOONEST : 2 * wait;
      if (wait < 64_000) await sleep(wait);
      else await new Promise((wake) => { beatAgain = wake; });
      const app = await who(request.url);
      if (app !== null && !same(app)) return; // the next act tells
    }
  }

  window.fetch = async (what, how) => {
    const where = new URL(what?.url ?? what, document.baseURI).href;
    if (where.includes("/gradio_api/queue/join")) return join(where, how);
    if (where.includes("/gradio_api/queue/data?")) return events((put) => { answers(new Request(what, how), put); });
    if (where.includes("/gradio_api/heartbeat/")) return events((put) => { heartbeat(new Request(what, how), put); });
    return fetched(what, how);
  };

  /* Whatever Gradio would say. The one message that it does not take away by itself is of a lost connection. */
  const known = new WeakSet();
  function listen() {
    for (const message of document.querySelectorAll(".toast-body.error [data-testid=toast-text]")) {
      if (known.has(message)) continue;
      known.add(message);
      if (!message.closest(".toast-body").querySelector(".timer")) cut();
      else if (!root.classList.contains("cut")) say(refused || words().failed, false);
      refused = null;
    }
  }
  /* Whether such an act may still be answered. */
  mirdemo.asks = (act) => [...joining, ...joined.values()].some((body) => JSON.parse(body).event_data?.act === act);
  mirdemo.say = (which) => { if (!root.classList.contains("cut")) say(words()[which], false); };
  new MutationObserver(listen).observe(document.body, { childList: true, subtree: true });
})();
