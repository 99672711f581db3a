/* Room, so that nothing moves when an answer comes. At the click its place takes its height (data-room), what the act takes away goes
   (data-leaves), what may be out of date is hidden (data-unsure); they end with the answer. What only changes keeps its height for
   good (data-keeps), or until its tab is left (data-until-left); a place for what comes by itself (data-awaits) and did not come, until
   somebody does something. Each names its acts: "ACT NAME=VALUE NAME, ACT", NAME alone: with any value. */
"use strict";
(() => {
  const MARKS = ["room", "leaves", "unsure"];
  const UNSURE_FOR = 3000; // milliseconds, then it is shown as it is
  const MARKED_FOR = 15_000; // milliseconds, should no answer come
  const meant = (acts, message) => acts.split(", ").some((one) => {
    const [name, ...fields] = one.split(" ");
    return name === message.act && fields.every((field) => {
      const [key, value] = field.split("=");
      return value === undefined ? Boolean(message[key]) : (message[key] ?? "") === value;
    });
  });

  /* upToDate: whether a view shows what the last act has changed */
  function make(message, upToDate) {
    for (const place of document.querySelectorAll("[data-until-left]:not([data-awaits])")) if (!place.children.length) place.style.minHeight = "";
    const focus = document.activeElement;
    const beside = focus?.closest(".is-open .view") ? mirdemo.focus.neighbours(focus.closest(".view"), focus) : [];
    for (const mark of MARKS) {
      for (const place of document.querySelectorAll(`.is-open [data-${mark}]`)) {
        const sure = mark === "unsure" && upToDate(place.closest(".view"));
        if (sure || !meant(place.dataset[mark], message)) continue;
        place.setAttribute(`data-live-${mark}`, message.turn);
        const kept = mark !== "unsure" && place.closest("[data-keeps]");
        if (kept) kept.style.minHeight = "";
      }
    }
    for (const place of document.querySelectorAll(".is-open [data-keeps]")) {
      if (meant(place.dataset.keeps, message)) place.style.minHeight = `${place.offsetHeight}px`;
    }
    if (focus?.closest("[data-live-leaves]")) mirdemo.focus.focusFirst(beside, focus);
    setTimeout(() => end(document, message.turn, ["unsure"]), UNSURE_FOR);
    setTimeout(() => end(document, message.turn), MARKED_FOR);
  }

  /* What was marked up to this turn is answered. */
  function end(within, upTo, marks = MARKS) {
    for (const mark of marks) {
      for (const place of within.querySelectorAll(`[data-live-${mark}]`)) {
        if (Number(place.getAttribute(`data-live-${mark}`)) <= upTo) place.removeAttribute(`data-live-${mark}`);
      }
    }
  }

  const awaited = (view) => [...view.querySelectorAll("[data-awaits]")].map((place) => [place, place.offsetHeight]);
  function hold(places) {
    for (const [place, height] of places) if (!place.hasAttribute("data-awaits") && place.offsetHeight < height) place.style.minHeight = `${height}px`;
  }
  function release() {
    for (const place of document.querySelectorAll("[data-until-left]")) place.style.minHeight = "";
  }

  mirdemo.room = { make, end, awaited, hold, release };
})();
