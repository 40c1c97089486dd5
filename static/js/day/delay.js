// The form for a doctor who is late, filled in for the column whose button opens it; a key for a doctor who is away.

import { areSingleKeysOn } from "./acts.js";
import { day, numberIn } from "./grid.js";

const delay = document.getElementById("delay");

document.addEventListener("click", ({ target }) => {
  const column = target.closest("[popovertarget=delay]")?.closest(".doctor");
  if (!column) return;
  delay.elements.doctor.value = column.dataset.doctor;
  delay.elements.day.value = day().dataset.date;
  delay.elements.minutes.value = column.dataset.delay || 30;
});

delay?.elements.minutes.addEventListener("focus", ({ target }) => target.select());

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.elt === delay && detail.successful) delay.hidePopover();
});

document.addEventListener("keydown", (event) => {
  const cell = event.key === "a" && event.target.closest?.(".appt, .slot, .doctor");
  if (!cell || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !areSingleKeysOn()) return;
  const link = day().querySelector(`.doctor.col-${numberIn(cell, "col")} > a.away`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
