// Goes back and forward between days and weeks without a new page, which would lose the open form and its text.

import { day } from "./grid.js";

window.addEventListener("popstate", (event) => {
  event.stopImmediatePropagation();
  const agenda = document.querySelector(".bar nav a");
  if (!day() || !location.pathname.startsWith(agenda.pathname)) return location.reload();
  const address = location.pathname + location.search;
  window.htmx.ajax("GET", address, { source: document.body, target: "#day", swap: "outerHTML" }).catch(() => {});
});
