// The waiting room's display.
import "../js/display.js";
