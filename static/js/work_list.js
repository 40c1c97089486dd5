// Keys on the rows of a list that is worked off, and the focus on the next open row after an act.

import { keepRefusals } from "./kept_refusals.js";

// As static/js/keys.js has it.
const areSingleKeysOn = () => !document.documentElement.hasAttribute("data-no-single-keys");
const isBackground = (requestConfig) => Boolean(requestConfig.headers["X-Background"]);
const isTyping = ({ target }) => target.closest("input, textarea, select, [contenteditable]");

// Rows match `selector` and are `.done` once nothing is left to do; the focus passes over those that are `skipped`. It goes
// to the element with the id `head` where no row is open.
export function workOff(selector, head, isSkipped = () => false) {
  const rows = () => [...document.querySelectorAll(selector)].filter((row) => row.checkVisibility());
  const isOpen = (row) => !row.classList.contains("done");
  const current = () => document.activeElement.closest(selector);
  let lastAct = null; // one's own: its row's id, and the act that the row's button undoes
  let isJustChanged = false; // u undoes that act and no other, until the focus is moved by hand

  keepRefusals(selector);

  const moved = () => { isJustChanged = false; };
  document.addEventListener("pointerdown", moved);

  function step(by) {
    moved();
    const list = rows();
    const at = list.indexOf(current());
    list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)]?.focus();
  }

  const undoIn = (id) => document.querySelector(`#${id} [data-key="u"]`);

  // What the button undoes after an act on a row, which is given as it was before. Nothing where it undoes an earlier act,
  // since a call to the room, for one, is not undone.
  function undoOfAct(row) {
    const undoes = undoIn(row.id)?.value;
    return undoes === row.querySelector('[data-key="u"]')?.value ? undefined : undoes;
  }

  // Nothing once a colleague has acted upon the row too.
  function undoOfLastAct() {
    const button = lastAct && undoIn(lastAct.row);
    return button?.value === lastAct?.undoes ? button : null;
  }

  function buttonOf(key) {
    const own = current()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (key !== "u") return own;
    return isJustChanged ? undoOfLastAct() : own || undoOfLastAct();
  }

  function press(key) {
    const button = buttonOf(key);
    if (!button) return false;
    const details = button.matches("summary") ? button.parentElement : null;
    // One that came back open with what was typed is not closed by its key.
    if (!details?.open || details.contains(document.activeElement)) button.click();
    if (details?.open) details.querySelector("input:not([type=hidden]), button")?.focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !areSingleKeysOn()) return;
    if (isTyping(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
    else if (event.repeat || !press(event.key)) return;
    event.preventDefault();
  }, true); // before the keys that every page has

  function idsBelow(id) {
    const ids = rows().map((row) => row.id);
    return ids.slice(ids.indexOf(id) + 1);
  }

  // The next open row after the one with the id `id`: of those that stood below it, else the first one.
  function next(id, below) {
    const list = rows();
    const isNext = (row) => row && isOpen(row) && row.id !== id && !isSkipped(row);
    return below.map((other) => document.getElementById(other)).find(isNext) || list.find(isNext) || list.find(isOpen);
  }

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const { requestConfig, xhr } = detail;
    const row = requestConfig.elt.closest(selector) || requestConfig.elt;
    if (requestConfig.verb !== "post" || isBackground(requestConfig) || !row.matches(selector)) return;
    const isRefused = xhr.status >= 400;
    if (!isRefused) lastAct = { row: row.id, undoes: undoOfAct(row) };
    isJustChanged = true;
    if (detail.target.id !== row.id) return; // the list was drawn anew, which the page follows itself
    const isOpenAgain = isOpen(document.getElementById(row.id)) && requestConfig.path.endsWith("/desfazer/");
    const focused = isRefused || isOpenAgain ? document.getElementById(row.id) : next(row.id, idsBelow(row.id));
    (focused || document.getElementById(head)).focus();
  });

  return { rows, idsBelow, next };
}
