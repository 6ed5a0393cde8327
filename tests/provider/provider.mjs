// A real provider of OpenID Connect for the tests: whoever is named by ?account= on the way is signed in there.
// An account is SUBJECT~EMAIL~VERIFIED. Prints its issuer once it listens, and ends with its standard input.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const jwk = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg,
});
const client = (id, more) => ({
  client_id: id,
  client_secret: `secret of ${id}`,
  // A native client's loopback address may have any port (RFC 8252, 7.3), and each test's server has its own.
  application_type: "native",
  redirect_uris: [`http://127.0.0.1/api/v1/auth/oidc/${id}/callback`],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
});

const configuration = {
  clients: [
    client("basic", {}),
    client("post", { token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: "ES256" }),
    client("public", { token_endpoint_auth_method: "none", client_secret: undefined }),
  ],
  jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, "RS256"), jwk("ec", { namedCurve: "P-256" }, "ES256")] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  async findAccount(_, id) {
    const [, email, verified] = id.split("~");
    return { accountId: id, claims: () => ({ sub: id, email, email_verified: verified === "true", name: "Ada" }) };
  },
};

async function interact(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const account = new URL(request.url, provider.issuer).searchParams.get("account");
  if (account === "nobody") {
    const refusal = { error: "access_denied", error_description: "the person <b>said</b> no" };
    return provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
  }
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: account } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, configuration);
  const others = provider.callback();
  answer = (request, response) => {
    if (!request.url.startsWith("/interaction/")) return others(request, response);
    return interact(provider, request, response).catch((error) => response.writeHead(500).end(String(error)));
  };
  console.log(provider.issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
