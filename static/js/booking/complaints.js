// Marks fields with a complaint after the server has answered a field that was left, and shows the end that follows.

import { panel } from "../day/grid.js";

function markInvalid() {
  for (const error of panel.querySelectorAll(".error[id]")) {
    const field = panel.querySelector(`[aria-describedby~="${error.id}"]`);
    if (!field) continue;
    if (error.textContent.trim()) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

document.addEventListener("htmx:afterRequest", () => {
  markInvalid();
  const booking = panel.querySelector("#booking");
  const times = booking?.querySelector("#booking-times");
  if (!times) return;
  if (booking.elements.ends) booking.elements.ends.placeholder = times.dataset.ends;
  if (booking.dataset.minutes === times.dataset.minutes) return;
  booking.dataset.minutes = times.dataset.minutes;
  panel.dispatchEvent(new Event("change"));
});

// The end that follows a moved start, and the card of another payer, must not take away what is being typed there by now.
const TYPED = { ends: "#ends", "booking-plan": "#booking-plan input:not([type=hidden])" };
const sentValues = {};
const valuesOf = (id) => [...panel.querySelectorAll(TYPED[id])].map((field) => field.value).join("\n");

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (!panel.contains(detail.elt)) return;
  for (const id of Object.keys(TYPED)) sentValues[id] = valuesOf(id);
});

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  const { id } = detail.target;
  if (id in TYPED && valuesOf(id) !== sentValues[id]) detail.shouldSwap = false;
});
