// The next free times: Alt with a digit chooses one while a text is written, Enter in "a partir de" looks for them.

import { panel } from "../day/grid.js";

// While patients are listed the digits choose among them.
const isPatientListOpen = () => panel.querySelector("#patient-options [role=option]") !== null;

panel.addEventListener("keydown", (event) => {
  // By `code`: with Alt some keyboards write another character.
  const digit = event.altKey && !event.isComposing && /^Digit([1-3])$/.exec(event.code)?.[1];
  const offer = digit && !isPatientListOpen() && panel.querySelector(`#offer-${digit}`);
  if (!offer) return;
  event.preventDefault();
  if (event.repeat) return;
  // Nothing more is chosen in a select: the focus goes on. A text that is being written keeps it.
  if (event.target.tagName === "SELECT") offer.focus();
  offer.click();
});

// Enter would press the form's first button, which books.
let isSearchAsked = false;

panel.addEventListener("keydown", (event) => {
  if (event.target.id !== "find_from" || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  if (event.repeat) return;
  isSearchAsked = true;
  window.htmx.trigger(event.target, "ask");
});

document.addEventListener("htmx:afterSettle", () => {
  if (!isSearchAsked || document.activeElement?.id !== "find_from") return;
  const offer = panel.querySelector("#offer-1");
  if (!offer) return;
  isSearchAsked = false;
  offer.focus();
});

panel.addEventListener("input", (event) => {
  if (event.target.id === "find_from") isSearchAsked = false;
});
