/* The page's own script: sends acts, makes room for their answers, draws these, and leads to them. No library, nothing fetched. */
"use strict";
window.mirdemo = (() => {
  const root = document.documentElement;
  const remember = (store, key, value) => {
    try {
      if (value === undefined) return store.getItem(key);
      store.setItem(key, value);
    } catch { /* storage is refused in some frames: the page works without */ }
    return null;
  };

  /* ---- the wire: acts up, an answer down ---- */
  let send = null;
  const early = [];
  let secret; // the visitor's, once it is told
  let turn = 0; // of the last act
  let answeredTurn = 0; // of the last one that was answered

  /* about: what else the act is about, for whoever makes room */
  function act(message, about = {}) {
    alive();
    if (!message.act.startsWith("page.")) awaited = null; // somebody goes on from here
    if (secret) up(message);
    else early.push(message); // whose it is, is not known yet: the server would take it for a forgotten page's
    if (!message.act.startsWith("page.")) acted = turn;
    makeRoom({ ...about, ...message, turn });
  }

  /* ---- room, so that nothing moves when an answer comes. At the click its place takes its height (data-room), what the act
     takes away goes (data-leaves), what may be out of date is hidden (data-unsure); they end with the answer. What only
     changes keeps its height for good (data-keeps). Each names its acts: "ACT NAME=VALUE NAME, ACT", NAME alone: with any value. ---- */
  const MARKS = ["room", "leaves", "unsure"];
  const UNSURE_FOR = 3000; // milliseconds, then it is shown as it is
  const MARKED_FOR = 15_000; // milliseconds, should no answer come
  let acted = 0; // the turn of the last act that may change what other tabs show
  const meant = (acts, message) => acts.split(", ").some((one) => {
    const [name, ...fields] = one.split(" ");
    return name === message.act && fields.every((field) => {
      const [key, value] = field.split("=");
      return value === undefined ? Boolean(message[key]) : (message[key] ?? "") === value;
    });
  });

  function makeRoom(message) {
    const focus = document.activeElement;
    const beside = focus?.closest(".is-open .view") ? neighbours(focus.closest(".view"), focus) : [];
    for (const mark of MARKS) {
      for (const place of document.querySelectorAll(`.is-open [data-${mark}]`)) {
        const upToDate = mark === "unsure" && (drawnAt.get(place.closest(".view")) ?? 0) >= acted;
        if (upToDate || !meant(place.dataset[mark], message)) continue;
        place.setAttribute(`data-live-${mark}`, message.turn);
        const kept = mark !== "unsure" && place.closest("[data-keeps]");
        if (kept) kept.style.minHeight = "";
      }
    }
    for (const place of document.querySelectorAll(".is-open [data-keeps]")) {
      if (meant(place.dataset.keeps, message)) place.style.minHeight = `${place.offsetHeight}px`;
    }
    if (focus?.closest("[data-live-leaves]")) focusFirst(beside, focus);
    setTimeout(() => endRoom(document, message.turn, ["unsure"]), UNSURE_FOR);
    setTimeout(() => endRoom(document, message.turn), MARKED_FOR);
  }

  /* What was marked up to this turn is answered. */
  function endRoom(within, upTo, marks = MARKS) {
    for (const mark of marks) {
      for (const place of within.querySelectorAll(`[data-live-${mark}]`)) {
        if (Number(place.getAttribute(`data-live-${mark}`)) <= upTo) place.removeAttribute(`data-live-${mark}`);
      }
    }
  }

  /* Where a proxy holds answers back until the last one, a step's page would hear nothing until it ends. So a page that waits
     too long looks: the server then ends its answers at once, and says when to look again while something runs. Now and then
     it tries whether telling is heard. */
  let listening = null;
  let toldToLook = false; // by the server, which says nothing more until then
  const MOST_SILENCE = 8000; // milliseconds from an act to its first answer
  function up(message) { // with the open tab and whose it is: a server that took the page for closed may no longer know
    send({ turn: ++turn, tab: root.dataset.open, token: secret, ...message, drawn: latest, speaks: root.lang });
    listening ||= setTimeout(look, MOST_SILENCE, "silence");
  }
  function look(why) {
    [listening, toldToLook] = [null, false];
    if (!root.classList.contains("cut")) up({ act: "page.look", why });
  }

  /* Nothing was heard for so long that the line is in doubt (line.js). */
  function silence() {
    clearTimeout(listening);
    look("silence");
  }

  /* The line was cut and is back (line.js). What the server may not have heard is said again, in the same turn: it does nothing
     twice. told: whether the page had said that the line was cut */
  function back(unanswered, told) {
    for (const message of unanswered) if (message.turn > answeredTurn && message.act !== "page.look") send(message);
    up({ act: "page.look", why: "back", ...(told && { cut: "yes" }) });
  }

  function connect(trigger) {
    send = trigger;
    mirdemo.wear(); // once more, after Gradio has put on its own
    const language = new URLSearchParams(location.search).get("lang") || remember(sessionStorage, "mirdemo-lang");
    const address = location.search.slice(1);
    const [token, had, cut] = ["", "-had", "-cut"].map((what) => remember(sessionStorage, `mirdemo${what}`));
    remember(sessionStorage, "mirdemo-cut", "");
    up({ act: "page.hello", token, had, cut, language, address, tab: location.hash.slice(1) });
  }

  let answered = false;
  let latest = 0; // the last drawing that is on the page: what came with it need not be sent again
  let asked = false; // for what is missing before a later one
  const places = new Map(); // a view's name -> where it is drawn
  const known = new Map(); // a view's name -> its last drawing, for a place that comes later
  function heard(text) {
    if (!text) return;
    const answer = JSON.parse(text);
    answeredTurn = Math.max(answeredTurn, answer.turn || 0);
    if (answer.turn === answeredTurn || !toldToLook) { // what an earlier act's answer still says takes no look away
      clearTimeout(listening);
      toldToLook = Boolean(answer.look);
      const waits = toldToLook || answeredTurn < turn; // a later act may still wait
      listening = waits ? setTimeout(look, toldToLook ? 1000 * answer.look : MOST_SILENCE, toldToLook ? "told" : "silence") : null;
    }
    if (answer.forgotten) {
      if (!secret && mirdemo.asks("page.hello")) return; // it looked before it was told whose it is, and will be
      remember(sessionStorage, "mirdemo-cut", "yes"); // what was asked for was not done: the page says why
      location.reload();
      return;
    }
    answered = true;
    if (answer.token) {
      remember(sessionStorage, "mirdemo", secret = answer.token);
      early.splice(0).forEach(up);
    }
    const whole = !("after" in answer), missing = answer.after > latest; // Gradio may show the last of two answers alone
    for (const [name, [number, html]] of Object.entries(answer.views)) {
      if (number > (known.get(name) || [0])[0]) known.set(name, [number, html]);
      due.add(name);
      if (!missing) latest = Math.max(latest, number);
    }
    if (!drawingDue) drawDue();
    if (missing && !asked) act({ act: "page.open", tab: root.dataset.open });
    asked = missing || (asked && !whole);
  }

  /* The views' places are there. first: what stands in some of them until the first answer */
  function stand(page, first) {
    for (const view of page.querySelectorAll("[data-view]")) {
      const { view: name } = view.dataset;
      places.set(name, view);
      if (!known.has(name) && name in first) known.set(name, [0, first[name]]);
      if (known.has(name)) due.add(name);
    }
    if (!drawingDue) drawDue();
  }

  /* Draws what is due, from the top of the page; after some time it lets the browser show what is there already, and what
     was done meanwhile be heard, and goes on. A view in a window that nobody sees is drawn all the same. */
  const due = new Set(); // views' names
  const MOST_AT_ONCE = 30; // milliseconds, beyond which it draws no other
  let drawingDue = false;
  function drawDue() {
    drawingDue = false; // should one view fail, the next answer draws the others
    const until = performance.now() + MOST_AT_ONCE;
    const done = [];
    for (const name of [...places.keys()].filter((name) => due.has(name))) {
      due.delete(name);
      const [number, html] = known.get(name);
      if (fill(places.get(name), html, number)) done.push(places.get(name));
      if (performance.now() > until) break;
    }
    settle(done);
    drawingDue = [...due].some((name) => places.has(name));
    if (!drawingDue) endRoom(document, answeredTurn); // also where the answer was that nothing changes
    if (drawingDue) Promise.race([painted(), new Promise((wake) => setTimeout(wake, 100))]).then(drawDue);
  }

  /* ---- drawing: make the old nodes equal to the new ones, so that focus, typing and sound survive ---- */
  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || null : null);

  function morph(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    const visitors = (name) => name.startsWith("data-live") || (name === "open" && old.tagName === "DETAILS"); // their own doing
    const plotlys = (name) => old.hasAttribute("data-chart") && (name === "class" || name === "style") // plotly.js sees to them
      || old.hasAttribute("data-keeps") && name === "style"; // makeRoom() does
    const tick = (name, value) => { if (name === "checked") old.checked = value; }; // the attribute alone does not, once a hand did
    for (const { name } of [...old.attributes]) {
      if (fresh.hasAttribute(name) || visitors(name) || plotlys(name)) continue;
      old.removeAttribute(name);
      tick(name, false);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) === value) continue;
      if (visitors(name) || plotlys(name)) continue;
      old.setAttribute(name, value);
      tick(name, true);
      if (name === "value" && old !== document.activeElement) old.value = value;
    }
    if (old.tagName === "SELECT") {
      morphChildren(old, fresh);
      old.value = (fresh.querySelector("option[selected]") || fresh.options[0] || {}).value;
      return;
    }
    if (old.hasAttribute("data-chart")) return;
    if (old.tagName === "INPUT" && old.type === "text" && old.dataset.key !== fresh.dataset.key) old.value = fresh.value;
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const keyed = new Map([...old.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
    let place = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const key = keyOf(next);
      let match = key ? keyed.get(key) : null;
      if (!key) {
        let candidate = place;
        while (candidate && keyOf(candidate)) candidate = candidate.nextSibling;
        if (candidate && candidate.nodeType === next.nodeType && candidate.nodeName === next.nodeName) match = candidate;
      } else if (match && match.nodeName !== next.nodeName) match = null;
      if (match) {
        if (match !== place) old.insertBefore(match, place);
        else place = place.nextSibling;
        morph(match, next);
        keyed.delete(key);
      } else old.insertBefore(next.cloneNode(true), place);
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
  }

  /* Where the focus goes if what has it is removed or can be pressed no more: to what it names (data-back: what had opened it),
     the next of its kind, the one before, then whatever is next. */
  function neighbours(view, focus) {
    const all = [...view.querySelectorAll("button, input, select, a[href], [tabindex='0']")];
    const at = all.indexOf(focus);
    const around = [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0)).reverse()];
    const alike = around.filter((one) => focus.dataset.act && one.dataset.act === focus.dataset.act);
    const opener = focus.dataset.back ? [...view.querySelectorAll(focus.dataset.back)] : [];
    return [...opener, ...alike, ...around];
  }

  const canHaveFocus = (one) => one.isConnected && !one.disabled && one.checkVisibility({ visibilityProperty: true });

  /* From a notice that goes the focus returns to where it was in the tab that is open, or to the tab itself. */
  let before = null;
  let last = null; // wherever it was
  addEventListener("focusin", ({ target }) => { last = target; if (target.closest(".mir-panel")) before = target; });
  const restingPlaces = () => [before, document.querySelector('[data-tab][aria-selected="true"]')].filter(Boolean);
  function findFocus() { // what had it is gone, and nothing has it
    if (document.activeElement !== document.body || !last || canHaveFocus(last)) return;
    const from = last;
    last = null;
    focusFirst(restingPlaces(), from);
  }
  function takeAway(notice) {
    const focus = document.activeElement;
    const had = notice.contains(focus);
    notice.remove();
    if (had) focusFirst(restingPlaces(), focus);
  }

  function focusFirst(all, from) {
    const next = all.find(canHaveFocus);
    next?.focus({ preventScroll: true });
    if (from.dataset.back) next?.scrollIntoView({ block: "nearest", behavior: "instant" }); // a long list may have hidden it
  }

  const drawn = new WeakMap(); // view -> the number of its last drawing
  const drawnAt = new WeakMap(); // view -> the turn that had been answered then

  function draw(view, html, number) {
    if (fill(view, html, number)) settle([view]);
  }

  /* Whether anything was drawn. */
  function fill(view, html, number) {
    if (number <= (drawn.get(view) ?? -1)) return false; // there already, or overtaken by a later one
    drawn.set(view, number);
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const focus = document.activeElement;
    const beside = focus && view.contains(focus) ? neighbours(view, focus) : [];
    mirdemo.beforeDrawing(view);
    morphChildren(view, fresh);
    drawnAt.set(view, answeredTurn);
    endRoom(view, answeredTurn);
    mirdemo.afterDrawing(view);
    if (focus && view.contains(focus) && document.activeElement !== focus) focus.focus({ preventScroll: true });
    const anew = focus?.id ? [document.getElementById(focus.id)].filter(Boolean) : []; // the same field, drawn anew
    if (beside.length && !canHaveFocus(focus)) focusFirst([...anew, ...beside, ...restingPlaces()], focus);
    const language = view.querySelector("[data-language]");
    if (language) {
      root.lang = language.dataset.language;
      document.title = language.dataset.title;
      if (language.dataset.answered) {
        root.classList.remove("waiting");
        remember(sessionStorage, "mirdemo-lang", root.lang); // a server that has forgotten all speaks it again
      }
    }
    const notice = view.querySelector(".notice:not(.refusal):not(.ending)");
    if (notice) {
      const undo = notice.querySelector("[data-undo]");
      const key = notice.dataset.key;
      setTimeout(() => notice.isConnected && notice.dataset.key === key && takeAway(notice), undo ? 1000 * Number(undo.dataset.undo) : 6000);
    }
    return true;
  }

  /* What is to be seen to once these have been drawn. */
  function settle(views) {
    if (!views.length) return;
    if (views.some((view) => view.querySelector("[data-ending]"))) alive();
    if (answered && views.some((view) => view.dataset.view === "foot")) remember(sessionStorage, "mirdemo-had", document.querySelector("[data-ending]") ? "yes" : "");
    views.forEach(fetchSaved);
    views.forEach(mirdemo.panelHeard);
    showTab();
    mirdemo.paint();
    views.forEach(mirdemo.charts);
    views.forEach(arrive);
    findFocus();
  }

  /* ---- a visit that nobody touches says so before it ends ---- */
  let endingSoon = null;
  let title = null;
  function alive() {
    clearTimeout(endingSoon);
    if (title !== null) { document.title = title; title = null; }
    const notice = document.querySelector("[data-ending]");
    if (!notice) return;
    notice.hidden = true;
    endingSoon = setTimeout(() => {
      const now = document.querySelector("[data-ending]");
      if (!now) return;
      now.hidden = false;
      title = document.title;
      document.title = `! ${now.querySelector("p").textContent}`; // seen from another tab of the browser
    }, 1000 * Number(notice.dataset.ending));
  }

  /* A file that was asked for and is ready now is fetched without another click. */
  const saved = new Map(); // view -> the last file that was ready
  function fetchSaved(view) {
    const link = view.querySelector("a[data-saves]");
    const news = link ? link.dataset.saves : "";
    const before = saved.get(view);
    saved.set(view, news);
    if (news && before !== undefined && before !== news) link.click();
  }

  /* An answer that was waited for is brought into sight when it comes, wherever the visitor has scrolled to. */
  const arrived = new Map(); // view -> what arrived last at each of its places
  let ledTo = null; // the tab that a button has led to, until its answer is there: it may come with the tab's first drawing
  function arrive(view) {
    const places = [...view.querySelectorAll("[data-arrive]")];
    const led = ledTo !== null && view.closest(".mir-panel")?.id === `panel-${ledTo}`;
    const before = arrived.get(view) || (led ? new Map() : undefined);
    arrived.set(view, new Map(places.map((place) => [keyOf(place), place.dataset.arrive])));
    const isNews = (place) => place.dataset.arrive && before.get(keyOf(place)) !== place.dataset.arrive && place.offsetParent;
    const place = before && places.find(isNews);
    if (!place) return;
    if (led) ledTo = null;
    const { top, height, bottom } = place.getBoundingClientRect();
    if (before.get(keyOf(place)) === "draft" && bottom > 0 && top < innerHeight) return; // it is being read while it becomes the answer
    if (top < 0 || top + Math.min(height, 420) > innerHeight) scrollTo({ top: scrollY + top - 12, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const place = opener && document.getElementById(opener.dataset.opens);
    if (place) { place.open = true; place.scrollIntoView({ block: "start" }); }
  });

  /* ---- tabs: #clips, #few-shot ... ---- */
  const panels = () => [...document.querySelectorAll(".mir-panel")];

  let stepped; // the address last shown: filters and opened tags are steps that Back undoes
  let awaited = null; // the address that Back has asked for, until it is shown: what is drawn before steps nowhere
  addEventListener("popstate", () => {
    const place = document.querySelector(".mir-panel.is-open [data-address]");
    const address = location.search.slice(1);
    if (!place || (awaited === null ? place.dataset.address : awaited) === address) return;
    stepped = location.search; // what comes back is shown, not stepped to again
    awaited = address;
    act({ act: "page.address", address }, Object.fromEntries(new URLSearchParams(address)));
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
      if (search !== location.search && answered) {
        const step = stepped === undefined || stepped === search ? "replaceState" : "pushState"; // the first is where one came in
        history[step](null, "", location.pathname + search + location.hash);
      }
      if (answered) stepped = search;
    }
    if (document.activeElement.closest(".mir-panel:not(.is-open)")) focusFirst(restingPlaces(), document.activeElement); // a button led here
    if (root.dataset.open !== name) {
      if (root.dataset.open) act({ act: "page.open", tab: name });
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

  /* Words come in the visitor's language with the first answer; until then only English readers see the page. */
  if (!(navigator.language || "en").startsWith("en")) {
    root.classList.add("waiting");
    setTimeout(() => root.classList.remove("waiting"), 3000);
  }

  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const waits = () => answeredTurn < turn || drawingDue; // for an answer
  return { waits, connect, heard, silence, back, remember, stand, draw, act, go, alive, painted, takeAway };
})();
