// Primeiros passos.
import "../js/copy.js";
import "../js/countdown.js";
import "../js/confirm.js";
import "../js/hours/drag.js";
import "../js/hours/keys.js";
