// Pendências: keys on a pending appointment, and the focus on the next one after an act.

import { workOff } from "./work_list.js";

workOff(".pending-row", "pending-head");
