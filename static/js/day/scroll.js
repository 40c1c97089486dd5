// Opens the day at this minute, a third of the way down.

import { markChosen } from "./chosen.js";

markChosen();

const line = document.getElementById("now");
const scroll = document.getElementById("scroll");
if (line && scroll) scroll.scrollTop = line.offsetTop - scroll.clientHeight / 3;
