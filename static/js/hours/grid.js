// The week of hours under its text as lanes and bars: what they stand for, and the outlines of hours that are moved.

export const DAY_MINUTES = 1440;
const ROW_MINUTES = 5;
const USUAL_START = 480;
const USUAL_LENGTH = 240;

export const weekRead = () => document.querySelector(".week-read");
export const weekGrid = () => document.getElementById("week-grid");
export const weekField = () => document.getElementById(weekRead().dataset.field);
export const weekLanes = () => [...weekGrid().querySelectorAll(".lane")];
export const laneOf = (day) => weekLanes()[day - 1];

// The bundle is on pages without a week too.
export const listenBesideWeek = (type, act, options) => weekRead() && document.addEventListener(type, act, options);

// Hours are an ISO weekday, and minutes since the midnight that begins it: from, and to, which may be on the day after.
export function hoursOfBar(bar) {
  const [day, from, to] = bar.dataset.hours.split(" ").map(Number);
  return { day, from, to };
}

export const wordsOf = (hours) => (hours ? `${hours.day} ${hours.from} ${hours.to}` : "");
export const areSameHours = (one, other) => wordsOf(one) === wordsOf(other);
export const barOf = (hours) => weekGrid()?.querySelector(`button.bar[data-hours="${wordsOf(hours)}"]`);
export const dayBeside = (day, by) => ((day - 1 + by + 7) % 7) + 1;
export const stepOf = (event) => Number(event.altKey ? weekRead().dataset.fineStep : weekRead().dataset.step);

// On a narrow page the days are rows, and time goes to the right.
export const areDaysRows = () => laneOf(1).clientWidth > laneOf(1).clientHeight;

// The minutes of each day that are shown.
export function shownMinutes() {
  const style = getComputedStyle(weekGrid());
  return ["--first", "--last"].map((name) => Number(style.getPropertyValue(name)) * ROW_MINUTES);
}

function clockOf(minutes) {
  const rest = minutes > DAY_MINUTES ? minutes - DAY_MINUTES : minutes;
  return `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
}

export function spokenHours({ day, from, to }) {
  const words = { day: laneOf(day).dataset.name, starts: clockOf(from), ends: clockOf(to) };
  return weekRead().dataset.spoken.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

export const clampMinutes = (minutes, least, most) => Math.min(Math.max(minutes, least), most);

// Those that end on the day after stand on both days.
function partsOf({ day, from, to }) {
  return to > DAY_MINUTES ? [[day, from, DAY_MINUTES], [dayBeside(day, 1), 0, to - DAY_MINUTES]] : [[day, from, to]];
}

function freeSpansOf(day) {
  const taken = [...laneOf(day).querySelectorAll(".bar[data-hours]")].flatMap((bar) => partsOf(hoursOfBar(bar)));
  const own = taken.filter(([on]) => on === day).sort(([, one], [, other]) => one - other);
  const starts = [0, ...own.map(([, , to]) => to)];
  const ends = [...own.map(([, from]) => from), DAY_MINUTES];
  return starts.map((from, at) => [from, ends[at]]).filter(([from, to]) => from < to);
}

// Where hours can be added to a day: first after the usual start, then before it; undefined on a full day.
export function freeHoursOf(day) {
  const spans = freeSpansOf(day);
  const late = spans.find(([, to]) => to > USUAL_START);
  const from = late ? Math.max(late[0], USUAL_START) : spans[0]?.[0];
  return spans.length ? { day, from, to: Math.min(from + USUAL_LENGTH, (late || spans[0])[1]) } : undefined;
}

function removeOutlines() {
  for (const element of weekGrid().querySelectorAll(".in-motion")) element.remove();
  for (const bar of weekGrid().querySelectorAll(".moved")) bar.classList.remove("moved");
}

function timeOfHours({ from, to }) {
  const time = document.createElement("span");
  time.textContent = `${clockOf(from)}–${clockOf(to)}`;
  return time;
}

function drawOutline({ was, at, isSent }) {
  if (was) for (const bar of weekGrid().querySelectorAll(`[data-hours="${wordsOf(was)}"]`)) bar.classList.add("moved");
  for (const [day, first, last] of at ? partsOf(at) : []) {
    const part = document.createElement("div");
    part.className = `bar in-motion from-${Math.floor(first / ROW_MINUTES)} to-${Math.ceil(last / ROW_MINUTES)}`;
    part.ariaHidden = "true";
    if (day === at.day) part.append(timeOfHours(at));
    part.classList.toggle("late", first > DAY_MINUTES / 2);
    part.classList.toggle("sent", Boolean(isSent));
    laneOf(day).append(part);
  }
}

// Outlines hours at their places; the bars of what they were are shown as left.
export function drawOutlines(moves) {
  if (!weekGrid()) return;
  removeOutlines();
  moves.forEach(drawOutline);
}
