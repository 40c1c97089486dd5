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

// The end that follows a moved start must not take away what is being typed there by now.
let sentEnd = "";

document.addEventListener("htmx:beforeRequest", () => {
  sentEnd = panel.querySelector("#ends")?.value;
});

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id === "ends" && detail.target.value !== sentEnd) detail.shouldSwap = false;
});
