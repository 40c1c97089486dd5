// Moves the line at this minute and the minutes of waiting on between two refreshes.

import { day, minutes, numberIn, timeOf } from "./grid.js";

let drawnAt = 0;
let now = null; // the row and the minute that the server drew the line at

// Counts from here on; called whenever the day has been drawn.
export function restartClock() {
  drawnAt = Date.now();
  const line = document.getElementById("now");
  now = line && { row: numberIn(line, "from"), minute: minutes(line.textContent) };
}

// As duration in clinic/spoken.py.
const duration = (minute) => (minute < 60 ? `${minute} min` : `${Math.floor(minute / 60)} h ${minute % 60} min`);

function tick() {
  const passed = Math.floor((Date.now() - drawnAt) / 60000);
  for (const wait of day()?.querySelectorAll("time.badge") || []) {
    wait.textContent = duration(Math.max(Math.floor((Date.now() - Date.parse(wait.dateTime)) / 60000), 0));
  }
  const line = document.getElementById("now");
  if (!line) return;
  const minute = now.minute + passed;
  const row = now.row + Math.floor(((now.minute % 5) + passed) / 5);
  line.className = line.className.replace(/from-\d+/, `from-${row}`);
  line.hidden = row >= numberIn(day().querySelector(".lane"), "to");
  line.firstElementChild.textContent = timeOf(minute);
}

restartClock();
setInterval(tick, 15000);
