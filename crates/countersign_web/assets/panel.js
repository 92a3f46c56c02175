// The page beside the panel may say whom its ticket is about. It is not believed: what it says is put into the search
// field, where the agent reads it, and nothing is searched, chosen or opened before the agent presses a button.
const q = document.getElementById("q"), ticket = document.getElementById("ticket");
const from = (q?.dataset.hintsFrom ?? "").split(" ").filter(Boolean);
const short = (text) => (typeof text === "string" || typeof text === "number" ? String(text).trim().slice(0, 100) : "");
// Ours, from the Zendesk app: { countersign: "hint", q, ticket }. Chatwoot's: a JSON text with the conversation's contact.
const read = (data) => {
  if (data?.countersign === "hint") return [data.q, data.ticket];
  if (typeof data !== "string" || data.length > 1e6) return [];
  try {
    const { event, data: said } = JSON.parse(data);
    return event === "appContext" ? [said?.contact?.email || said?.contact?.phone_number, said?.conversation?.id] : [];
  } catch {
    return [];
  }
};
addEventListener("message", (e) => {
  if (!q || e.source !== parent || !from.includes(e.origin)) return;
  const [who, which] = read(e.data).map(short);
  if (who && !q.value) q.value = who;
  if (which && ticket && !ticket.value) ticket.value = which;
});
// Chatwoot tells once when the tab opens, and again when it is asked. The question holds nothing.
if (q && parent !== window && from.length) parent.postMessage("chatwoot-dashboard-app:fetch-info", "*");
