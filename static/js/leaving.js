// Leaving a page with what was typed into one of its forms and not sent: the browser asks first.

import { place } from "./notice.js";
import { isTouched } from "./touched.js";

const REFUSED = "[aria-invalid=true], .errornote"; // the fields hold what was typed, and it is not saved
const sentForms = new WeakSet();
const typedTexts = new WeakMap(); // of a form that came back from the server: what was typed is its own default there

const isWork = (field) => field.type !== "search" && !field.readOnly && isTouched(field);
// Forms of the panel have `unsaved.js`; the ticks of an admin's list are nothing that has to be kept, nor is what stands in
// a popover that was closed, which a script may have filled in.
const ASKS_NOTHING = "#panel, #changelist-form, [popover]:not(:popover-open)";
const isUnsaved = (form) =>
  form.method === "post" && !sentForms.has(form) && !form.closest(ASKS_NOTHING)
  && (typedTexts.has(form) || form.querySelector(REFUSED) !== null || [...form.elements].some(isWork));

document.addEventListener("submit", ({ target }) => sentForms.add(target));
document.addEventListener("input", ({ target }) => sentForms.delete(target.form));
document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
  if (!successful) sentForms.delete(elt.closest("form"));
});
// After the listeners of the document: trouble.js may have stopped the answer, and the page stays.
window.addEventListener("htmx:beforeOnLoad", ({ defaultPrevented, detail }) => {
  if (defaultPrevented) sentForms.delete(detail.elt.closest("form"));
});

const textsOf = (form) => [
  ...(typedTexts.get(form) ?? []),
  ...[...form.elements].filter((field) => isWork(field) && field.value && field.type !== "checkbox" && field.type !== "radio"),
];
let swapped = null; // the form that an answer is about to replace

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt.closest("form");
  swapped = form && { form, action: form.getAttribute("action"), texts: textsOf(form) };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!swapped) return;
  const form = [...document.forms].find((candidate) => candidate.getAttribute("action") === swapped.action);
  const texts = form && form !== swapped.form ? swapped.texts.filter(({ name, value }) => form.elements[name]?.value === value) : [];
  if (texts.length) typedTexts.set(form, texts);
  swapped = null;
});

window.addEventListener("beforeunload", (event) => {
  if ("signedIn" in place.dataset && [...document.forms].some(isUnsaved)) event.preventDefault();
});
