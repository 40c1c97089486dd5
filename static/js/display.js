// The waiting room's display: goes on when the network comes back, and rings or speaks for a new call if switched on.

const NOT_FOUND = 404;
const TONES_HZ = [880, 660];
const TONE_SECONDS = 0.35;

const offline = document.getElementById("offline");
const silent = document.getElementById("silent");
const sound = new AudioContext();
const calls = () => [...document.querySelectorAll("[data-call]")].reverse(); // the newest last
const numberOf = (call) => Number(call.dataset.call);
const lastOf = (list) => Math.max(0, ...list.map(numberOf));

let announced = lastOf(calls()); // the last call that has been announced

// What is switched on is kept on this screen.
const isOn = (id) => localStorage.getItem(id) === "on";

function show(id) {
  document.getElementById(id).ariaPressed = String(isOn(id));
}

function chime() {
  TONES_HZ.forEach((frequency, place) => {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    const from = sound.currentTime + place * TONE_SECONDS;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.3, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + TONE_SECONDS);
    tone.connect(volume).connect(sound.destination);
    tone.start(from);
    tone.stop(from + TONE_SECONDS);
  });
}

function speak(text) {
  const spoken = new SpeechSynthesisUtterance(text);
  spoken.lang = document.documentElement.lang;
  speechSynthesis.speak(spoken);
}

function announce() {
  const fresh = calls().filter((call) => numberOf(call) > announced);
  if (!fresh.length) return;
  announced = lastOf(fresh);
  const spoken = fresh.map((call) => call.dataset.spoken);
  document.getElementById("announced").textContent = spoken.join("; ");
  if (isOn("chime") && sound.state === "running") chime();
  if (isOn("voice")) spoken.forEach(speak);
}

// A browser lets a page that was opened anew, as when the computer starts, sound once it was pressed.
function showSilent() {
  silent.hidden = sound.state === "running" || !(isOn("chime") || isOn("voice"));
}

sound.addEventListener("statechange", showSilent);
for (const event of ["pointerup", "keydown"]) document.addEventListener(event, () => sound.resume());
showSilent();

for (const id of ["chime", "voice"]) {
  show(id);
  document.getElementById(id).addEventListener("click", () => {
    localStorage.setItem(id, isOn(id) ? "off" : "on");
    show(id);
    showSilent();
    if (isOn(id)) id === "chime" ? chime() : speak(document.getElementById(id).textContent);
  });
}

document.getElementById("whole-screen").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {});
});

document.addEventListener("htmx:afterSwap", announce);

document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
  const isAnswered = xhr.status === 304 || (xhr.status >= 200 && xhr.status < 300);
  offline.textContent = isAnswered ? "" : offline.dataset.text;
  // The link was revoked: the page says so.
  if (xhr.status === NOT_FOUND) location.reload();
});

function tick() {
  const clock = document.getElementById("clock");
  const format = { hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.zone };
  clock.textContent = new Date().toLocaleTimeString(document.documentElement.lang, format);
}

tick();
setInterval(tick, 5000);
