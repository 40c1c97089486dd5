// Moves the appointment in focus by keys: m begins, arrows lead it, with Shift they set its end, Enter drops, Esc gives up.

import { areSingleKeysOn, openPage } from "./acts.js";
import { isList, panel } from "./grid.js";
import { beginMove, dropMove, giveUpMove, leadTo, moveUnderWay, sayNoPlace, stretchTo } from "./move.js";
import { freeMinutes, lastColumn } from "./move_places.js";

const STEP_MINUTES = 5;
const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

// The card that m moves: the one in focus, or that of the open appointment.
function cardInQuestion(element) {
  const card = element.closest(".row > .appt");
  if (card || !panel.contains(element) || element.closest("input, select, textarea")) return card;
  const id = panel.querySelector("#appointment") && panel.querySelector("[data-card]").dataset.card;
  return document.getElementById(id)?.closest(".row > .appt");
}

function nextFree({ column, minute }, isLater) {
  const free = freeMinutes(column);
  return isLater ? free.find((other) => other > minute) : free.findLast((other) => other < minute);
}

function placeBeside({ at }, key) {
  if (key === "ArrowUp" || key === "ArrowDown") {
    const minute = nextFree(at, key === "ArrowDown");
    return minute === undefined ? null : { ...at, minute };
  }
  const column = at.column + (key === "ArrowRight" ? 1 : -1);
  return column < 1 || column > lastColumn() ? null : { ...at, column };
}

async function stepTo(key) {
  const move = moveUnderWay();
  await move.ready;
  if (moveUnderWay() !== move || move.isSent) return;
  const place = placeBeside(move, key);
  if (place) leadTo(place, { isSpoken: true });
  else sayNoPlace();
}

async function stretchBy(minutes) {
  const move = moveUnderWay();
  await move.ready;
  if (moveUnderWay() === move && !move.isSent) await stretchTo(move.at.length + minutes, { isSpoken: true });
}

function openFormInstead() {
  const card = document.getElementById(moveUnderWay().id)?.parentElement;
  giveUpMove();
  if (card) openPage(card, "remarcar");
}

const KEYS_OF_MOVE = {
  ArrowUp: () => stepTo("ArrowUp"),
  ArrowDown: () => stepTo("ArrowDown"),
  ArrowLeft: () => stepTo("ArrowLeft"),
  ArrowRight: () => stepTo("ArrowRight"),
  "Shift+ArrowUp": () => stretchBy(-STEP_MINUTES),
  "Shift+ArrowDown": () => stretchBy(STEP_MINUTES),
  Enter: dropMove,
  Escape: giveUpMove,
  Tab: giveUpMove,
  m: openFormInstead,
};

// The page's other letters do nothing meanwhile; the browser's own keys do what they always do.
function pressInMove(event) {
  const { isSent } = moveUnderWay();
  const isArrow = event.key.startsWith("Arrow");
  const act = KEYS_OF_MOVE[`${event.shiftKey && isArrow ? "Shift+" : ""}${event.key}`];
  if ((!act && event.key.length > 1) || (isSent && event.key === "Tab")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!isSent && (!event.repeat || isArrow)) act?.();
}

// Before all other keys of the page.
document.addEventListener("keydown", (event) => {
  if (hasModifier(event) || event.isComposing || document.querySelector("dialog[open]")) return undefined;
  if (moveUnderWay()) return pressInMove(event);
  if (event.key !== "m" || event.repeat || isList() || !areSingleKeysOn()) return undefined;
  const card = cardInQuestion(event.target);
  if (!card) return undefined;
  event.preventDefault();
  event.stopImmediatePropagation();
  return beginMove(card, { isSpoken: true });
}, true);

// Whatever is pressed elsewhere ends the move by keys.
document.addEventListener("pointerdown", () => {
  const move = moveUnderWay();
  if (move && !move.isSent) giveUpMove();
});
