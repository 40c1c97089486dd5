// Closes an open list, such as the day's filter, by a key or by a click beside it.

import { panel } from "./elements.js";

// Closes the list with the focus, or the filter, outside the panel; says whether there was one.
export function closeList() {
  const list = document.activeElement.closest("details[open]") || document.querySelector("details.filter[open]");
  if (!list || panel.contains(list)) return false;
  list.open = false;
  list.querySelector("summary").focus();
  return true;
}

document.addEventListener("click", ({ target }) => {
  const filter = document.querySelector("details.filter[open]");
  if (filter && !filter.contains(target) && target.isConnected) filter.open = false;
});
