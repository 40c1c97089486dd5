// Retornos.
import "../js/recalls.js";
