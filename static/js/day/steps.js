// Counts quick presses of the arrows to the day, or the week, before and after: each goes one further, also while one is being fetched.

import { day, daysShown } from "./grid.js";

let asked = null; // the date that was asked for last

const moved = (iso, days) => new Date(Date.parse(`${iso}T00:00Z`) + days * 86400000).toISOString().slice(0, 10);

document.addEventListener("click", (event) => {
  const link = event.target.closest("#day-previous, #day-next");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  const shown = day().dataset.date;
  const target = moved(asked || shown, (link.id === "day-next" ? 1 : -1) * daysShown());
  const address = link.getAttribute("href").replace(/\d{4}-\d\d-\d\d/, target);
  asked = target;
  window.htmx
    .ajax("GET", address, { source: link, target: "#day", swap: "outerHTML" })
    .catch(() => {})
    .finally(() => { if (asked === target) asked = null; });
}, true);
