// The move of one appointment within the day: begun, led from place to place, and dropped or given up.

import { openPage, seenOf } from "./acts.js";
import { day, minutes, numberIn, timeOf } from "./grid.js";
import { drawOutline, removeOutline } from "./move_outline.js";
import { arePlacesOf, doctorName, doctorOf, isSamePlace, spokenPlace, wordOfMove } from "./move_places.js";
import { closeRefused, sendMove } from "./move_send.js";

let move = null; // the appointment that is being moved: where it was, and the place it is led to

export const moveUnderWay = () => move;

const movedCard = () => document.getElementById(move.id)?.parentElement;
const announceMove = (sentence) => { document.getElementById("changes").textContent = sentence; };

function placeOf(card) {
  const [starts, ends] = [".time", ".until"].map((part) => minutes(card.querySelector(part).textContent.replace("–", "")));
  return { column: numberIn(card, "col"), minute: starts, length: ends > starts ? ends - starts : ends + 1440 - starts };
}

// What began on the day before is moved by the form.
export function beginMove(card, { isSpoken }) {
  if (card.dataset.date) return openPage(card, "remarcar");
  const link = card.querySelector("a");
  const from = placeOf(card);
  const seen = seenOf(card).split("|").slice(1).join("|");
  move = { id: link.id, address: `${link.getAttribute("href")}mover/`, date: day().dataset.date, seen, from, at: from };
  move.ready = askPlaces(move, isSpoken);
  closeRefused();
  link.focus({ preventScroll: true });
  showMove();
  return undefined;
}

async function askPlaces(asked, isSpoken) {
  const target = document.getElementById("move");
  await window.htmx.ajax("GET", `${asked.address}?data=${asked.date}`, { source: target, target }).catch(() => {});
  if (move !== asked) return;
  if (!arePlacesOf(asked.id)) return endMove();
  if (isSpoken) announceMove(wordOfMove("begun"));
  showMove();
}

function showMove() {
  movedCard().classList.add("moved");
  return drawOutline(move.at, move.from);
}

// Leads the appointment to a place of the day.
export function leadTo(at, { isSpoken }) {
  const isOtherDoctor = at.column !== move.at.column;
  move.at = at;
  const outline = showMove();
  if (!isSpoken) return;
  outline.scrollIntoView({ block: "nearest", inline: "nearest" });
  const doctor = isOtherDoctor ? `, ${doctorName(at.column)}` : "";
  announceMove(spokenPlace(at, move.from) + doctor);
}

function endMove() {
  movedCard()?.classList.remove("moved");
  removeOutline();
  document.getElementById("move").replaceChildren();
  move = null;
}

export function giveUpMove() {
  const { id } = move;
  announceMove(wordOfMove("givenUp"));
  endMove();
  document.getElementById(id)?.focus({ preventScroll: true });
}

export async function dropMove() {
  const dropped = move;
  await dropped.ready;
  if (move !== dropped || dropped.isSent) return;
  if (isSamePlace(dropped.at, dropped.from)) return giveUpMove();
  dropped.isSent = true;
  const { column, minute } = dropped.at;
  const place = { doctor: doctorOf(column), date: dropped.date, starts: timeOf(minute), place: dropped.seen };
  const outcome = await sendMove(dropped.address, { move: "1", ...place });
  if (outcome === "lost") announceMove(wordOfMove("lost"));
  // What was moved stays outlined until the day is drawn anew.
  if (outcome === "moved") move = null;
  else endMove();
}

// The day was drawn anew in the middle of a move.
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "day" || !move) return;
  if (day().dataset.date === move.date && movedCard()) showMove();
  else endMove();
});
