// Sends where an appointment was dropped, once more if the connection is gone, and shows at its card why it stays.

import { addBeside } from "./grid.js";

const refused = addBeside("refused", { className: "refused", popover: "auto", tabIndex: -1 });
const AGAIN_MS = 500;
const GAP_PX = 4;

let outcome = null; // of the request under way: moved, refused, failed, lost
let isToBeRepeated = false;

const send = (address, values) =>
  window.htmx.ajax("POST", address, { source: refused, target: refused, values }).catch(() => {});

// What became of the move; a failure is reported by static/js/trouble.js, with a way to try again.
export async function sendMove(address, values) {
  outcome = null;
  isToBeRepeated = true;
  await send(address, values);
  if (outcome) return outcome;
  isToBeRepeated = false;
  await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
  await send(address, values);
  return outcome || "lost";
}

refused.addEventListener("htmx:sendError", (event) => {
  if (isToBeRepeated) event.stopPropagation();
});

refused.addEventListener("htmx:timeout", () => { outcome = "lost"; });

refused.addEventListener("htmx:afterRequest", ({ detail: { xhr, requestConfig } }) => {
  if (!xhr.status || requestConfig.verb !== "post") return;
  outcome = xhr.getResponseHeader("HX-Reswap") === "none" ? "moved" : xhr.status === 409 ? "refused" : "failed";
  if (outcome === "moved" && refused.matches(":popover-open")) refused.hidePopover();
});

const cardOfRefused = () => document.getElementById(refused.querySelector("[data-card]")?.dataset.card);

// Below the card or above it, within the window.
function placeAtCard() {
  const card = cardOfRefused()?.getBoundingClientRect();
  const own = refused.getBoundingClientRect();
  const below = card ? card.bottom + GAP_PX : 0;
  const top = below + own.height > window.innerHeight ? (card?.top || 0) - own.height - GAP_PX : below;
  refused.style.insetInlineStart = `${Math.max(Math.min(card?.left || 0, window.innerWidth - own.width - GAP_PX), GAP_PX)}px`;
  refused.style.insetBlockStart = `${Math.max(top, GAP_PX)}px`;
}

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target !== refused || !refused.childElementCount) return;
  refused.showPopover();
  placeAtCard();
  refused.focus({ preventScroll: true });
});

refused.addEventListener("click", ({ target }) => {
  if (target.closest("a")) refused.hidePopover();
});

export const closeRefused = () => refused.matches(":popover-open") && refused.hidePopover();

refused.addEventListener("toggle", ({ newState }) => {
  if (newState !== "closed") return;
  const hadFocus = document.activeElement === document.body || refused.contains(document.activeElement);
  if (hadFocus) cardOfRefused()?.focus({ preventScroll: true });
  refused.replaceChildren();
});
