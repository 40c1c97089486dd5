// Lets an answer wait while something is held down in the part of the page that it replaces, which would lose its click.

const CLICK_COMES_MS = 300; // after a finger has left; a drag ends without a click
let heldDown = null; // the element under the pointer or the key
let lettingGo = null;
let answersWaiting = [];

function letGo() {
  clearTimeout(lettingGo);
  heldDown = null;
  const answers = answersWaiting;
  answersWaiting = [];
  for (const show of answers) show();
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

// htmx has said by now what it does with an answer, and sends the request next.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr, target } }) => {
  const show = xhr.onload;
  xhr.onload = () => { if (heldDown && target.contains(heldDown)) answersWaiting.push(show); else show(); };
});
