// Pendências: keys on a pending appointment, the focus on the first one, and on the next one after an act.

import { workOff } from "./work_list.js";

const { rows } = workOff(".pending-row", "pending-head");
const named = document.getElementById(location.hash.slice(1));
(rows().includes(named) ? named : rows().find((row) => !row.classList.contains("done")))?.focus();
