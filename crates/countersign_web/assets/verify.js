// The number and digest after the # of a scanned address never reach the server; they are shown for comparing.
const [number, digest] = decodeURIComponent(location.hash.slice(1)).split("/");
if (/^[A-Z]{2}-[0-9A-Z]{4,16}$/.test(number || "") && /^[0-9a-f]{64}$/.test(digest || "")) {
  const scanned = document.getElementById("scanned");
  scanned.querySelector("[data-number]").textContent = number;
  scanned.querySelector("[data-digest]").textContent = digest;
  scanned.hidden = false;
  document.querySelector("form[enctype]").action += location.hash;
}
