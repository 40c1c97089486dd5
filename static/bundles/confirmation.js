// Confirmações.
import "../js/confirmations.js";
