"use strict";
const base = document.body.dataset.base;
const $ = id => document.getElementById(id);
const button = $("refresh"); // none where refreshes cannot be started
let shown = document.body.dataset.refreshed; // the end of the last refresh that the page tells of
let timer;
for (const t of document.querySelectorAll("time")) t.textContent = new Date(t.dateTime).toLocaleString();
async function look() {
  clearTimeout(timer);
  let wait = 10000;
  try {
    const r = await fetch(base + "/refresh/status", {cache: "no-store"});
    if (!r.ok) throw new Error(r.status);
    const s = await r.json(), p = s.progress;
    shown ??= s.last_refresh ?? "";
    if (!s.is_running && (s.last_refresh ?? "") !== shown) return location.reload();
    if (button) button.disabled = s.is_running;
    $("progress").hidden = !s.is_running;
    if (s.is_running) {
      wait = 1000;
      $("state").textContent = "Refreshing: " + s.phase;
      $("progress").value = p.percent;
      $("detail").textContent = p.objects_done + " of " + p.objects_total + " files" +
        (p.eta_seconds === null ? "" : ", about " + Math.ceil(p.eta_seconds) + " s left");
    } else {
      $("state").textContent = s.items_count === null ? "Nothing published yet"
        : s.items_count + " items in " + s.collections_count + " collections";
      $("detail").textContent = s.error ? "The last refresh failed: " + s.error
        : s.last_refresh ? "Refreshed " + new Date(s.last_refresh).toLocaleString() : "";
    }
  } catch (e) {
    $("detail").textContent = "The status cannot be read at the moment.";
  }
  timer = setTimeout(look, wait);
}
button?.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const r = await fetch(base + "/refresh", {method: "POST"});
    if (r.ok) return look();
    $("detail").textContent = (await r.json()).detail;
  } catch (e) {
    $("detail").textContent = "The refresh could not be asked for.";
  }
  button.disabled = false;
});
look();
