// Moves the focus to where the work goes on after an answer, and the free times it offers into sight.

import { panel } from "../day/grid.js";

// The button that was pressed is often gone now; a field that has the focus by now keeps it.
document.addEventListener("panel-focus", ({ detail }) => {
  const isLost = document.activeElement === document.body || document.activeElement.matches("#panel button");
  const field = isLost && document.getElementById(detail.id);
  if (!field) return;
  field.closest("details")?.setAttribute("open", "");
  field.focus();
});

// A refused time: the free ones must be in sight, even in a low window.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target === panel) panel.querySelector("#booking-times[data-alternatives]")?.scrollIntoView({ block: "nearest" });
});
