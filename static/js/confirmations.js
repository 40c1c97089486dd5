// Confirmações: the focus on who is to be called, who is calling, and the list as others change it.

import { workOff } from "./work_list.js";

const REST_MS = 1000; // so long the focus is on a row before its patient is being called
const list = () => document.getElementById("confirmations");
const rows = workOff(".confirmation-row", "confirmations-head", (row) => "caller" in row.dataset);
const isOpen = (row) => !row.classList.contains("done");

// Whoever opens the page only looks at it; who presses a key or a button works.
let isWorking = false;
for (const act of ["keydown", "pointerdown"]) {
  document.addEventListener(act, () => { isWorking = true; }, { capture: true, once: true });
}

let rest = null;
let noted = ""; // the row whose call was noted last

function noteCall(row) {
  if (!row?.isConnected || row.id === noted || !row.dataset.calling || "caller" in row.dataset) return;
  noted = row.id;
  const headers = { "X-Background": "1" };
  const values = { day: row.querySelector("[name=day]").value };
  // Not by the row itself: an act on it would be dropped while this is under way.
  window.htmx.ajax("POST", row.dataset.calling, { source: document.body, target: row, swap: "outerHTML", headers, values }).catch(() => {});
}

document.addEventListener("focusin", ({ target }) => {
  clearTimeout(rest);
  const row = target.closest(".confirmation-row");
  if (row && isWorking) rest = setTimeout(() => noteCall(row), REST_MS);
});

document.addEventListener("click", ({ target }) => {
  const link = target.closest(".confirmation-row a:is([href^='tel:'], [data-key=w])");
  if (link) noteCall(link.closest(".confirmation-row"));
});

// An act during a refresh is not in its answer, which is then left out: the next one has it.
let sent = 0; // acts
let answered = 0;
let sentBefore = 0; // the refresh that is under way

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.requestConfig.verb !== "post") return;
  sent += 1;
  detail.xhr.addEventListener("loadend", () => { answered += 1; });
});

// Nothing is drawn anew under a hand that types an hour or a reason.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id !== "poll") return;
  if (document.hidden || answered < sent || list().querySelector("details[open]")) event.preventDefault();
  sentBefore = sent;
});

let focus = null; // of the list that is about to be replaced
const topOf = (row) => row.getBoundingClientRect().top;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== list() || !detail.shouldSwap) return;
  if (sentBefore !== sent) {
    detail.shouldSwap = false;
    return;
  }
  const row = document.activeElement.closest(".confirmation-row");
  const key = document.activeElement.dataset.key;
  focus = row && { row: row.id, selector: `#${row.id}${key ? ` [data-key="${key}"]` : ""}`, top: topOf(row) };
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "confirmations" || !focus) return;
  const again = document.querySelector(focus.selector) || document.getElementById(focus.row) || rows().find(isOpen);
  (again || document.getElementById("confirmations-head")).focus({ preventScroll: true });
  // Rows that are done have left their places above: the one in focus stays where it is seen.
  if (again) scrollBy(0, topOf(again.closest(".confirmation-row")) - focus.top);
  focus = null;
});

const begun = document.getElementById(location.hash.slice(1));
(begun && isOpen(begun) ? begun : rows().find((row) => isOpen(row) && !("caller" in row.dataset)))?.focus();
