// Toasts, the bell and the figures follow what happens. Without this file the bell leads to a page of its own.

const SHOWN_MS = 8000;
const MOST_TOASTS = 3;
const REFRESH_MS = 2000;
const RETRY_MS = [2000, 5000, 15000, 60000];

const toasts = document.getElementById("toasts");
const pattern = document.getElementById("toast");
const panel = document.getElementById("bell-panel");
const bell = () => document.querySelector("a.bell");
let last = Number(document.getElementById("live").dataset.after);

// --- toasts ---

function ownPath(url) {
  return /^\/(?!\/)/.test(url) ? url : "/notifications";
}

function close(toast) {
  const hadFocus = toast.contains(document.activeElement);
  toast.remove();
  if (hadFocus) (toasts.querySelector("a") || bell()).focus();
}

function goesBySelf(toast) {
  let timer = 0;
  const hold = () => clearTimeout(timer);
  const go = () => {
    hold();
    if (!toast.matches(":hover") && !toast.contains(document.activeElement)) timer = setTimeout(close, SHOWN_MS, toast);
  };
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("mouseleave", go);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", () => setTimeout(go));
  return go;
}

function show(told) {
  let toast = [...toasts.children].find((one) => one.dataset.id === told.id);
  if (!toast) {
    if (toasts.children.length >= MOST_TOASTS) return; // the bell has it
    toast = pattern.content.firstElementChild.cloneNode(true);
    toast.dataset.id = told.id;
    toast.restart = goesBySelf(toast);
    toast.querySelector("button").addEventListener("click", () => close(toast));
    toast.querySelector("use").setAttribute("href", told.kind === "open" ? "#icon-eye" : "#icon-bell");
    toasts.append(toast);
  }
  toast.querySelector(".title").textContent = told.title;
  toast.querySelector(".subject").textContent = told.text;
  toast.querySelector("a").href = ownPath(told.url);
  toast.restart();
}

// --- the bell, its list, and the figures: taken from a page that the server has made ---

let planned = 0;

function refreshSoon() {
  planned ||= setTimeout(refresh, REFRESH_MS);
}

async function fetched(path) {
  const answer = await fetch(path, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function replace(selector, page, root = document) {
  const [here, there] = [root.querySelector(selector), page && page.querySelector(selector)];
  if (here && there) here.replaceChildren(...document.adoptNode(there).childNodes);
  return there;
}

async function refresh() {
  planned = 0;
  const hasTiles = document.querySelector(".tiles");
  const page = await fetched(hasTiles ? location.href : "/notifications").catch(() => null);
  if (!page) return;
  bell().setAttribute("aria-label", page.querySelector("a.bell").getAttribute("aria-label"));
  replace("a.bell", page);
  replace(".tiles", page);
  if (!panel.hidden) fillPanel();
}

async function fillPanel() {
  const page = await fetched("/notifications").catch(() => null);
  const list = page && page.getElementById("notices");
  if (!list) location.assign("/notifications");
  else panel.querySelector(".list").replaceChildren(...document.adoptNode(list).childNodes);
}

function openPanel(isOpen) {
  panel.hidden = !isOpen;
  bell().setAttribute("aria-expanded", String(isOpen));
  if (isOpen) fillPanel();
}

bell().setAttribute("role", "button");
bell().setAttribute("aria-controls", "bell-panel");
openPanel(false);
document.addEventListener("click", (event) => {
  const isBell = event.target.closest("a.bell");
  if (isBell && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openPanel(panel.hidden);
  } else if (!isBell && !panel.contains(event.target)) {
    openPanel(false);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === " " && document.activeElement === bell()) {
    event.preventDefault();
    openPanel(panel.hidden);
  } else if (event.key === "Escape" && !panel.hidden) {
    openPanel(false);
    bell().focus();
  }
});

// --- notifications of the browser: only after somebody pressed the button that asks ---

const asks = document.querySelectorAll("button[data-ask]");

function offer() {
  for (const button of asks) button.hidden = !("Notification" in window) || Notification.permission !== "default";
}

for (const button of asks) {
  button.addEventListener("click", () => Notification.requestPermission().then(offer));
}
offer();

function tellOutside(told) {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const outside = new Notification(told.title, { body: told.text, tag: told.id });
  outside.addEventListener("click", () => {
    window.focus();
    location.assign(ownPath(told.url));
  });
}

// --- the stream: one for all tabs, because browsers hold few connections ---

const tabs = new BroadcastChannel("mailpulse");

function hear({ number, told }) {
  if (number <= last) return;
  last = number;
  if (!told.read_at) show(told);
  refreshSoon();
}

tabs.addEventListener("message", (event) => hear(event.data));

function listen(failures = 0) {
  const stream = new EventSource(`/api/v1/notifications/stream?after=${last}`);
  let failed = failures;
  stream.addEventListener("open", () => { failed = 0; });
  stream.addEventListener("notification", (event) => {
    const message = { number: Number(event.lastEventId), told: JSON.parse(event.data) };
    if (message.number > last && !message.told.read_at) tellOutside(message.told);
    tabs.postMessage(message);
    hear(message);
  });
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) {
      setTimeout(listen, RETRY_MS[Math.min(failed, RETRY_MS.length - 1)], failed + 1);
    }
  });
}

// Only pages that came over TLS or from this machine have locks; others hold a stream for each tab.
if (navigator.locks) {
  navigator.locks.request("mailpulse stream", () => {
    listen();
    return new Promise(() => {}); // until this tab is closed
  });
} else {
  listen();
}
