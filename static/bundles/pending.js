// Pendências.
import "../js/pending.js";
