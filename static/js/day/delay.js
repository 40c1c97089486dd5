// The form for a doctor who is late, filled in for the column whose button opens it; a key for a doctor who is away.

import { areSingleKeysOn } from "./acts.js";
import { day, numberIn } from "./grid.js";

const delay = document.getElementById("delay");
let opener = ""; // the id of the button, which is drawn anew with the day

// As “12:30 15:45”: the ids of the doctors who are late, and by how many minutes.
const shownDelays = () =>
  [...day().querySelectorAll(".doctor[data-delay]")].map(({ dataset }) => `${dataset.doctor}:${dataset.delay}`).join(" ");

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[popovertarget=delay]");
  if (!button) return;
  const column = button.closest(".doctor");
  opener = button.id;
  for (const former of document.querySelectorAll(".late.opener")) former.classList.remove("opener");
  delay.querySelector("#delay-error").textContent = "";
  delay.elements.minutes.removeAttribute("aria-invalid");
  delay.elements.doctor.value = column.dataset.doctor;
  delay.elements.day.value = day().dataset.date;
  delay.elements.minutes.value = column.dataset.delay || 30;
  delay.elements.seen.value = shownDelays();
});

delay?.elements.minutes.addEventListener("focus", ({ target }) => target.select());

// The form stays where it was, beside the button in its place.
document.addEventListener("htmx:afterSettle", () => {
  if (delay?.matches(":popover-open")) document.getElementById(opener)?.classList.add("opener");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const isRecorded = detail.xhr.status === 200 && !detail.xhr.getResponseHeader("HX-Redirect");
  if (detail.requestConfig.elt !== delay) return;
  if (isRecorded) delay.hidePopover();
  else delay.elements.minutes.setAttribute("aria-invalid", "true");
});

document.addEventListener("keydown", (event) => {
  const cell = event.key === "a" && event.target.closest?.(".appt, .slot, .doctor");
  if (!cell || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !areSingleKeysOn()) return;
  const link = day().querySelector(`.doctor.col-${numberIn(cell, "col")} > a.away`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
