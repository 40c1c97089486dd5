// Text typed into the panel is never lost: what replaces the form leaves a message that brings it back.

import { panel } from "./elements.js";
import { isTouched } from "./touched.js";

// `data-typed` marks a form whose text has been to the server and back: it is its own default there, and still typed.
export const hasTypedText = () =>
  panel.querySelector("form[data-typed]") !== null || [...panel.querySelectorAll("input, select, textarea")].some(isTouched);

const offers = new Map(); // the messages that bring a form back, with what was in the panel

// Offers the form that is open now for reopening; `reopened` is called when it is back in the panel.
export function keepForm(reopened) {
  const nodes = [...panel.childNodes];
  const offer = document.getElementById("panel-closed").content.firstElementChild.cloneNode(true);
  offer.querySelector("[data-reopen]").addEventListener("click", () => {
    offer.remove();
    offers.delete(offer);
    panel.replaceChildren(...nodes);
    panel.dispatchEvent(new Event("change", { bubbles: true }));
    reopened();
  });
  for (const old of offers.keys()) old.remove();
  offers.clear();
  offers.set(offer, nodes);
  document.getElementById("messages").append(offer);
}

const offerOf = (element) => [...offers].find(([, nodes]) => nodes.some((node) => node.contains(element)))?.[0];

// Brings back the form that `element` is in, if it was closed meanwhile.
export const reopenFormOf = (element) => offerOf(element)?.querySelector("[data-reopen]").click();

// Whether a form was sent, not a button in it with an address of its own.
export const isSent = ({ triggeringEvent }) =>
  triggeringEvent?.type === "submit" && !triggeringEvent.submitter?.hasAttribute("formaction");

// What was sent before its form was closed is stored after all. By the request's own event: htmx sends its events to the
// form, which is in no page by then.
document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig, xhr } }) => {
  if (!isSent(requestConfig)) return;
  xhr.addEventListener("load", () => {
    if (xhr.status < 300 && !xhr.getResponseHeader("HX-Redirect")) offerOf(requestConfig.elt)?.remove();
  });
});

// Leaving the page with text that is nowhere else: the browser asks first. Not when the server has just kept it.
let isKeptByServer = false;

window.addEventListener("beforeunload", (event) => {
  if (hasTypedText() && !isKeptByServer) event.preventDefault();
});

// After the listeners of the document: trouble.js may have stopped the answer, and the page stays.
window.addEventListener("htmx:beforeOnLoad", (event) => {
  isKeptByServer = !event.defaultPrevented && Boolean(event.detail.xhr.getResponseHeader("HX-Redirect"));
});

// A form that comes back from the server with its text keeps its mark.
let typedIn = null;

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const form = detail.elt.closest("#panel form");
  if (form && hasTypedText()) form.dataset.typed = "";
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== panel || !detail.shouldSwap) return;
  const isInside = panel.contains(detail.requestConfig.elt);
  typedIn = isInside ? panel.querySelector("form[data-typed]")?.getAttribute("action") : null;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target !== panel || !typedIn) return;
  const form = [...panel.querySelectorAll("form")].find((candidate) => candidate.getAttribute("action") === typedIn);
  if (form) form.dataset.typed = "";
});
