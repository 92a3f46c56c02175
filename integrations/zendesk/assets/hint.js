// Puts the gate's panel beside the ticket and tells it, as a hint, who the ticket is from. The gate does not believe
// it: it stands in the panel's search field until the agent searches. Nothing is read back from the panel.
const client = ZAFClient.init();
const frame = document.getElementById("panel");
const say = (text) => {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = false;
};

const { settings } = await client.metadata();
const gate = URL.canParse(settings.gate) ? new URL(settings.gate) : undefined;
if (!gate || gate.protocol !== "https:") {
  say("The address of the gate in this app's settings is not an https address.");
} else {
  const about = await client.get(["ticket.id", "ticket.requester.email"]);
  const ticket = String(about["ticket.id"] ?? "");
  const hint = { countersign: "hint", q: about["ticket.requester.email"] ?? "", ticket };
  frame.addEventListener("load", () => frame.contentWindow.postMessage(hint, gate.origin));
  frame.src = `${gate.origin}/panel?ticket=${encodeURIComponent(ticket)}`;
  frame.hidden = false;
  client.invoke("resize", { width: "100%", height: "640px" });
}
