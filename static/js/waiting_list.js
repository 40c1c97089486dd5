// Fila de espera: keys on a request, the focus on the next one after an act, and the list as others change it.

import { keepPlace } from "./polled_list.js";
import { workOff } from "./work_list.js";

const work = workOff(".waiting-row", "waiting-head");
keepPlace("waiting", ".waiting-row", "waiting-head", work);
const named = document.getElementById(location.hash.slice(1));
if (work.rows().includes(named)) named.focus();
