// Confirmações: the focus on who is to be called, who is calling, and the list as others change it.

import { keepPlace } from "./polled_list.js";
import { workOff } from "./work_list.js";

// Whoever opens the page only looks at it; who presses a key or a button works. Before the keys move the focus.
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

function noteCall(row) {
  if (!row?.isConnected || row.id === noted || !row.dataset.calling || "caller" in row.dataset) return;
  noted = row.id;
  const headers = { "X-Background": "1" };
  const values = Object.fromEntries(["day", "seen"].map((name) => [name, row.querySelector(`[name=${name}]`).value]));
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

keepPlace("confirmations", ".confirmation-row", "confirmations-head", work);

const begun = document.getElementById(location.hash.slice(1));
(begun && isOpen(begun) ? begun : work.next("", []))?.focus();
