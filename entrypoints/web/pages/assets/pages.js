// Everything works without this file; it adds charts, filters that act when they are chosen, and times that go on.

const charts = document.getElementById("pages").dataset.charts;

function drawn(figure) {
  const specification = JSON.parse(figure.querySelector("script").textContent);
  const place = figure.querySelector(".drawing");
  return window.drawChart(place, specification).then(() => figure.classList.add("is-drawn"));
}

function loadCharts(figures) {
  const program = document.createElement("script");
  program.src = charts;
  program.addEventListener("load", () => figures.forEach(drawn));
  document.head.append(program);
}

// The zone is known before the first page of numbers: whoever signs in passes a page without any.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !/(^|; )mailpulse_zone=/.test(document.cookie)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `mailpulse_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
}

const figures = [...document.querySelectorAll("figure[data-chart]")];
if (figures.length) {
  // After the first paint: the numbers come first.
  requestAnimationFrame(() => setTimeout(() => loadCharts(figures)));
}

for (const field of document.querySelectorAll("form[data-at-once] select")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// How long ago: in the words of the server (words.py) and by its clock, for that of a reader may be wrong.
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const AGES = [
  [-MINUTE, 1, "soon"], [MINUTE, 1, "just now"], [HOUR, MINUTE, "# min ago"], [DAY, HOUR, "# h ago"],
  [2 * DAY, DAY, "yesterday"], [60 * DAY, DAY, "# days ago"], [730 * DAY, 30 * DAY, "# months ago"],
  [Infinity, 365 * DAY, "# years ago"],
];
const { now } = document.getElementById("live")?.dataset ?? {};
const ahead = now ? Date.parse(now) - Date.now() : 0;

function tellTimes() {
  for (const time of document.querySelectorAll("time[title]")) {
    const age = Date.now() + ahead - Date.parse(time.dateTime);
    const [, unit, words] = AGES.find(([limit]) => age < limit);
    const told = words.replace("#", Math.floor(age / unit));
    if (time.textContent !== told) time.textContent = told;
  }
}

setInterval(tellTimes, MINUTE);
document.addEventListener("visibilitychange", tellTimes); // a tab that nobody saw may have slept

// Keys: "/" the filters, "g" and a letter a place, "?" help; off where somebody types, or switched them off.
const OFF = "mailpulse keys off";
const places = { d: "/", c: "/candidates", e: "/emails", n: "/notifications" };
let wentAt = -Infinity;

function keysAreOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // a browser that keeps nothing
  }
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || keysAreOff()) return;
  const goes = event.timeStamp - wentAt < 1500;
  wentAt = event.key === "g" ? event.timeStamp : -Infinity;
  if (goes && places[event.key]) location.assign(places[event.key]);
  else if (event.key === "?") location.assign("/help");
  else if (event.key === "/") {
    const field = document.querySelector("form.filters input, form.filters select, nav.tabs a");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});

const keysSwitch = document.querySelector("[data-keys-switch]");
if (keysSwitch) {
  const [button, said] = keysSwitch.children;
  const name = () => (button.textContent = `Switch keys ${keysAreOff() ? "on" : "off"} in this browser`);
  button.addEventListener("click", () => {
    try {
      if (keysAreOff()) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
      said.textContent = keysAreOff() ? "Keys are off." : "Keys are on.";
    } catch {
      said.textContent = "This browser keeps no settings.";
    }
    name();
  });
  name();
  keysSwitch.hidden = false;
}
