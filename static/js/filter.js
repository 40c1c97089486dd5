// Closes an open list, such as the day's filter, by a key or by a click beside it.

import { panel } from "./elements.js";

const OPEN = "details:is(.filter, .more-pages)[open]";

// Closes the list with the focus, or one that is open, outside the panel; says whether there was one.
export function closeList() {
  const list = document.activeElement.closest("details[open]") || document.querySelector(OPEN);
  if (!list || panel.contains(list)) return false;
  list.open = false;
  list.querySelector("summary").focus();
  return true;
}

document.addEventListener("click", ({ target }) => {
  for (const list of document.querySelectorAll(OPEN)) {
    if (!list.contains(target) && target.isConnected) list.open = false;
  }
});
