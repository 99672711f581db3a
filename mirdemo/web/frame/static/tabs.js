/* Tabs (#clips, #few-shot ...), the address of what is seen, and the way to an answer once it is there. */
"use strict";
(() => {
  const panels = () => [...document.querySelectorAll(".mir-panel")];

  const root = document.documentElement;
  let stepped; // the address last shown: filters and opened tags are steps that Back undoes
  let awaited = null; // the address that Back has asked for, until it is shown: what is drawn before steps nowhere
  addEventListener("popstate", () => {
    const place = document.querySelector(".mir-panel.is-open [data-address]");
    const address = location.search.slice(1);
    if (!place || (awaited === null ? place.dataset.address : awaited) === address) return;
    stepped = location.search; // what comes back is shown, not stepped to again
    awaited = address;
    mirdemo.act({ act: "page.address", address }, Object.fromEntries(new URLSearchParams(address)));
  });

  function showTab() {
    const all = panels();
    if (!all.length) return;
    const wanted = all.find((panel) => panel.id === `panel-${location.hash.slice(1)}`) || all[0];
    const name = wanted.id.slice("panel-".length);
    for (const panel of all) {
      panel.classList.toggle("is-open", panel === wanted);
      panel.setAttribute("role", "tabpanel");
    }
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const mine = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", mine);
      tab.tabIndex = mine ? 0 : -1;
    }
    requestAnimationFrame(reveal); // not now: measuring would lay out the page twice
    for (const link of document.querySelectorAll(".where .next")) link.toggleAttribute("data-live-here", link.hash === `#${name}`);
    const place = wanted.querySelector("[data-address]");
    if (place && place.dataset.address === awaited) awaited = null;
    if (place && root.dataset.open === name && awaited === null) {
      const search = place.dataset.address ? `?${place.dataset.address}` : "";
      if (search !== location.search && mirdemo.isAnswered()) {
        const step = stepped === undefined || stepped === search ? "replaceState" : "pushState"; // the first is where one came in
        history[step](null, "", location.pathname + search + location.hash);
      }
      if (mirdemo.isAnswered()) stepped = search;
    }
    if (document.activeElement.closest(".mir-panel:not(.is-open)")) mirdemo.focus.focusFirst(mirdemo.focus.restingPlaces(), document.activeElement); // a button led here
    if (root.dataset.open !== name) {
      if (root.dataset.open) {
        mirdemo.focus.leaveNotice(name);
        mirdemo.room.release();
        mirdemo.act({ act: "page.open", tab: name });
      }
      root.dataset.open = name;
      requestAnimationFrame(() => mirdemo.charts(wanted));
    }
  }
  /* On a phone the tabs are wider than the screen: bring the open one into sight, moving nothing else. */
  function reveal() {
    const tab = document.querySelector('[data-tab][aria-selected="true"]');
    if (!tab) return;
    const [row, own] = [tab.parentElement.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (own.left < row.left || own.right > row.right) tab.parentElement.scrollLeft += (own.left + own.right - row.left - row.right) / 2;
  }
  addEventListener("resize", reveal);
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === root.dataset.open) return; // go() was here
    ledTo = null;
    showTab();
    scrollTo({ top: 0 });
  });

  /* At once: what is asked for on the way may be answered before the browser tells of another address. */
  function go(tab, led = false) {
    const elsewhere = root.dataset.open !== tab;
    location.hash = tab;
    if (elsewhere) {
      ledTo = led ? tab : null;
      showTab();
    }
    if (elsewhere || !led) scrollTo({ top: 0 });
  }

  /* An answer that was waited for is brought into sight when it comes, wherever the visitor has scrolled to. */
  const arrived = new Map(); // view -> what arrived last at each of its places
  let ledTo = null; // the tab that a button has led to, until its answer is there: it may come with the tab's first drawing
  function arrive(view) {
    const places = [...view.querySelectorAll("[data-arrive]")];
    const led = ledTo !== null && view.closest(".mir-panel")?.id === `panel-${ledTo}`;
    const before = arrived.get(view) || (led ? new Map() : undefined);
    arrived.set(view, new Map(places.map((place) => [mirdemo.keyOf(place), place.dataset.arrive])));
    const isNews = (place) => place.dataset.arrive && before.get(mirdemo.keyOf(place)) !== place.dataset.arrive && place.offsetParent;
    const place = before && places.find(isNews);
    if (!place) return;
    if (led) ledTo = null;
    const { top, height, bottom } = place.getBoundingClientRect();
    if (before.get(mirdemo.keyOf(place)) === "draft" && bottom > 0 && top < innerHeight) return; // it is being read while it becomes the answer
    if (top < 0 || top + Math.min(height, 420) > innerHeight) scrollTo({ top: scrollY + top - 12, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const place = opener && document.getElementById(opener.dataset.opens);
    if (place) { place.open = true; place.scrollIntoView({ block: "start" }); }
  });

  const goesOn = () => { awaited = null; };
  Object.assign(mirdemo, { showTab, go, arrive, goesOn });
})();
