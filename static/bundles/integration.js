// Integrações.
import "../js/copy.js";
import "../js/countdown.js";
import "../js/confirm.js";
