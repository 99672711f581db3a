/* What is clicked, typed and chosen becomes an act: its name and fields stand at the element (data-act, data-*). */
"use strict";
(() => {
  const said = (element) => ({ ...element.dataset });

  /* The second half of a double click says nothing that the first has not said, and stops nothing that the first began; only what
     takes back may be meant twice. */
  let pressed = "";
  function saysAgain(event, button) {
    const before = pressed;
    pressed = JSON.stringify(said(button));
    return event.detail === 2 && (button.dataset.act === "page.stop" || (pressed === before && !button.dataset.act.endsWith("undo")));
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const link = target.closest('a[href^="#"]'); // the page's <base> would make it leave the page
    if (link) {
      event.preventDefault();
      mirdemo.go(link.hash.slice(1));
      return;
    }
    const tab = target.closest('[role="tab"]');
    if (tab) {
      mirdemo.go(tab.dataset.tab);
      return;
    }
    if (target.closest("[data-dismiss]")) return mirdemo.focus.takeAway(target.closest(".notice"));
    const button = target.closest("button[data-act]");
    if (button && button.closest("summary")) event.preventDefault(); // the button, not the fold around it
    if (button && !button.disabled && !saysAgain(event, button)) {
      const { moment } = button.dataset; // asks about what one hears of this sound
      mirdemo.act(moment === undefined ? said(button) : { ...said(button), moment: "true", at: mirdemo.playing() === moment ? String(mirdemo.sound.currentTime) : "" });
      if (button.dataset.goes) mirdemo.go(button.dataset.goes, true); // where its answer will be
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("select[data-act]:not([data-resends]), input[type=radio][data-act]")) mirdemo.act({ ...said(field), value: field.value });
    else if (field.matches("input[type=checkbox][data-act]")) tickBox(field);
    else if (field.matches("input[type=range][data-act]")) mirdemo.act({ ...said(field), value: field.value });
    else if (field.matches("input[type=text][data-act]")) leaveField(field);
  });

  /* Ticked with the shift key held: all from the one ticked before. */
  let shifted = false;
  let ticked = null;
  document.addEventListener("click", (event) => { shifted = event.shiftKey; }, true);
  document.addEventListener("keydown", (event) => { shifted = event.shiftKey; }, true);
  function tickBox(field) {
    const message = { ...said(field), value: String(field.checked) };
    const { range, clip } = field.dataset;
    if (range && shifted && ticked && ticked !== clip) mirdemo.act({ ...message, act: range, from: ticked });
    else mirdemo.act(message);
    if (range) ticked = clip;
  }

  /* Clips are ticked: what is typed next is their tag. */
  document.addEventListener("keydown", (event) => {
    const place = document.querySelector(".is-open [data-typed-here]");
    const elsewhere = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], .long");
    if (!place || elsewhere || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    place.focus(); // the key itself arrives there
  });
  document.addEventListener("keydown", (event) => {
    const undo = document.querySelector("[data-undo]");
    if (!undo || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    if (event.target.matches("input:not([type=checkbox])") && event.target.value) return; // its own undo
    event.preventDefault();
    undo.click();
  });

  function leaveField(field) {
    const value = field.value.trim();
    if (field.hasAttribute("data-clears")) {
      if (!value) return;
      field.value = "";
    } else if (value === field.defaultValue) return;
    const turn = mirdemo.act({ ...said(field), value });
    if (!field.hasAttribute("data-clears")) typed.set(field, [value, turn]);
  }

  /* Once it is answered, a field has what counts: what was refused, or left empty, does not stay there as if it did. */
  const typed = new Map(); // field -> what was said, and in which turn
  mirdemo.answered = (turn) => {
    for (const [field, [value, at]] of typed) {
      if (at > turn) continue;
      typed.delete(field);
      if (field.value.trim() === value) field.value = field.defaultValue;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-act]")) return;
    event.preventDefault();
    mirdemo.act({ ...said(form), ...Object.fromEntries(new FormData(form)) });
    for (const secret of form.querySelectorAll("input[type=password]")) secret.value = "";
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof Element) || event.isComposing) return; // Enter ends a Japanese conversion first
    if (field.matches("input[type=text][data-act]")) {
      if (event.key === "Enter" || (event.key === "," && field.hasAttribute("data-clears"))) {
        event.preventDefault();
        leaveField(field);
      } else if (event.key === "Escape") {
        field.value = field.defaultValue;
      } else if (event.key === "Backspace" && !field.value && field.hasAttribute("data-clears")) {
        const chips = field.closest(".chips").querySelectorAll(".chip button[data-act]");
        if (chips.length) mirdemo.act(said(chips[chips.length - 1]));
      }
    } else if (field.matches("[role=tab]") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const tabs = [...field.parentElement.querySelectorAll("[role=tab]")];
      const step = event.key === "ArrowRight" ? 1 : -1;
      const next = tabs[(tabs.indexOf(field) + step + tabs.length) % tabs.length];
      next.focus();
      mirdemo.go(next.dataset.tab);
    }
  });
})();
