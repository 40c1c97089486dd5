// Narrows a long list of doctors in the day's filter to those whose names have words that begin as the typed ones.

import { day } from "./grid.js";

const field = () => document.getElementById("filter-find");
const words = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
const labels = () => [...day().querySelectorAll("#filter-doctors > label")];

function isFound(label) {
  const names = words(label.textContent);
  return words(field().value).every((typed) => names.some((name) => name.startsWith(typed)));
}

// Those that are chosen stay in sight.
function narrow() {
  const found = labels().filter(isFound);
  for (const label of labels()) label.hidden = !found.includes(label) && !label.control.checked;
  const status = field().nextElementSibling;
  status.textContent = found.length ? "" : status.dataset.nobody;
}

export const typedName = () => field()?.value || "";

export function typeName(text) {
  if (!field() || !text) return;
  field().value = text;
  narrow();
}

document.addEventListener("input", ({ target }) => target === field() && narrow());

// The filter listens for changes: a typed name chooses nobody yet.
document.addEventListener("change", (event) => event.target === field() && event.stopPropagation(), true);

const KEYS_OF_FIELD = {
  Escape: () => {
    if (!field().value) return false;
    field().value = "";
    narrow();
    return true;
  },
  // One who is found alone is chosen; of several the first is in focus.
  Enter: () => {
    const found = labels().filter(isFound);
    if (found.length === 1 && field().value) found[0].control.click();
    else found[0]?.control.focus();
    return true;
  },
  ArrowDown: () => {
    labels().find((label) => !label.hidden)?.control.focus();
    return true;
  },
};

// Before the key that closes the filter, and before the form is sent.
document.addEventListener("keydown", (event) => {
  if (event.target !== field() || !field() || event.isComposing || !KEYS_OF_FIELD[event.key]?.()) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

document.addEventListener("click", ({ target }) => {
  const summary = target.closest("#filter > summary");
  if (summary && !summary.parentElement.open && matchMedia("(hover: hover)").matches) setTimeout(() => field()?.focus());
});
