// The move of one appointment within the day or the week: begun, led from place to place, or longer or shorter, and dropped or given up.

import { openPage, seenOf } from "./acts.js";
import { addBeside, dateOf, day, daysShown, doctorOf, minutes, numberIn, periodShown, timeOf } from "./grid.js";
import { drawOutline, removeOutline } from "./move_outline.js";
import { arePlacesOf, doctorName, isSameLength, isSamePlace, spokenLength, spokenPlace, wordOfMove } from "./move_places.js";
import { closeRefused, sendMove } from "./move_send.js";

const answered = addBeside("move", { hidden: true }); // where the appointment could go
let move = null; // the appointment that is being moved: where it was, and the place it is led to

export const moveUnderWay = () => move;

const movedCard = () => document.getElementById(move.id)?.parentElement;
const announceMove = (sentence) => { document.getElementById("changes").textContent = sentence; };

function placeOf(card) {
  const [starts, ends] = [".time", ".until"].map((part) => minutes(card.querySelector(part).textContent.replace("–", "")));
  return { column: numberIn(card, "col"), minute: starts, length: ends > starts ? ends - starts : ends + 1440 - starts };
}

// What began on the day before is moved by the form. By its edge, `isResized`, it only gets another end.
export function beginMove(card, { isSpoken, isResized = false }) {
  if (card.dataset.date) return openPage(card, "remarcar");
  const link = card.querySelector("a");
  const from = placeOf(card);
  const seen = seenOf(card).split("|").slice(1).join("|");
  move = { id: link.id, address: link.getAttribute("href"), period: periodShown(), seen, from, at: from };
  move.ready = askPlaces(isResized);
  if (isSpoken) move.ready.then(() => arePlacesOf(link.id) && announceMove(wordOfMove("begun")));
  closeRefused();
  link.focus({ preventScroll: true });
  showMove();
  return undefined;
}

// Asks for the free times of its length, or with `isResized` of the length that it is to have.
async function askPlaces(isResized) {
  const asked = move;
  const length = isResized ? `&minutos=${asked.at.length}` : "";
  await window.htmx.ajax("GET", `${asked.address}mover/?data=${day().dataset.date}&dias=${daysShown()}${length}`, { source: answered, target: answered }).catch(() => {});
  if (move !== asked) return;
  if (arePlacesOf(asked.id)) showMove();
  else endMove();
}

function showMove() {
  movedCard().classList.add("moved");
  return drawOutline(move.at, move.from);
}

// Leads the appointment to a place of the day.
export function leadTo(at, { isSpoken }) {
  const isOtherColumn = at.column !== move.at.column;
  move.at = at;
  const outline = showMove();
  if (!isSpoken) return;
  outline.scrollIntoView({ block: "nearest", inline: "nearest" });
  const place = spokenPlace(at, move.from);
  // A reason names the doctor itself.
  announceMove(isOtherColumn && !place.endsWith(".") ? `${place}, ${doctorName(at.column)}` : place);
}

// There is no free time that way: the appointment stays where it was led to.
export function sayNoPlace() {
  const word = wordOfMove("none");
  const outline = showMove();
  outline.textContent = word;
  outline.scrollIntoView({ block: "nearest", inline: "nearest" });
  announceMove(word);
}

// Lets it last so many minutes.
export async function stretchTo(length, { isSpoken }) {
  if (length < 5) return;
  const asked = move;
  asked.at = { ...asked.at, length };
  showMove();
  if (!isSpoken) return;
  asked.ready = askPlaces(true);
  await asked.ready;
  if (move === asked && asked.at.length === length) announceMove(spokenLength(asked.at, asked.from));
}

function endMove() {
  movedCard()?.classList.remove("moved");
  removeOutline();
  answered.replaceChildren();
  move = null;
}

export function giveUpMove() {
  const { id } = move;
  announceMove(wordOfMove("givenUp"));
  endMove();
  document.getElementById(id)?.focus({ preventScroll: true });
}

// Where it is dropped, and what is posted there: another place, with its end if it is to last longer or shorter, or the end.
function requestOf({ address, at, from, seen }) {
  const ends = isSameLength(at, from) ? {} : { ends: timeOf(at.minute + at.length) };
  if (isSamePlace(at, from)) return [`${address}duracao/`, { ...ends, shown: `${seen}|${timeOf(from.minute + from.length)}` }];
  return [`${address}mover/`, { move: "1", doctor: doctorOf(at.column), date: dateOf(at.column), starts: timeOf(at.minute), place: seen, ...ends }];
}

export async function dropMove() {
  const dropped = move;
  await dropped.ready;
  if (move !== dropped || dropped.isSent) return;
  if (isSamePlace(dropped.at, dropped.from) && isSameLength(dropped.at, dropped.from)) return giveUpMove();
  dropped.isSent = true;
  const outcome = await sendMove(...requestOf(dropped));
  if (move !== dropped) return undefined;
  if (outcome === "lost") announceMove(wordOfMove("lost"));
  // What was moved stays outlined until the day is drawn anew.
  if (outcome === "moved") move = null;
  else endMove();
}

// The day was drawn anew in the middle of a move.
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "day" || !move) return;
  if (periodShown() === move.period && movedCard()) showMove();
  else endMove();
});
