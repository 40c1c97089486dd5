// Puts the page's own refresh off while something is held down in the part that it replaces, which would lose its click.

import { isBackground } from "./trouble.js";

const CLICK_COMES_MS = 300; // after a finger has left; a drag ends without a click
let heldDown = null; // the element under the pointer or the key
let lettingGo = null;
let isPutOff = false;

const poll = () => document.getElementById("poll");

function letGo() {
  clearTimeout(lettingGo);
  heldDown = null;
  if (isPutOff && poll()) window.htmx.trigger(poll(), "visibilitychange"); // one of the events at which it asks
  isPutOff = false;
}

function letGoAfter(pause) {
  clearTimeout(lettingGo);
  if (heldDown) lettingGo = setTimeout(letGo, pause);
}

function holdDown({ target }) {
  clearTimeout(lettingGo);
  heldDown = target;
}

document.addEventListener("pointerdown", (event) => { if (event.isPrimary && !event.button) holdDown(event); }, true);
// Enter clicks when it goes down.
document.addEventListener("keydown", (event) => { if (event.key === " ") holdDown(event); }, true);
for (const type of ["pointerup", "pointercancel", "keyup"]) {
  document.addEventListener(type, () => letGoAfter(CLICK_COMES_MS), true);
}
document.addEventListener("click", () => letGoAfter(0), true);

// Let go where the page does not hear of it: above a scrollbar, or in another window.
document.addEventListener("pointermove", ({ pointerType, buttons }) => { if (pointerType === "mouse" && !buttons) letGoAfter(CLICK_COMES_MS); }, true);
window.addEventListener("blur", letGo);

// In place of its target, or out of band, where the answer names its ids.
function isReplaced({ target, xhr }) {
  if (target.contains(heldDown)) return true;
  for (let part = heldDown?.closest("[id]"); part; part = part.parentElement?.closest("[id]")) {
    if (xhr.responseText.includes(` id="${part.id}"`)) return true;
  }
  return false;
}

// htmx has set by now what it does with an answer, and sends the request next. An answer that comes at a bad time counts
// as that of an aborted request: htmx would take the request for one under way, and the act of the click for another.
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (!isBackground(detail)) return;
  const { xhr } = detail;
  const show = xhr.onload;
  xhr.onload = () => {
    if (!poll() || !isReplaced(detail)) {
      show();
      return;
    }
    isPutOff = true;
    xhr.onabort();
  };
});
