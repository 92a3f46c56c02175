// Passkeys: a form names where its options come from and where the answer goes.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-go]"), say = form.querySelector("[role=status]");
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    form.querySelector("[data-unable]").hidden = false;
    continue;
  }
  button.hidden = false;
  const post = async (to, body) => {
    const answer = await fetch(to, { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(body) });
    const data = await answer.json();
    if (!answer.ok && !data.location) throw new Error(data.detail || "");
    return data;
  };
  const go = (to) => {
    const url = new URL(to, location.href);
    if (url.origin === location.origin) location.assign(url);
  };
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    const label = button.textContent;
    button.style.minWidth = button.offsetWidth + "px";
    button.textContent = form.dataset.busy;
    button.setAttribute("aria-disabled", "true");
    say.textContent = "";
    try {
      const fields = Object.fromEntries(new FormData(form));
      const begun = await post(form.dataset.start, fields);
      if (begun.location) return go(begun.location);
      const create = form.dataset.passkey === "create";
      const publicKey = PublicKeyCredential[create ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"](begun.publicKey);
      const credential = await navigator.credentials[create ? "create" : "get"]({ publicKey });
      go((await post(form.dataset.finish, { ...fields, ceremony: begun.ceremony, credential: credential.toJSON() })).location);
    } catch (problem) {
      say.textContent = problem.name === "NotAllowedError" || problem.name === "AbortError" ? form.dataset.cancelled : (problem.name === "Error" && !("own" in form.dataset) && problem.message) || form.dataset.failed;
      button.textContent = label;
      button.removeAttribute("aria-disabled");
    }
  });
}
