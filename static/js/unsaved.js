// Text typed into the panel is never lost: what replaces the form leaves a message that brings it back.

import { panel } from "./elements.js";

const isTouched = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
      : field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;

// `data-typed` marks a form whose text has been to the server and back: it is its own default there, and still typed.
export const hasTypedText = () =>
  panel.querySelector("form[data-typed]") !== null || [...panel.querySelectorAll("input, select, textarea")].some(isTouched);

// Offers the form that is open now for reopening; `reopened` is called when it is back in the panel.
export function keepForm(reopened) {
  const nodes = [...panel.childNodes];
  const offer = document.getElementById("panel-closed").content.firstElementChild.cloneNode(true);
  offer.querySelector("[data-reopen]").addEventListener("click", () => {
    offer.remove();
    panel.replaceChildren(...nodes);
    panel.dispatchEvent(new Event("change", { bubbles: true }));
    reopened();
  });
  document.querySelectorAll("#messages .reopen").forEach((old) => old.remove());
  document.getElementById("messages").append(offer);
}

// Leaving the page with text that is nowhere else: the browser asks first. Not when the server has just kept it.
let isKeptByServer = false;

window.addEventListener("beforeunload", (event) => {
  if (hasTypedText() && !isKeptByServer) event.preventDefault();
});

document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  // When it leads to signing in from anything but a sent form, trouble.js stays here; the next answer takes this back.
  isKeptByServer = Boolean(detail.xhr.getResponseHeader("HX-Redirect"));
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
