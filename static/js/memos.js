// Recados: keys on its rows, and the focus where it was when the list is drawn anew.

import { workOff } from "./work_list.js";

workOff(".memo-row", "memos-head");
let focused = ""; // the id of the row in focus, of a list that is about to be replaced

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "poll" && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "memos") focused = document.activeElement.closest(".memo-row")?.id || "";
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "memos" || !focused) return;
  (document.getElementById(focused) || document.getElementById("memos-head")).focus({ preventScroll: true });
});

document.getElementById(location.hash.slice(1))?.focus();
