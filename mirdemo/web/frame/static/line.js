/* The line to the server: what happens to it is said in the page's own words. Gradio's messages are English alone and not
   shown (page.css); it asks every two seconds whether the server answers again, and then loads the page anew. */
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
    if (since < 2000) return setTimeout(cut, 2000 - since);
    if (root.classList.contains("cut")) return;
    root.classList.add("cut");
    mirdemo.remember(sessionStorage, "mirdemo-cut", "yes");
    say(words().cut, true);
  }

  /* An act that was refused before it was done: the server's own words, where it gave any. */
  let refused = null;
  const fetched = window.fetch;
  window.fetch = async (what, how) => {
    const where = String(what?.url ?? what);
    const answer = await fetched(what, how);
    if (where.includes("/queue/join") && !answer.ok) refused = (await answer.clone().json().catch(() => ({}))).detail;
    return answer;
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
  const watch = () => new MutationObserver(listen).observe(document.body, { childList: true, subtree: true });
  if (document.body) watch();
  else addEventListener("DOMContentLoaded", watch);
})();
