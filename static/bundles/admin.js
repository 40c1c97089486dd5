// Django's admin.
import "../js/tick_list.js";
