// Goes back and forward between days without a new page, which would lose the open form and its text.

window.addEventListener("popstate", (event) => {
  event.stopImmediatePropagation();
  const home = document.getElementById("day-today");
  if (!home || !location.pathname.startsWith(home.pathname)) return location.reload();
  const address = location.pathname + location.search;
  window.htmx.ajax("GET", address, { source: document.body, target: "#day", swap: "outerHTML" }).catch(() => {});
});
