// A failed request shows a message with a way to try again, and leaves the page as it is.

import { clearNotice, leadsToSignIn, place, showNotice } from "./notice.js";
import { isSent, reopenFormOf } from "./unsaved.js";

const QUIET_FAILURES = 1; // of the page's own refreshing; it tries again by itself
let failures = 0;
const ANY = "any answer"; // the key of what the next answer ends, whatever it is to
const unanswered = new Map(); // failed requests by method and address: how each is sent again, and where its answer belongs

export const isBackground = (detail) => Boolean(detail.requestConfig?.headers["X-Background"]);

const isNoticeShown = () => place.querySelector(":scope > .message") !== null;
const withId = (element) => element.closest("[id]")?.id;
const requestKey = ({ verb, path }) => `${verb} ${path}`;

// The row of a list that an act is about. In the panel another answer takes the place of the one that failed.
function rowOf({ elt, verb, triggeringEvent, target }) {
  const isAct = verb !== "get" && (!triggeringEvent || triggeringEvent.type === "submit");
  return isAct && target.id !== "panel" ? withId(elt) : undefined;
}

// By an event at which every page that refreshes itself asks; else what the bar shows is read.
function refresh() {
  const poll = document.getElementById("poll");
  window.htmx.trigger(poll || document.body, poll ? "visibilitychange" : "refresh-day");
}

// The page's own refreshing says nothing new beside a notice, and must not take the place of what that one repeats.
function failed(kind, detail) {
  const background = isBackground(detail);
  failures += 1;
  if (background && (failures <= QUIET_FAILURES || isNoticeShown())) return;
  if (!isNoticeShown()) unanswered.clear(); // what was dismissed
  const again = background ? refresh : repeat(detail);
  const key = background ? ANY : requestKey(detail.requestConfig);
  unanswered.set(key, { again, row: rowOf(detail.requestConfig), target: detail.target });
  showNotice(kind);
}

// Another request's answer is none to the one that failed: the page's own refreshing must not hide that nothing was saved.
// Of an act on a row no other act's is, be it on the same row.
function isAnswered(key, request, { requestConfig, target }) {
  if (request.row) return key === requestKey(requestConfig);
  return !request.target.isConnected || target.contains(request.target);
}

function noteAnswer(detail) {
  if (isBackground(detail)) {
    unanswered.delete(ANY);
    return;
  }
  for (const [key, request] of unanswered) if (key === ANY || isAnswered(key, request, detail)) unanswered.delete(key);
}

// From a row that was drawn anew meanwhile: the values that were sent, so that a row that has changed refuses them. A row
// that is gone from its list does so by the list; where the row alone would show it, a notice says that it is gone.
async function sendAgain(requestConfig, swapOverride) {
  const { elt, verb, path, target, formData } = requestConfig;
  const [source, part] = [elt, target].map((element) => document.getElementById(withId(element)));
  const swap = swapOverride || elt.closest("[hx-swap]")?.getAttribute("hx-swap");
  const row = rowOf(requestConfig);
  if (part && (source || row)) {
    await window.htmx.ajax(verb, path, { source: source || part, target: part, swap, values: formData }).catch(() => {});
  } else if (row) {
    unanswered.set(requestKey(requestConfig), { again: () => sendAgain(requestConfig, swapOverride), row, target });
    showNotice("gone");
  }
}

// Ends when what `press` sends is answered or has failed: htmx would drop the next act on the same list before.
async function untilAnswered(press) {
  let answer;
  const note = ({ detail: { xhr } }) => { answer = new Promise((done) => { xhr.addEventListener("loadend", done); }); };
  document.addEventListener("htmx:beforeSend", note);
  press();
  document.removeEventListener("htmx:beforeSend", note);
  await answer;
}

// What sends the same request once more: by the same button, which may have an address of its own. Without an event a
// script has sent it, with values of its own; the form is read anew.
function repeat({ requestConfig, etc: { values, swapOverride: swap } }) {
  const { elt, triggeringEvent, verb, path, target } = requestConfig;
  const button = triggeringEvent?.submitter;
  if (button) {
    return () => {
      reopenFormOf(elt);
      if (button.isConnected) return untilAnswered(() => button.click());
      if (elt.isConnected) return untilAnswered(() => window.htmx.trigger(elt, "submit"));
      return sendAgain(requestConfig);
    };
  }
  if (triggeringEvent) return () => window.htmx.trigger(elt, triggeringEvent.type);
  return () => {
    if (!elt.isConnected) return sendAgain(requestConfig, swap);
    return window.htmx.ajax(verb, path, { source: elt, target, values, swap }).catch(() => {});
  };
}

document.addEventListener("htmx:sendError", ({ detail }) => failed("connection", detail));
document.addEventListener("htmx:timeout", ({ detail }) => failed("connection", detail));
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status >= 500) failed("server", detail);
});

// Without a session every answer is "go and sign in". Only a form that is sent, and whose text the server has kept, may
// take the page away for that. Anything else, a button of the form with an address of its own too, leaves the page alone
// and says so.
function staysWithoutSession({ xhr, requestConfig }) {
  return leadsToSignIn(xhr) && !(isSent(requestConfig) && xhr.getResponseHeader("X-Form-Kept"));
}

// The page was drawn for one user, and another one has signed in since.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const header = event.detail.xhr.getResponseHeader("X-Present-User");
  if (!header) return;
  event.preventDefault();
  const { id, name } = JSON.parse(header);
  const repeated = repeat(event.detail);
  const again = () => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    document.body.setAttribute("hx-headers", JSON.stringify({ ...headers, "X-Drawn-For": id }));
    for (const shown of document.querySelectorAll("[data-user]")) shown.textContent = name;
    repeated();
  };
  unanswered.clear();
  unanswered.set(ANY, { again });
  showNotice("user");
  place.querySelector(":scope > .message [data-present-user]").textContent = name;
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!staysWithoutSession(event.detail)) return;
  event.preventDefault();
  unanswered.clear();
  showNotice("session");
});

document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.xhr.status >= 500 || staysWithoutSession(detail) || detail.xhr.getResponseHeader("X-Present-User")) return;
  failures = 0;
  noteAnswer(detail);
  if (!unanswered.size) clearNotice();
});

place.addEventListener("click", async ({ target }) => {
  if (!target.closest("[data-retry]")) return;
  clearNotice();
  const requests = [...unanswered.values()];
  unanswered.clear();
  for (const { again } of requests) await again(); // in turn: an answer may draw all rows anew
});
