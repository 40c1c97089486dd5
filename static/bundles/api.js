// The APIs' references, and calendars' addresses in the admin.
import "../js/copy.js";
