/* Small things that open in place: a cell's card, a term's sentence; and tables that are sorted by their headings. */
"use strict";
(() => {
  /* ---- one card for the whole page, in the browser's top layer: a tap opens it, Escape, a tap elsewhere and Back close it ---- */
  let opener = null;
  const card = () => document.getElementById("card");

  function show(says, link, anchor, box) {
    const place = card();
    if (!place) return;
    opener = anchor;
    place.querySelector(".card-says").innerHTML = says; // escaped where it was put together, as all of the page
    openTerms(place.querySelector(".card-says"));
    const source = place.querySelector(".card-source");
    source.hidden = !/^https:\/\//.test(link || "");
    if (source.hidden) source.removeAttribute("href");
    else source.href = link;
    if (!place.matches(":popover-open")) place.showPopover();
    beside(place, box);
    place.focus({ preventScroll: true });
    if (!history.state?.card) history.pushState({ card: true }, "");
  }

  /* Under what it belongs to, above it where there is no room or where it is wanted there, and always within the window. */
  function beside(place, box, above = false) {
    const { width, height } = place.getBoundingClientRect();
    const [under, over] = [box.bottom + 6, box.top - height - 6];
    const fits = above ? over < 8 : under + height <= innerHeight - 8;
    const top = fits ? under : Math.max(8, over);
    place.style.top = `${Math.min(top, Math.max(8, innerHeight - height - 8))}px`;
    place.style.left = `${Math.max(8, Math.min(box.left + box.width / 2 - width / 2, innerWidth - width - 8))}px`;
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.id !== "card" || event.newState === "open") return;
    if (told && card().contains(told)) hush();
    const back = opener;
    if (back?.isConnected && (document.activeElement === document.body || card().contains(document.activeElement))) back.focus({ preventScroll: true });
    setTimeout(() => { // unless another cell was chosen, or a tab, the step that opening was is taken back
      if (!card()?.matches(":popover-open") && history.state?.card) history.back();
    }, 60);
  }, true);
  addEventListener("popstate", () => { if (card()?.matches(":popover-open") && !history.state?.card) card().hidePopover(); });
  addEventListener("scroll", () => { if (card()?.matches(":popover-open") && opener?.isConnected) beside(card(), opener.getBoundingClientRect()); }, { passive: true });

  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.("[data-card]");
    if (cell) show(cell.dataset.card, cell.dataset.link, cell, cell.getBoundingClientRect());
    const close = event.target.closest?.("[data-close-card]");
    if (close) card().hidePopover();
    const heading = event.target.closest?.("[data-sort]");
    if (heading) sort(heading);
  });

  /* Cells of a heat map are walked by the arrow keys, as in a spreadsheet. */
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.("td > .cell");
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    const rows = [...cell.closest("table").tBodies].flatMap((body) => [...body.rows]);
    let [row, column] = [rows.indexOf(cell.closest("tr")), cell.parentElement.cellIndex];
    for (;;) {
      row += step[0];
      column += step[1];
      const there = rows[row]?.cells[column];
      if (!there) return;
      const next = there.querySelector(".cell");
      if (next) return next.focus();
    }
  });

  /* ---- sorting: by a heading, first the highest, then the lowest, then as it was ---- */
  const sorted = new WeakMap(); // table -> [column, direction]
  const next = { none: "descending", descending: "ascending", ascending: "none" };

  function sort(heading) {
    const table = heading.closest("table");
    sorted.set(table, [Number(heading.dataset.sort), next[heading.closest("th").getAttribute("aria-sort")] || "descending"]);
    arrange(table);
  }

  function arrange(table) {
    const body = table.tBodies[0];
    [...body.rows].forEach((row, at) => { if (row.dataset.liveAt === undefined) row.dataset.liveAt = at; });
    const [column, direction] = sorted.get(table) || [0, "none"];
    const turn = direction === "ascending" ? 1 : -1;
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const number = (text) => (/^[+−-]?\d/.test(text) ? parseFloat(text.replace("−", "-").replaceAll(",", "")) : NaN); // 0.84 (0.76–0.90)
    const numbers = [...body.rows].every((row) => value(row) === "" || !Number.isNaN(number(value(row))));
    const compare = (a, b) => {
      if (direction === "none") return a.dataset.liveAt - b.dataset.liveAt;
      const [one, other] = [value(a), value(b)];
      if ((one === "") !== (other === "")) return one === "" ? 1 : -1; // blanks stay at the end
      const by = numbers && one !== "" ? number(one) - number(other) : -one.localeCompare(other, document.documentElement.lang, { numeric: true });
      return turn * by || a.dataset.liveAt - b.dataset.liveAt;
    };
    body.append(...[...body.rows].sort(compare));
    table.querySelectorAll("[data-sort]").forEach((button) => button.closest("th").setAttribute("aria-sort", Number(button.dataset.sort) === column ? direction : "none"));
  }

  /* ---- terms: hover, focus or a tap opens the sentence; Escape, a tap elsewhere or leaving it closes it ---- */
  let told = null; // the term that is open
  let pinned = false; // by a tap or a key: then leaving it with the mouse does not close it
  const termCard = () => document.getElementById("term-card");

  function tell(term, pin) {
    const place = termCard();
    const says = document.querySelector(`[data-term-says="${term.dataset.term}"]`);
    if (!place || !says) return;
    if (told && told !== term) hush();
    told = term;
    pinned = pin;
    place.replaceChildren(...[...says.childNodes].map((node) => node.cloneNode(true)));
    if (!place.matches(":popover-open")) place.showPopover();
    besideTerm();
    term.setAttribute("aria-describedby", "term-card");
    term.setAttribute("data-live-told", "");
  }
  function hush() {
    if (termCard()?.matches(":popover-open")) termCard().hidePopover();
    told?.removeAttribute("aria-describedby");
    told?.removeAttribute("data-live-told");
    told = null;
  }
  function besideTerm() { // over a table's heading, for what it explains stands under it
    const [first] = told.getClientRects(); // a word may go on in the next line
    const { left, width } = first || told.getBoundingClientRect(), { top, bottom } = told.getBoundingClientRect();
    beside(termCard(), { left, width, top, bottom }, told.matches(".sort"));
  }
  /* What a card says comes from a chart: its terms are found by the rule of all others (words/glossary.py), each once. */
  function openTerms(place) {
    const glossary = document.getElementById("glossary"), opened = new Set();
    const keys = new Map([...glossary.children].flatMap((one) => one.dataset.forms.split("|").map((form) => [form, one.dataset.termSays])));
    const texts = [], walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("a, bdi, button")) texts.push(walk.currentNode);
    for (const text of texts) {
      const parts = [];
      let at = 0;
      for (const found of text.data.matchAll(new RegExp(glossary.dataset.finds, "g"))) {
        const key = keys.get(found[1][0].toLowerCase() + found[1].slice(1));
        if (opened.has(key)) continue;
        opened.add(key);
        const term = Object.assign(document.createElement("span"), { className: "term", role: "button", tabIndex: 0, textContent: found[0] });
        term.dataset.term = key;
        parts.push(text.data.slice(at, found.index), term);
        at = found.index + found[0].length;
      }
      text.replaceWith(...parts, text.data.slice(at));
    }
  }
  const termAt = (event) => event.target.closest?.("[data-term]"); // a word, or a table's heading that sorts when it is pressed
  document.addEventListener("mouseover", (event) => {
    const term = termAt(event);
    if (term && term !== told) tell(term, false);
    else if (told && !pinned && !term && !event.target.closest?.("#term-card")) hush();
  });
  document.addEventListener("focusin", (event) => {
    const term = termAt(event);
    if (term?.matches(":focus-visible")) tell(term, true);
    else if (told && !term) hush();
  });
  document.addEventListener("click", (event) => {
    const term = termAt(event);
    if (term && !term.matches(".term")) return undefined;
    if (!term) return event.target.closest?.("#term-card") ? undefined : told && hush();
    if (told === term && pinned) hush();
    else tell(term, true);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.key !== "Enter" && event.key !== " ") || !event.target.matches?.(".term")) return;
    event.preventDefault();
    event.target.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !told) return;
    event.stopPropagation();
    event.preventDefault(); // a card that the term stands in stays
    hush();
  }, true);
  addEventListener("scroll", () => { if (told) (told.isConnected ? besideTerm() : hush()); }, { passive: true });

  /* Before a view is drawn its rows go back to their places, so that each is compared with its own. */
  mirdemo.beforeDrawing = (view) => view.querySelectorAll("table[data-sortable]").forEach((table) => {
    if (sorted.has(table)) table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => a.dataset.liveAt - b.dataset.liveAt));
  });
  mirdemo.afterDrawing = (view) => { if (told && !told.isConnected) hush(); view.querySelectorAll("table[data-sortable]").forEach((table) => {
    [...table.tBodies[0].rows].forEach((row) => delete row.dataset.liveAt);
    if (sorted.has(table)) arrange(table);
  }); };
  mirdemo.card = show;
})();
