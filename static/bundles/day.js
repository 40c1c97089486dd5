// The day, and the forms in the panel beside it.
import "../js/day/refresh.js";
import "../js/day/history.js";
import "../js/day/chosen.js";
import "../js/day/open.js";
import "../js/day/acts.js";
import "../js/day/arrows.js";
import "../js/day/narrow.js";
import "../js/day/steps.js";
import "../js/day/clock.js";
import "../js/day/columns.js";
import "../js/day/scroll.js";
import "../js/day/titles.js";
import "../js/day/calendar.js";
import "../js/booking/complaints.js";
import "../js/booking/focus.js";
import "../js/booking/patient.js";
import "../js/booking/finder.js";
