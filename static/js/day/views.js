// On the day s opens the week of the doctor in focus, on the week d the date in focus: where the column's head leads.

import { areSingleKeysOn } from "./acts.js";
import { columnHead, daysShown, numberIn } from "./grid.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== (daysShown() > 1 ? "d" : "s") || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const cell = areSingleKeysOn() && event.target.closest?.("#day :is(.appt, .slot)");
  if (!cell) return;
  event.preventDefault();
  openPeriod(columnHead(numberIn(cell, "col")).querySelector("a"));
}, true);

// Without a new page, which would lose the open form and its text.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#day .doctor > b > a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  openPeriod(link);
});

function openPeriod(link) {
  const source = document.getElementById(daysShown() > 1 ? "view-day" : "view-week");
  window.htmx.ajax("GET", link.getAttribute("href"), { source, target: "#day", swap: "outerHTML" }).catch(() => {});
}
