// Keys on a pending appointment, and the focus on the next one after an act.

const rows = () => [...document.querySelectorAll(".pending-row")].filter((row) => row.checkVisibility());
const open = () => rows().filter((row) => !row.classList.contains("done"));
const areSingleKeysOn = () => document.getElementById("keys-single")?.checked ?? true;
const current = () => document.activeElement.closest(".pending-row");

let changed = null; // the row that was last acted upon, for undoing

function step(by) {
  const list = rows();
  const at = list.indexOf(current());
  list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)]?.focus();
}

function press(key) {
  const own = current()?.querySelector(`[data-key="${key}"]`);
  const button = own || (key === "u" && document.querySelector(`#${changed} [data-key="u"]`));
  if (!button) return false;
  button.click();
  if (key === "x") current().querySelector("details[open] button")?.focus();
  return true;
}

const isTyping = ({ target }) => target.closest("input, textarea, select, [contenteditable]");

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
  const below = list.slice(list.indexOf(document.getElementById(id)) + 1);
  return below.find((row) => !row.classList.contains("done")) || open()[0];
}

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const { requestConfig, xhr } = detail;
  const row = requestConfig.elt.closest(".pending-row") || requestConfig.elt;
  if (requestConfig.verb !== "post" || !row.id?.startsWith("p") || detail.target.id !== row.id) return;
  changed = row.id;
  const isRefused = xhr.status === 409;
  const isOpenAgain = !document.getElementById(row.id)?.classList.contains("done") && requestConfig.path.endsWith("/desfazer/");
  const focused = isRefused || isOpenAgain ? document.getElementById(row.id) : next(row.id);
  (focused || document.getElementById("pending-head")).focus();
});
