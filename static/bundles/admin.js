// Django's admin.
import "../js/csrf.js";
import "../js/session.js";
import "../js/ended_session.js";
import "../js/offline.js";
import "../js/leaving.js";
import "../js/refused_form.js";
import "../js/tick_list.js";
import "../js/hours/drag.js";
import "../js/hours/keys.js";
