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

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (isBackground(detail)) return;
  due.set(detail.xhr, { part: detail.target, asker: pressed(detail.requestConfig) });
  detail.target.ariaBusy = "true";
  if (document.body.classList.contains("waiting")) showWaiting();
  else timer ??= setTimeout(showWaiting, MOMENT_MS);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const request = due.get(detail.xhr);
  if (!request) return;
  due.delete(detail.xhr);
  request.asker?.removeAttribute("data-waiting");
  if (![...due.values()].some(({ part }) => part === request.part)) request.part.ariaBusy = null;
  if (!due.size) hideWaiting();
});
