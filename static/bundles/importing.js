// Importar.
import "../js/confirm.js";
import "../js/importing.js";
