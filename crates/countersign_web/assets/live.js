// Live parts, keyboard and copy buttons. Every page is complete without this file.
const policy = globalThis.trustedTypes?.createPolicy("countersign", { createHTML: (s) => s }) ?? { createHTML: (s) => s };
const $ = (id) => document.getElementById(id);

// What only a script can do is hidden until there is one; times grow older by themselves, counted from when the server wrote them: this clock may be wrong.
const times = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
const ready = (part) => {
  for (const b of part.querySelectorAll("[data-copy]")) b.hidden = false;
  for (const t of part.querySelectorAll("[data-rel]")) {
    t.at ??= performance.now() + t.dataset.rel * 1e3;
    const minutes = Math.round((t.at - performance.now()) / 6e4), hours = Math.round(minutes / 60);
    if (minutes) t.textContent = Math.abs(minutes) < 90 ? times.format(minutes, "minute")
      : Math.abs(hours) < 48 ? times.format(hours, "hour") : times.format(Math.round(hours / 24), "day");
  }
};

// A part that says what happened names where its words stand; they are read aloud when they change.
const spoken = (part) => part.dataset.say && part.querySelector(part.dataset.say)?.textContent.trim();

// The server sends finished HTML of elements that carry an id; each replaces the one on the page.
const swap = (html) => {
  const doc = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  for (const el of doc.querySelectorAll("body > [id], tr[id]")) {
    const old = $(el.id);
    if (!old) continue;
    const words = spoken(el);
    if (words && words !== spoken(old)) { said.push(words); saying ||= setTimeout(speak, 50); }
    const focus = old.contains(document.activeElement) && document.activeElement;
    for (const d of old.querySelectorAll("details[open][id]")) el.querySelector("#" + CSS.escape(d.id))?.setAttribute("open", "");
    el.classList.add("flash");
    old.replaceWith(document.adoptNode(el));
    ready(el);
    // What had the focus keeps it, under the same name only: a key that is on its way must not press something else. What is gone leaves it to its place.
    if (focus) {
      const home = $(focus.closest("[id]").id) ?? el;
      const same = $(focus.id) ?? [...home.querySelectorAll(focus.tagName)].find((e) => e.matches("summary") || e.textContent === focus.textContent) ?? el;
      if (same === el) el.tabIndex = -1;
      same.focus({ preventScroll: true });
    }
  }
};

const root = document.querySelector("[data-live]"), badge = $("live-state"), stale = $("stale");
let source, late, last = root?.dataset.from;
const state = (on) => {
  if (badge) { badge.dataset.state = on ? "on" : "off"; badge.textContent = on ? badge.dataset.on : badge.dataset.off; }
  clearTimeout(late);
  if (on) stale.hidden = true;
  else late = setTimeout(() => { stale.hidden = false; }, 1e4);
};
// At most one sentence a second, so that a screen reader can follow.
const said = [];
let saying;
const speak = () => { $("announce").textContent = said.shift() ?? ""; saying = said.length ? setTimeout(speak, 1e3) : 0; };
const open = () => {
  if (!root || source || document.hidden) return;
  source = new EventSource(`${root.dataset.live}${root.dataset.live.includes("?") ? "&" : "?"}after=${last}`);
  source.onopen = () => state(true);
  source.onerror = () => state(false);
  source.addEventListener("patch", (e) => { last = e.lastEventId || last; swap(e.data); });
};
const close = () => { source?.close(); source = undefined; clearTimeout(late); };
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", open);
ready(document);
setInterval(() => ready(document), 6e4);
open();

document.addEventListener("click", async (e) => {
  const b = e.target.closest("[data-copy]"), field = b && $(b.dataset.copy);
  if (!field) return;
  await navigator.clipboard.writeText(field.value ?? field.textContent.trim());
  b.firstChild.textContent = b.dataset.copied;
});

// A control names its own key. Typing in a field is never taken.
let before = "", row = -1;
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input,textarea,select") || !$("keys")) return;
  const rows = [...document.querySelectorAll("tbody th a")];
  const el = document.querySelector(`[data-key="${CSS.escape(before + e.key)}"]`);
  before = e.key === "g" ? "g " : "";
  if (el) { e.preventDefault(); el.focus(); if (!el.matches("input")) el.click(); }
  else if (rows.length && /^[jk]$/.test(e.key)) {
    row = Math.max(0, Math.min(rows.length - 1, row + (e.key === "j" ? 1 : -1)));
    rows[row].focus();
  }
});
