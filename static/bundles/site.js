// Every page. All of it only adds to pages that work without it.
import "../js/csrf.js";
import "../js/panel.js";
import "../js/dismiss.js";
import "../js/keys.js";
import "../js/blur.js";
import "../js/filter.js";
import "../js/held_down.js";
import "../js/trouble.js";
import "../js/session.js";
import "../js/offline.js";
import "../js/leaving.js";
import "../js/refused_form.js";
import "../js/waiting.js";
