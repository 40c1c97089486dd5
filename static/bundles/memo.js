// Recados.
import "../js/memos.js";
