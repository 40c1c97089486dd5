// A failed request shows a message with a way to try again, and leaves the page as it is.

import { clearNotice, leadsToSignIn, place, showNotice } from "./notice.js";
import { isSent, reopenFormOf } from "./unsaved.js";

const QUIET_FAILURES = 1; // of the page's own refreshing; it tries again by itself
let failures = 0;
let again = null;
let unanswered = null; // what the failed request would have changed, if somebody did it

export const isBackground = (detail) => Boolean(detail.requestConfig?.headers["X-Background"]);

function failed(kind, detail) {
  const background = isBackground(detail);
  failures += 1;
  if (background && failures <= QUIET_FAILURES) return;
  again = background ? () => window.htmx.trigger(document.body, "refresh-day") : repeat(detail);
  unanswered = background ? null : detail.target;
  showNotice(kind);
}

// Another request's answer is none to the one that failed: the page's own refreshing must not hide that nothing was saved.
const answers = (target) => !unanswered?.isConnected || target.contains(unanswered);

// What sends the same request once more: by the same button, which may have an address of its own. Without an event a
// script has sent it, with values of its own; the form is read anew.
function repeat({ requestConfig: { elt, triggeringEvent, verb, path, target }, etc: { values, swapOverride: swap } }) {
  const button = triggeringEvent?.submitter;
  if (button) {
    return () => {
      reopenFormOf(elt);
      if (button.isConnected) button.click();
      else window.htmx.trigger(elt, "submit");
    };
  }
  if (triggeringEvent) return () => window.htmx.trigger(elt, triggeringEvent.type);
  return () => window.htmx.ajax(verb, path, { source: elt, target, values, swap }).catch(() => {});
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
  again = () => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    document.body.setAttribute("hx-headers", JSON.stringify({ ...headers, "X-Drawn-For": id }));
    for (const shown of document.querySelectorAll("[data-user]")) shown.textContent = name;
    repeated();
  };
  showNotice("user");
  unanswered = null;
  place.querySelector(":scope > .message [data-present-user]").textContent = name;
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!staysWithoutSession(event.detail)) return;
  event.preventDefault();
  unanswered = null;
  showNotice("session");
});

document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.xhr.status >= 500 || staysWithoutSession(detail) || detail.xhr.getResponseHeader("X-Present-User")) return;
  failures = 0;
  if (answers(detail.target)) clearNotice();
});

place.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-retry]")) return;
  clearNotice();
  again?.();
});
