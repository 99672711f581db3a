/* Where the focus goes when what has it is gone; and notices, which may have it when they go. */
"use strict";
(() => {
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

  /* What was said in a tab that is left has been read, unless it can be taken back or tells what went wrong elsewhere. */
  function leaveNotice(next) {
    const notice = document.querySelector(".view .notice:not(.ending)");
    if (!notice || notice.querySelector("[data-undo]")) return;
    if (!notice.matches(".refusal") || notice.querySelector(`a[href="#${next}"]`)) takeAway(notice);
  }

  function focusFirst(all, from) {
    const next = all.find(canHaveFocus);
    next?.focus({ preventScroll: true });
    if (from.dataset.back) next?.scrollIntoView({ block: "nearest", behavior: "instant" }); // a long list may have hidden it
  }

  mirdemo.focus = { neighbours, canHaveFocus, restingPlaces, findFocus, focusFirst, takeAway, leaveNotice };
})();
