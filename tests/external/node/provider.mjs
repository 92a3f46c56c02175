// Somebody else's OpenID provider (npm oidc-provider), for tests on the loopback: company login, CIBA, staff sign-in.
// Run in the folder `install` filled: node provider.mjs REDIRECT_URI… ; prints `ready ISSUER` and ends with its input.
//
// Whoever signs in types an account; `weak` in front of it signs in with a password alone. A push waits until
// POST /device/yes, /device/no or /device/weak.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "here.js"));
const { default: Provider, errors } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const STRONG = "urn:acme:mfa", WEAK = "urn:acme:password";
const people = {
  "c-1042": {},
  "c-7": {},
  "nils": { name: "Nils Ek", email: "nils@acme.example", groups: ["support", "juggling"] },
  "petra": { name: "Petra Holm", email: "petra.holm@acme.example", groups: ["support", "support-leads"] },
  "otto": { name: "Otto", email: "otto@acme.example", groups: ["juggling"] },
};

// Nothing that oidc-provider warns about in development is of interest to a test.
console.info = console.warn = () => {};

const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

let waiting;
const pushes = [];
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "test" }] },
  clients: [{
    client_id: "countersign",
    client_secret: "a client secret: 100%",
    grant_types: ["authorization_code", "urn:openid:params:grant-type:ciba"],
    response_types: ["code"],
    redirect_uris: process.argv.slice(2),
    id_token_signed_response_alg: "ES256",
    backchannel_token_delivery_mode: "poll",
  }],
  pkce: { required: () => true },
  acrValues: [STRONG, WEAK],
  claims: { openid: ["sub"], acr: null, auth_time: null, profile: ["name"], email: ["email"], groups: ["groups"] },
  scopes: ["openid", "profile", "email", "groups"],
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["only for a test"] },
  features: {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true },
    ciba: {
      enabled: true,
      deliveryModes: ["poll"],
      processLoginHint: (_, hint) => people[hint] && hint,
      verifyUserCode: () => {},
      validateRequestContext: () => {},
      validateBindingMessage: (_, message) => {
        if (message && [...message].length > 40) throw new errors.InvalidBindingMessage();
      },
      triggerAuthenticationDevice: (ctx, request, account) => {
        waiting = request;
        pushes.push({ account: account.accountId, message: ctx.oidc.params.binding_message });
      },
    },
  },
});
provider.on("server_error", (_, error) => console.error(error));

const granted = async (accountId) => {
  const grant = new provider.Grant({ accountId, clientId: "countersign" });
  grant.addOIDCScope("openid profile email groups");
  grant.addOIDCClaims(["acr", "auth_time"]);
  await grant.save();
  return grant;
};

const body = async (request) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
};

const page = (response, html) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>Acme sign-in</title><link rel="icon" href="data:,"><h1>Acme sign-in</h1>${html}`);
};

const callback = provider.callback();
server.on("request", async (request, response) => {
  try {
    const url = new URL(request.url, issuer);
    if (url.pathname === "/pushes") {
      response.end(JSON.stringify(pushes));
    } else if (url.pathname.startsWith("/device/") && request.method === "POST") {
      const how = url.pathname.slice(8);
      const result = how === "no" ? new errors.AccessDenied() : await granted(waiting.accountId);
      await provider.backchannelResult(waiting, result, { acr: how === "weak" ? WEAK : STRONG });
      response.end();
    } else if (url.pathname.startsWith("/interaction/")) {
      const { prompt } = await provider.interactionDetails(request, response);
      if (request.method === "GET") {
        return page(response, `<form method="post"><label for="account">Account</label><input id="account" name="account"><button>Sign in</button><button name="turn" value="back">Turn back</button></form><p>${prompt.name}</p>`);
      }
      const form = await body(request);
      if (form.get("turn") === "back") {
        return await provider.interactionFinished(request, response, { error: "access_denied" });
      }
      const [accountId, weak] = form.get("account").split(" ").reverse();
      const login = { accountId, acr: weak ? WEAK : STRONG, remember: true };
      const grantId = (await granted(accountId)).jti;
      await provider.interactionFinished(request, response, { login, consent: { grantId } });
    } else {
      await callback(request, response);
    }
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end();
  }
});

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.stdout.write(`ready ${issuer}\n`);
