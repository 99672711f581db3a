/* A figure in its place, on the page and in a report: as wide as it is told, and where that is narrow with its changes for a phone. */
"use strict";
window.mirdemoFigures = (() => {
  const NARROW = 560; // CSS pixels

  function merge(into, from) {
    for (const [key, value] of Object.entries(from)) {
      if (value && typeof value === "object" && !Array.isArray(value) && into[key]) merge(into[key], value);
      else into[key] = value;
    }
  }

  const overhangs = (place) => {
    const edge = place.getBoundingClientRect();
    return [...place.querySelectorAll("svg text")].map((text) => text.getBoundingClientRect())
      .some(({ left, right, width }) => width && (left < edge.left - 2 || right > edge.right + 2));
  };

  /* Where a word would be cut off at the edge, as on a phone, too. Drawn at once, as far as Plotly does: paper does not wait. */
  function lay(place, figure, wide, tallest = Infinity) {
    for (let slim = wide < NARROW; ; slim = true) {
      const { data, layout, narrow = {} } = JSON.parse(figure);
      const { traces = {}, ...rest } = slim ? narrow : {};
      merge(layout, rest);
      for (const [at, change] of Object.entries(traces)) merge(data[at], change);
      if (layout.height) place.style.height = `${layout.height = Math.min(layout.height, tallest)}px`;
      const done = window.Plotly.react(place, data, { ...layout, width: wide }, { displayModeBar: false });
      if (slim || !Object.keys(narrow).length || !overhangs(place)) return done;
    }
  }

  return { lay };
})();
