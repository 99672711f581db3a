/* Tabs of the browser that show one visit: one that was duplicated has its secret. What is done in one is seen in the others, at once
   or as soon as they are in sight, and who is in one is in all of them. */
"use strict";
(() => {
  let others = null; // whoever knows the secret
  let stale = false; // whether another has done something since this one looked

  function open(secret) {
    try {
      others = new BroadcastChannel(`mirdemo-${secret}`);
    } catch { return; } // refused in some frames: each then sees the others' doing with its own next act
    others.onmessage = ({ data }) => {
      mirdemo.alive();
      stale ||= data === "changed";
      see();
    };
  }
  function see() {
    if (!stale || document.hidden) return;
    stale = false;
    mirdemo.lookBeside();
  }
  addEventListener("visibilitychange", see);

  /* what: "here" where somebody acts, "changed" where that was answered and may show elsewhere */
  const tell = (what) => others?.postMessage(what);
  mirdemo.beside = { open, tell };
})();
