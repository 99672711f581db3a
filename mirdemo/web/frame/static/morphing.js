/* Drawing: the old nodes are made equal to the new ones, so that focus, typing and sound survive. */
"use strict";
(() => {
  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || null : null);

  function morph(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    const visitors = (name) => name.startsWith("data-live") || (name === "open" && old.tagName === "DETAILS"); // their own doing
    const plotlys = (name) => old.hasAttribute("data-chart") && (name === "class" || name === "style") // plotly.js sees to them
      || old.hasAttribute("data-keeps") && name === "style"; // room.js does
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
    const drop = () => {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    };
    for (const next of [...fresh.childNodes]) {
      // a text that comes or goes (the space behind a full stop) does not put each element behind it in the place of the one before
      while (next.nodeType === 1 && place && place.nodeType !== 1) drop();
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
    while (place) drop();
  }

  Object.assign(mirdemo, { keyOf, morphChildren });
})();
