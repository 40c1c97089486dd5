// A list that is drawn anew every few seconds: focus and place stay, nothing that is typed is lost, changes are announced.

import { isActSentSince, isActUnderWay, refreshBegins } from "./own_acts.js";

// The list has the id `id`, its rows match `selector`, and the focus goes to the id `head` where no row is open; `work` is
// what `workOff` has returned for it. What a refresh has changed is announced once, in #list-changed, which the list does
// not hold.
export function keepPlace(id, selector, head, work) {
  const list = () => document.getElementById(id);
  const isOpen = (row) => !row.classList.contains("done");
  const topOf = (row) => row.getBoundingClientRect().top;
  const summary = () => list().querySelector("[data-summary]")?.textContent.trim() || "";

  // One in a row is not once the focus has left the row, unless something was typed there.
  const isInUse = (details) => {
    const row = details.closest(selector);
    const isTyped = [...details.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
    return row === null || row.contains(document.activeElement) || isTyped;
  };

  // Nothing is drawn anew under a hand that types.
  const isTypedIn = () => {
    const field = document.activeElement;
    const isChanged = list().contains(field) && field.value !== field.defaultValue;
    return [...list().querySelectorAll("details[open]")].some(isInUse) || (isChanged && field.defaultValue !== undefined);
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id !== "poll") return;
    if (document.hidden || isActUnderWay() || isTypedIn()) event.preventDefault();
    refreshBegins();
  });

  let focus = null; // of the list that is about to be replaced
  let shown = ""; // the summary of that list
  let kept = []; // what acts have answered that the list itself does not show, with the ids of its rows

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target !== list() || !detail.shouldSwap) return;
    if (isActSentSince() || isTypedIn()) { // the next answer has the act
      detail.shouldSwap = false;
      return;
    }
    shown = summary();
    kept = [...list().querySelectorAll("[data-kept]")].map((node) => ({ node, row: node.closest(selector).id }));
    const row = document.activeElement.closest(selector);
    const key = document.activeElement.dataset.key;
    focus = row && {
      row: row.id,
      isOpen: isOpen(row),
      below: work.idsBelow(row.id),
      selector: `#${row.id}${key ? ` [data-key="${key}"]` : ""}`,
      top: topOf(row),
    };
  });

  // What a colleague has done meanwhile, or what is gone, passes the focus on.
  function rowAgain() {
    const same = document.getElementById(focus.row);
    if (!same || (focus.isOpen && !isOpen(same))) return work.next(focus.row, focus.below);
    return document.querySelector(focus.selector) || same;
  }

  // Until the swap has settled, the new rows have the classes of the old ones.
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id !== id) return;
    for (const { node, row } of kept) list().querySelector(`#${row}.done form`)?.append(node);
    kept = [];
    const changed = document.getElementById("list-changed");
    if (changed && summary() !== shown) changed.textContent = `${changed.dataset.updated} ${summary()}`;
    if (!focus) return;
    const again = rowAgain();
    (again || document.getElementById(head)).focus({ preventScroll: true });
    // Rows that are done have left their places above: the one in focus stays where it is seen.
    if (again) scrollBy(0, topOf(again.closest(selector)) - focus.top);
    focus = null;
  });
}
