// Pendências: keys on a pending appointment, and the focus on the next one after an act.

import { workOff } from "./work_list.js";

const { rows } = workOff(".pending-row", "pending-head");

// On opening, no row has the focus unless the address names one: who presses n for a new appointment means none of them.
rows().find((row) => row.id === location.hash.slice(1))?.focus();
