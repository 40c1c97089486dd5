// While an appointment is being moved, the free times of doctors who do not perform its procedures are no links.

import { keepOneStop } from "./arrows.js";
import { day, form, numberIn } from "./grid.js";

const slots = () => [...(day()?.querySelectorAll(".slot > a") || [])];

// The doctors that the form of the move lists as unable, each with the reason.
function unable() {
  const options = form()?.querySelectorAll("#doctor [data-reason]") || [];
  return new Map([...options].map((option) => [option.value, option.dataset.reason]));
}

export function markUnable() {
  const reasons = unable();
  const columns = new Map();
  for (const head of day()?.querySelectorAll(".doctor") || []) {
    const reason = reasons.get(head.dataset.doctor);
    if (reason) columns.set(numberIn(head, "col"), reason);
  }
  let isChanged = false;
  for (const link of slots()) {
    const reason = columns.get(numberIn(link.parentElement, "col"));
    isChanged ||= Boolean(reason) !== Boolean(link.dataset.address);
    if (reason) takeAway(link, reason);
    else if (link.dataset.address) giveBack(link);
  }
  if (isChanged) keepOneStop();
}

function takeAway(link, reason) {
  if (!link.dataset.address) {
    Object.assign(link.dataset, { address: link.getAttribute("href"), label: link.ariaLabel, fits: link.title });
    if (document.activeElement === link) document.getElementById("scroll")?.focus({ preventScroll: true });
    link.removeAttribute("href");
    link.removeAttribute("tabindex");
    link.role = "link";
    link.ariaDisabled = "true";
  }
  link.title = reason;
  link.ariaLabel = `${link.textContent}: ${reason}`;
}

function giveBack(link) {
  const { address, label, fits } = link.dataset;
  link.setAttribute("href", address);
  link.ariaLabel = label;
  link.title = fits;
  link.role = link.ariaDisabled = null;
  for (const name of ["address", "label", "fits"]) delete link.dataset[name];
}
