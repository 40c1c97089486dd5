// Fila.
import "../js/acts_in_turn.js";
import "../js/queue.js";
