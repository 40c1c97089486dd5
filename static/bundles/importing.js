// Importar.
import "../js/importing.js";
