// Opens the day at this minute, a third of the way down; on a phone, where the page scrolls, at this hour.

import { markChosen } from "./chosen.js";
import { isList, numberIn } from "./grid.js";

markChosen();

const line = document.getElementById("now");
const scroll = document.getElementById("scroll");
if (line && scroll && !isList()) scroll.scrollTop = line.offsetTop - scroll.clientHeight / 3;
if (line && isList() && !location.hash && !document.querySelector("#panel > *")) {
  const row = numberIn(line, "from");
  const hours = [...document.querySelectorAll(".hour:has(.appt, .slot)")];
  const present = hours.find((hour) => numberIn(hour.querySelector(".clock"), "from") + 12 > row);
  present?.querySelector(".clock").scrollIntoView({ block: "center" });
}
