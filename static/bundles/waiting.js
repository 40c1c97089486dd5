// Fila de espera.
import "../js/waiting_list.js";
