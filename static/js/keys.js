// Keyboard shortcuts; those of a single key can be switched off on this computer.

import { panel } from "./elements.js";
import { closeList } from "./filter.js";
import { closePanel, isPanelOpen } from "./panel.js";

const SWITCH = "keys-single";
const KEPT = "keys"; // on this computer

// The scripts of a page read the attribute: they and this one share no module.
const areSingleKeysOn = () => !document.documentElement.hasAttribute("data-no-single-keys");
const followSwitch = () => document.documentElement.toggleAttribute("data-no-single-keys", localStorage.getItem(KEPT) === "off");

followSwitch();
document.addEventListener("change", ({ target }) => {
  if (target.id !== SWITCH) return;
  localStorage.setItem(KEPT, target.checked ? "on" : "off");
  followSwitch();
});

let isListAskedFor = false;

// The list is read once, when it is first asked for.
async function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog || isListAskedFor) return;
  if (!dialog.childElementCount) {
    isListAskedFor = true;
    const values = {};
    if (document.querySelector("#day[data-date]")) values.day = "1"; // not a past one, which is only looked at
    if (document.getElementById("print")) values.print = "1";
    await window.htmx.ajax("GET", dialog.dataset.list, { source: dialog, target: dialog, values }).catch(() => {});
    isListAskedFor = false;
  }
  if (!dialog.childElementCount || dialog.open) return;
  document.getElementById(SWITCH).checked = areSingleKeysOn();
  dialog.showModal();
}

const press = (id) => () => document.getElementById(id)?.click();

// What a user did last, on any page or day; on a card, u means that one.
const ownUndo = () =>
  isPanelOpen() || document.activeElement.closest(".appt") ? null : document.getElementById("undo-own");

const shortcuts = {
  "/": () => (panel.querySelector("input[type=search]") || document.getElementById("find"))?.focus(),
  "[": press("day-previous"),
  "]": press("day-next"),
  h: press("day-today"),
  d: press("view-day"),
  s: press("view-week"),
  p: press("print"),
  b: press("blur"),
  n: () => (document.activeElement.closest(".slot > a") || document.querySelector("#day-book, #memo-add"))?.click(),
  u: () => (document.getElementById("undo-last") || panel.querySelector("#appointment button[name=event]") || ownUndo())?.click(),
  "?": showKeys,
};

// A button in the panel names its own key; the answer to it moves the focus on from there.
function pressInPanel(key) {
  const button = panel.querySelector(`button[aria-keyshortcuts="${CSS.escape(key === "+" ? "." : key)}"]`);
  if (!button) return null;
  return () => {
    button.focus();
    button.click();
  };
}

function escape() {
  if (!closeList() && isPanelOpen() && document.getElementById("day")) closePanel();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return escape();
  const isTyping = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (isTyping || (!areSingleKeysOn() && event.key !== "?")) return;
  const own = pressInPanel(event.key);
  const act = own || shortcuts[event.key];
  if (!act) return;
  event.preventDefault();
  if (!own || !event.repeat) act();
});
