// Lets the keyboard choose the patient: arrows mark, Enter takes, Alt with a digit takes the one of that number.

import { panel } from "../day/grid.js";

// A list belongs to the text that it answers: under any other text nobody in it can be marked or taken by a key.

const list = () => panel.querySelector("#patient-options");
const options = () => [...panel.querySelectorAll("#patient-options [role=option]")];
const answers = (field) => list()?.dataset.text === field.value;

// Enter came before the answer: it counts when the answer to this very text is there.
let isWaiting = false;
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

// The marked one; else the only owner of a whole number, or the only one found; with nobody found, registering. Of
// several people none: who is meant is for a person to say, and Enter marks the first of them.
function likelyOption() {
  const all = options();
  const marked = all.find((option) => option.getAttribute("aria-selected") === "true");
  if (marked) return marked;
  const owners = people().filter((option) => "exact" in option.dataset);
  const possible = owners.length || "whole" in list().dataset ? owners : people();
  return possible.length > 1 ? null : possible[0] || all.find((option) => option.name === "new");
}

function say(text) {
  const hint = panel.querySelector("#q-hint");
  if (hint) hint.textContent = text;
}

function takeLikely() {
  const option = likelyOption();
  if (option) return option.click();
  mark(0);
  say(list().dataset.several);
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
    // A key that is held down says nothing about the person whom its first press has marked.
    if (event.repeat || !field.value.trim()) return;
    // Until the list is settled its buttons are not htmx's: a click would send the form in the browser's own way.
    if (answers(field) && !list().classList.contains("htmx-settling")) return takeLikely();
    isWaiting = true;
    closedText = null;
    // The search waits for a pause in the typing, has failed, or was never begun for what was typed before the settling.
    if (!field.classList.contains("htmx-request")) window.htmx.trigger(field, "ask");
  } else if (event.key === "Escape" && options().length) {
    // Escape in a form without an open list closes the panel.
    event.preventDefault();
    hideOptions(field);
  } else if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    event.preventDefault();
    // By `code`: with Alt some keyboards write another character.
    if (!event.repeat && answers(field)) people()[event.code.at(-1) - 1]?.click();
  }
});

// A key that is still held down when the focus has moved on presses nothing there: it would book at once.
panel.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target.tagName !== "TEXTAREA") event.preventDefault();
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "patient-options") return;
  const field = panel.querySelector("#q");
  if (!field) return;
  field.setAttribute("aria-expanded", String(options().length > 0));
  field.removeAttribute("aria-activedescendant");
  if (!isWaiting || !answers(field)) return;
  isWaiting = false;
  takeLikely();
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "patient-options" && panel.querySelector("#q")?.value === closedText) detail.shouldSwap = false;
});

// What was typed into a new field before htmx listened to it is searched for now.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const field = target.querySelector?.("#q");
  if (field?.value.trim() && !answers(field)) window.htmx.trigger(field, "ask");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const field = panel.querySelector("#q");
  const { elt, parameters } = detail.requestConfig;
  if (!field || elt !== field || parameters.q !== field.value || answers(field)) return;
  isWaiting = false;
});

panel.addEventListener("input", (event) => {
  if (event.target.id !== "q") return;
  isWaiting = false;
  closedText = null;
  mark(-1);
  say("");
});
