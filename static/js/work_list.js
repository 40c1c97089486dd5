// Keys on the rows of a list that is worked off, and the focus on the next open row after an act.

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
  let changed = null; // the row that was last acted upon: u undoes that, until the focus is moved by hand
  let isJustChanged = false;

  const moved = () => { isJustChanged = false; };
  document.addEventListener("pointerdown", moved);

  function step(by) {
    moved();
    const list = rows();
    const at = list.indexOf(current());
    list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)]?.focus();
  }

  function press(key) {
    const own = current()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    const last = key === "u" && document.querySelector(`#${changed} [data-key="u"]`);
    const button = isJustChanged ? last || own : own || last;
    if (!button) return false;
    button.click();
    const details = button.closest("details");
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

  // The next open row below the one that was acted upon, else the first one.
  function next(id) {
    const list = rows();
    const isNext = (row) => isOpen(row) && row.id !== id && !isSkipped(row);
    const below = list.slice(list.indexOf(document.getElementById(id)) + 1);
    return below.find(isNext) || list.find(isNext) || list.find(isOpen);
  }

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const { requestConfig, xhr } = detail;
    const row = requestConfig.elt.closest(selector) || requestConfig.elt;
    if (requestConfig.verb !== "post" || isBackground(requestConfig) || !row.matches(selector)) return;
    changed = row.id;
    isJustChanged = true;
    if (detail.target.id !== row.id) return; // the list was drawn anew, which the page follows itself
    const isRefused = xhr.status >= 400;
    const isOpenAgain = isOpen(document.getElementById(row.id)) && requestConfig.path.endsWith("/desfazer/");
    const focused = isRefused || isOpenAgain ? document.getElementById(row.id) : next(row.id);
    (focused || document.getElementById(head)).focus();
  });

  return rows;
}
