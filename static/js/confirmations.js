// Confirmações: the focus on who is to be called, who is calling, and the list as others change it.

import { keepPlace } from "./polled_list.js";
import { workOff } from "./work_list.js";

// Who opens the page only looks at it; who presses a key or a button works. Before the keys move the focus.
let isWorking = false;
for (const act of ["keydown", "pointerdown"]) {
  document.addEventListener(act, () => { isWorking = true; }, { capture: true, once: true });
}

const REST_MS = 1000; // so long the focus is on a row before its patient is being called
const isSkipped = ({ dataset }) => "caller" in dataset || "unanswered" in dataset;
const work = workOff(".confirmation-row", "confirmations-head", isSkipped);
const isOpen = (row) => !row.classList.contains("done");

let rest = null;
let noted = ""; // the row whose call was noted last
let calledFrom = ""; // the row that had the focus, itself or by what is in it, when the answer to its call came

// An act says what became of the patient: meanwhile no call is noted, and nothing drawn anew.
const isActedOn = (row) => row.matches(".htmx-request, :has(.htmx-request)");

function noteCall(row) {
  if (!row?.isConnected || row.id === noted || isActedOn(row) || !row.dataset.calling || "caller" in row.dataset) return;
  noted = row.id;
  const headers = { "X-Background": "1" };
  const values = Object.fromEntries(["day", "seen"].map((name) => [name, row.querySelector(`[name=${name}]`).value]));
  // Not by the row itself: an act on it would be dropped while this is under way.
  window.htmx.ajax("POST", row.dataset.calling, { source: document.body, target: row, swap: "outerHTML", headers, values }).catch(() => {});
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.pathInfo.requestPath.endsWith("/ligando/")) return;
  if (detail.xhr.status >= 400) noted = ""; // the row is shown as it is now, to be called then
  // What is typed in the row stays, as it does when the list is drawn anew.
  if (isActedOn(detail.target) || detail.target.querySelector("details[open]")) detail.shouldSwap = false;
  calledFrom = detail.target.contains(document.activeElement) ? detail.target.id : "";
});
document.addEventListener("htmx:afterSwap", () => {
  if (calledFrom && document.activeElement === document.body) document.getElementById(calledFrom)?.focus({ preventScroll: true });
  calledFrom = "";
});

document.addEventListener("focusin", ({ target }) => {
  clearTimeout(rest);
  const row = target.closest(".confirmation-row");
  if (row && isWorking) rest = setTimeout(() => noteCall(row), REST_MS);
});

document.addEventListener("click", ({ target }) => {
  const link = target.closest(".confirmation-row a:is([href^='tel:'], [data-key=w])");
  if (link) noteCall(link.closest(".confirmation-row"));
});

keepPlace("confirmations", ".confirmation-row", "confirmations-head", work);

const begun = document.getElementById(location.hash.slice(1));
(begun && isOpen(begun) ? begun : work.next("", []))?.focus();
