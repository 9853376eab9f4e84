// A certified authorization server, and an API that takes its tokens: node oidc_server.mjs FOLDER-OF-THE-PACKAGE KEYS CERTIFICATES; prints
// `ready ADDRESS TLS-ADDRESS`. KEYS is a JSON Web Key Set: the public keys of the client that signs. CERTIFICATES is a folder with an authority, and
// a certificate of the server: at the second address clients have to show one, and tokens are bound to it. Whoever opens the consent page consents.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";

const { default: Provider } = await import(join(process.argv[2], "lib", "index.js"));
const keys = JSON.parse(process.argv[3]);
const certificate = (name) => readFileSync(join(process.argv[4], name));
const secret = "secret-token";
const grants = ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"];

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const common = { response_types: ["code"], redirect_uris: ["http://127.0.0.1/back"], application_type: "native" };
const provider = new Provider(issuer, {
  clients: [
    { ...common, client_id: "basic", client_secret: secret, grant_types: grants },
    { ...common, client_id: "body", client_secret: secret, grant_types: grants, token_endpoint_auth_method: "client_secret_post" },
    { ...common, client_id: "public", grant_types: grants.filter((grant) => grant !== "client_credentials"), token_endpoint_auth_method: "none" },
    {
      client_id: "signer", grant_types: ["client_credentials"], response_types: [], redirect_uris: [],
      token_endpoint_auth_method: "private_key_jwt", jwks: keys,
    },
    {
      client_id: "certified", grant_types: ["client_credentials"], response_types: [], redirect_uris: [], token_endpoint_auth_method: "tls_client_auth",
      tls_client_auth_subject_dn: "CN=a client", tls_client_certificate_bound_access_tokens: true,
    },
    {
      client_id: "hmac", client_secret: secret.repeat(4), grant_types: ["client_credentials"], response_types: [], redirect_uris: [],
      token_endpoint_auth_method: "client_secret_jwt",
    },
  ],
  scopes: ["openid", "offline_access", "read"],
  clientAuthMethods: ["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt", "tls_client_auth"],
  enabledJWA: { clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "HS256"] },
  features: {
    devInteractions: { enabled: false }, clientCredentials: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true },
    mTLS: {
      enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true,
      getCertificate: (ctx) => shown(ctx.req), certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === "tls_client_auth_subject_dn" && shown(ctx.req)?.subject === expected,
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client, code) => code.scopes.has("offline_access"),
  interactions: { url: (ctx, interaction) => `/consent/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: { AccessToken: 600, ClientCredentials: 600, RefreshToken: 3600, Interaction: 600, Session: 600, Grant: 3600, IdToken: 600, DeviceCode: 600 },
  cookies: { keys: ["test"] },
});

async function consent(request, response) {
  const interaction = await provider.interactionDetails(request, response);
  const { prompt, params, session } = interaction;
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "me" } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? "openid");
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

// Returns the certificate that a client shows.
function shown(request) {
  const raw = request.socket.getPeerCertificate?.()?.raw;
  return raw && new X509Certificate(raw);
}

function thumbprint(found) {
  return found && Buffer.from(found.fingerprint256.replaceAll(":", ""), "hex").toString("base64url");
}

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function items(request, response) {
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const known = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  const bound = known?.["x5t#S256"];
  if (!known?.isValid || (bound && bound !== thumbprint(shown(request)))) {
    return json(response, 401, { message: "who are you?" });
  }
  return json(response, 200, [1, 2, 3].map((id) => ({ id, client: known.clientId })));
}

const callback = provider.callback();
const handle = (request, response) => {
  const handled = request.url.startsWith("/items") ? items : request.url.startsWith("/consent/") ? consent : callback;
  Promise.resolve(handled(request, response)).catch((error) => json(response, 500, { message: String(error) }));
};
server.on("request", handle);
const tls = createTlsServer({ cert: certificate("good.pem"), key: certificate("server.key"), ca: certificate("ca.pem"), requestCert: true, rejectUnauthorized: false }, handle);
await new Promise((ready) => tls.listen(0, "127.0.0.1", ready));
console.log(`ready ${issuer} https://127.0.0.1:${tls.address().port}`);
