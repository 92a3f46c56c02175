// Checks the statement while it is written. Without this file "Save and check" does the same.
const form = document.querySelector("form[data-check]"), out = document.querySelector("#findings .body");
let wait, asked = 0;
const line = (finding) => {
  const li = document.createElement("li"), kind = document.createElement("b");
  kind.textContent = finding.error ? "Error" : "Advice";
  const quote = finding.quote && `, “${finding.quote}”`, better = finding.better && ` A better sentence ${finding.better}.`;
  li.append(kind, `, ${finding.version}${quote}: ${finding.why}.${better}`);
  return li;
};
const check = async () => {
  const mine = ++asked;
  const answer = await fetch(form.dataset.check, { method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok || mine !== asked) return;
  const { findings } = await answer.json(), list = document.createElement("ul"), how = document.createElement("p");
  list.className = "plain";
  list.append(...findings.map(line));
  how.textContent = findings.length ? `${findings.filter((f) => f.error).length} of these keep it from being published; the others are advice.` : "Nothing.";
  out.replaceChildren(how, list);
};
form?.addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(() => check().catch(() => {}), 500);
});
