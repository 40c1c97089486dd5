// Pendências: keys on a pending appointment, and the focus on the next one after an act. On opening, no row has the
// focus unless the address names one: whoever presses n for a new appointment means no patient of the list.

import { workOff } from "./work_list.js";

const { rows } = workOff(".pending-row", "pending-head");
rows().find((row) => row.id === location.hash.slice(1))?.focus();
