// Shows that an answer is due as soon as it takes longer than a moment, and which part of the page it will change.

import { isBackground } from "./trouble.js";

const MOMENT_MS = 100; // an answer that comes sooner would make the sign flicker

const due = new Map(); // by request: the part of the page that the answer changes, and what was pressed for it
let timer = null;

const pressed = ({ elt, triggeringEvent }) => triggeringEvent?.submitter || (elt.matches("a, button") ? elt : null);

function showWaiting() {
  document.body.classList.add("waiting");
  for (const { asker } of due.values()) asker?.setAttribute("data-waiting", "");
}

function hideWaiting() {
  clearTimeout(timer);
  timer = null;
  document.body.classList.remove("waiting");
}

function answered(request) {
  const { part, asker } = due.get(request);
  due.delete(request);
  asker?.removeAttribute("data-waiting");
  if (![...due.values()].some((other) => other.part === part)) part.ariaBusy = null;
  if (!due.size) hideWaiting();
}

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (isBackground(detail)) return;
  due.set(detail.xhr, { part: detail.target, asker: pressed(detail.requestConfig) });
  detail.target.ariaBusy = "true";
  if (document.body.classList.contains("waiting")) showWaiting();
  else timer ??= setTimeout(showWaiting, MOMENT_MS);
  // htmx sends its own events to an element that may be in no page by then.
  detail.xhr.addEventListener("loadend", () => answered(detail.xhr));
});
