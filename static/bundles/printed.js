// What is printed.
import "../js/print.js";
