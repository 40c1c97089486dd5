// Whether keys of one letter act on this computer; the list of keys has the switch.

const KEPT = "keys";

export const areSingleKeysOn = () => localStorage.getItem(KEPT) !== "off";
export const switchSingleKeys = (isOn) => localStorage.setItem(KEPT, isOn ? "on" : "off");
