// Gives the focus to the first button of a question that opens before an act.

document.addEventListener("toggle", ({ target, newState }) => {
  if (target.matches?.(".confirm") && newState === "open") target.querySelector("button")?.focus();
}, true);
