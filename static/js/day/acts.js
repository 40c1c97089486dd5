// The next act of an appointment as a button on its card under the pointer, and a key for each act on the card in focus.

import { dateOf, doctorOf, numberIn } from "./grid.js";

const STATUS_OF_KEY = { c: "confirmed", k: "checked_in", f: "no_show" };
const PAGE_OF_KEY = { m: "remarcar", x: "cancelar", e: "alterar" };

const statusOf = (card) => card.className.match(/\bstatus-(\w+)/)[1];
const addressOf = (card) => card.querySelector("a").getAttribute("href");
const nameOf = (card) => card.querySelector("b").textContent;

// What the card shows, as booking.state puts it together.
export function seenOf(card) {
  const column = numberIn(card, "col");
  return [statusOf(card), doctorOf(column), card.dataset.date || dateOf(column), card.querySelector(".time").textContent].join("|");
}

const request = (method, address, source, values) =>
  // static/js/trouble.js reports a request that fails.
  window.htmx.ajax(method, address, { source, target: "#panel", values }).catch(() => {});

export const openPage = (card, page) => request("GET", `${addressOf(card)}${page}/`, card.querySelector("a"));

function change(card, status) {
  const link = card.querySelector("a");
  link.focus({ preventScroll: true });
  return request("POST", `${addressOf(card)}situacao/`, link, { status, seen: seenOf(card), in_day: "1" });
}

function showNextAct({ target }) {
  const card = target.closest?.(".appt[data-next]");
  if (!card || card.querySelector(".act") || !matchMedia("(hover: hover)").matches) return;
  const button = document.getElementById("acts").content.querySelector(`[data-status=${card.dataset.next}]`).cloneNode(true);
  button.ariaLabel = `${button.title}: ${nameOf(card)}`;
  card.append(button);
}

// A card outside the reach of pointer and focus keeps none: hundreds of buttons would be in the way of a screen reader.
function hideAct({ target, relatedTarget }) {
  const card = target.closest?.(".appt[data-next]");
  if (card && !card.contains(relatedTarget)) card.querySelector(".act")?.remove();
}

document.addEventListener("mouseover", showNextAct);
document.addEventListener("mouseout", hideAct);

document.addEventListener("click", async ({ target }) => {
  const button = target.closest(".appt > .act");
  if (!button || button.disabled) return;
  button.disabled = true;
  await change(button.parentElement, button.dataset.status);
  button.disabled = false;
});

// The message of the last act: its button undoes that act, and what is then in focus is the appointment's card.
document.addEventListener("click", (event) => {
  const button = event.target.closest("#undo-last");
  if (!button || button.disabled) return;
  event.preventDefault();
  button.disabled = true;
  const address = button.form.getAttribute("action");
  (document.getElementById(`a${address.match(/\d+/)[0]}`) || document.getElementById("scroll"))?.focus({ preventScroll: true });
  request("POST", address, document.body, { event: button.value, in_day: "1" });
});

// What is done in the panel is then the last act, and undone there.
document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  const isInPanel = target.id === "panel" && detail.xhr.getResponseHeader("HX-Reswap") !== "none";
  if (isInPanel && detail.requestConfig.verb === "post") document.getElementById("undo-last")?.form.remove();
});

// As static/js/keys.js has it.
export const areSingleKeysOn = () => !document.documentElement.hasAttribute("data-no-single-keys");

// For an act of before; static/js/keys.js presses the button of the last one's message.
async function openUndo(card) {
  await request("GET", addressOf(card), card.querySelector("a"));
  document.querySelector("#panel [name=event]")?.focus();
}

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.(".appt");
  if (!card || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !areSingleKeysOn()) return;
  const status = event.key === "i" ? (statusOf(card) === "in_service" ? "finished" : "in_service") : STATUS_OF_KEY[event.key];
  if (status) change(card, status);
  else if (event.key in PAGE_OF_KEY) openPage(card, PAGE_OF_KEY[event.key]);
  else if (event.key === "u" && !document.getElementById("undo-last")) openUndo(card);
  else return;
  event.preventDefault();
});
