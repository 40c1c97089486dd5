// Lets the keyboard choose the patient: arrows mark, Enter takes, Alt with a digit takes the one of that number.

import { panel } from "../day/grid.js";

// A list belongs to the text that it answers: under any other text nobody in it can be marked or taken by a key.

const list = () => panel.querySelector("#patient-options");
const options = () => [...panel.querySelectorAll("#patient-options [role=option]")];
const answers = (field) => list()?.dataset.text === field.value;

// The field in which Enter came before the answer: the server takes who is meant by its text, in one request.
let taking = null;
// Escape closed the list of this text: an answer that is still due opens it no more.
let closedText = null;

const people = () => options().filter((option) => option.name === "pick");

function mark(index) {
  const field = panel.querySelector("#q");
  options().forEach((option, at) => option.setAttribute("aria-selected", at === index));
  const marked = options()[index];
  if (marked) {
    field.setAttribute("aria-activedescendant", marked.id);
    marked.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

// The marked one; else who is meant by the text, as the server says: the only owner of a whole number, or the only one
// found; with nobody found, registering. Of several people none: Enter marks the first of them.
function likelyOption() {
  const marked = options().find((option) => option.getAttribute("aria-selected") === "true");
  return marked || panel.querySelector(`#patient-option-${list().dataset.likely}`);
}

function say(text) {
  const hint = panel.querySelector("#q-hint");
  if (hint) hint.textContent = text;
}

// Until the list is settled its buttons are not htmx's: a click would send the form in the browser's own way.
function press(option) {
  if (!list().classList.contains("htmx-settling")) return option.click();
  const text = list().dataset.text;
  const pressNow = () => panel.querySelector("#q")?.value === text && option.click();
  list().addEventListener("htmx:afterSettle", pressNow, { once: true });
}

function takeLikely() {
  const option = likelyOption();
  if (option) return press(option);
  mark(0);
  say(list().dataset.several);
}

// The text goes along: the server takes nobody by another one. Of several people it answers with the list.
async function takeUnseen(field) {
  if (taking === field) return;
  window.htmx.trigger(field, "htmx:abort");
  taking = field;
  closedText = null;
  const address = field.closest("[data-take]").dataset.take;
  // static/js/trouble.js reports a request that fails.
  await window.htmx.ajax("POST", address, { source: field.form, target: "#panel", values: { take: field.value } }).catch(() => {});
  if (taking !== field) return;
  taking = null;
  if (field.isConnected && answers(field)) takeLikely();
}

function hideOptions(field) {
  closedText = field.value;
  Object.assign(list(), { hidden: true, textContent: "" }).dataset.text = "";
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

panel.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.id !== "q" || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const all = options();
    if (!all.length || !answers(field)) return;
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    mark((at + (event.key === "ArrowDown" ? 1 : all.length - (at < 0 ? 0 : 1))) % all.length);
  } else if (event.key === "Enter") {
    event.preventDefault();
    // A key that is held down does not take the person that its first press has marked.
    if (event.repeat || !field.value.trim()) return;
    if (answers(field)) return takeLikely();
    takeUnseen(field);
  } else if (event.key === "Escape" && options().length) {
    // Escape in a form without an open list closes the panel.
    event.preventDefault();
    hideOptions(field);
  } else if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    event.preventDefault();
    // By `code`: with Alt some keyboards write another character.
    const person = !event.repeat && answers(field) && people()[event.code.at(-1) - 1];
    if (person) press(person);
  }
});

// A key that is still held down when the focus has moved on presses nothing there: it would book at once.
panel.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target.tagName !== "TEXTAREA") event.preventDefault();
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  const field = target.id === "patient-options" && panel.querySelector("#q");
  if (!field) return;
  field.setAttribute("aria-expanded", String(options().length > 0));
  if (!list().querySelector("[aria-selected=true]")) field.removeAttribute("aria-activedescendant");
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "patient-options" && panel.querySelector("#q")?.value === closedText) detail.shouldSwap = false;
});

// What was typed into a new field before htmx listened to it is searched for now.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const field = target.querySelector?.("#q");
  if (field?.value.trim() && !answers(field)) window.htmx.trigger(field, "ask");
});

// A search waits for a pause in the typing: Enter may have asked meanwhile for the same list, or have it with a mark.
document.addEventListener("htmx:beforeRequest", (event) => {
  const field = event.target;
  if (field.id === "q" && (field === taking || answers(field))) event.preventDefault();
});

panel.addEventListener("input", (event) => {
  if (event.target.id !== "q") return;
  if (taking) {
    taking = null;
    window.htmx.trigger(event.target.form, "htmx:abort");
  }
  closedText = null;
  mark(-1);
  say("");
});
