// Pendências: keys on a pending appointment, and the focus on the next one after an act.

import { isActSentSince, isActUnderWay, refreshBegins } from "./own_acts.js";
import { workOff } from "./work_list.js";

const { rows } = workOff(".pending-row", "pending-head");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id !== "poll") return;
  if (document.hidden || isActUnderWay()) event.preventDefault();
  refreshBegins();
});
// Its answer would draw the row anew that the act is to change, and the act's own answer would have no place.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.id === "poll" && isActSentSince()) detail.shouldSwap = false;
});

// htmx keeps the focus on a row that is swapped, not on a button in it.
let focused = "";
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.matches(".pending-row") && detail.target.contains(document.activeElement)) focused = detail.target.id;
});
document.addEventListener("htmx:oobAfterSwap", () => {
  document.getElementById(focused)?.focus({ preventScroll: true });
  focused = "";
});

// On opening, no row has the focus unless the address names one: who presses n for a new appointment means none of them.
rows().find((row) => row.id === location.hash.slice(1))?.focus();
