// Opens and closes the panel beside the page, and moves the focus into it and back.

import { panel } from "./elements.js";
import { hasTypedText, keepForm } from "./unsaved.js";

let opener = null;
let hadCard = false; // before the swap that is under way
let isAskedOutside = false; // its asker may be gone after it
let shownBefore = null; // what the panel began with before it

export const isPanelOpen = () => panel.childElementCount > 0;

function keepFormOf(link) {
  keepForm(() => {
    opener = link;
    focusPanel();
  });
}

export function closePanel() {
  if (hasTypedText()) keepFormOf(opener);
  const card = panel.querySelector("[data-card]")?.dataset.card;
  panel.replaceChildren();
  panel.dispatchEvent(new Event("change", { bubbles: true }));
  // The opener may have been drawn anew meanwhile, or be a free time that the card stands on now.
  const again = opener?.isConnected ? opener : opener && (document.getElementById(opener.id) || sameLink(opener));
  (again || document.getElementById(card) || document.getElementById("main")).focus();
  opener = null;
  showAddressOfDay();
}

// A booked appointment has the page's address until the panel is about something else.
function showAddressOfDay() {
  const poll = document.getElementById("poll");
  if (!poll || !location.pathname.includes("/agendamentos/")) return;
  history.replaceState(history.state, "", poll.getAttribute("hx-get"));
}

const sameLink = (link) =>
  link.getAttribute("href") && document.querySelector(`a[href="${CSS.escape(link.getAttribute("href"))}"]`);

function focusPanel() {
  if (panel.contains(document.activeElement)) return;
  const field = panel.querySelector("[autofocus]") || panel.querySelector("#panel-title");
  if (!field) panel.tabIndex = -1;
  (field || panel).focus();
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== panel || !detail.shouldSwap) return;
  const asker = detail.requestConfig.elt;
  const isInside = panel.contains(asker);
  isAskedOutside = !isInside;
  shownBefore = panel.firstElementChild;
  // Going back from a form leaves it as much as opening something else does; sending it does not.
  if ((!isInside || detail.requestConfig.verb === "get") && hasTypedText()) keepFormOf(opener);
  hadCard = isInside && panel.querySelector("[data-card]") !== null;
  if (isInside) return;
  opener = asker;
  showAddressOfDay();
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target !== panel || !hadCard) return;
  hadCard = false;
  if (!panel.querySelector("[data-card]")) showAddressOfDay();
});

// The button that was pressed may be gone with what the panel held. An answer to a field changes parts of that only.
const isFocusGone = () =>
  document.activeElement === document.body && isPanelOpen() && panel.firstElementChild !== shownBefore;

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target === panel && (isAskedOutside || isFocusGone())) focusPanel();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("#panel [data-close]") || !document.getElementById("day")) return;
  event.preventDefault();
  closePanel();
});
