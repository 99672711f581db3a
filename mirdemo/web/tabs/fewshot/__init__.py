"""The few-shot tab's inside: the map (``placing``, ``labels``), what takes a moment (``studies``), charts, words, what is taken home."""
