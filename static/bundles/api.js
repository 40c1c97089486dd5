// The APIs' references and first steps.
import "../js/copy.js";
