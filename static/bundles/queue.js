// Fila.
import "../js/queue.js";
