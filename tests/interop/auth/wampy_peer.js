// wampy_peer.js: the cases by wampy.js, with its own helpers.
"use strict";

const path = require("path");
const { Wampy } = require("wampy");
const WebSocket = require("ws");
const { Refused, main } = require("./cases.js");

// Its helper for wampcra is a module for `import`, which does not look into NODE_PATH.
const helper = (name) =>
  import(path.join(path.dirname(require.resolve("wampy")), "../esm/auth", name));

const answers = {
  ticket: async (one) => () => one.secret,
  wampcra: async (one) => (await helper("wampcra/wampy-cra.js")).sign(one.secret),
  cryptosign: async (one) => (await helper("cryptosign/wampy-cryptosign.js")).sign(one.secret),
};

async function attempt(url, one) {
  const options = { ws: WebSocket, realm: "realm1", autoReconnect: false };
  if (one.authid) {
    Object.assign(options, { authid: one.authid, authmethods: [one.method],
      onChallenge: await answers[one.method](one) });
  }
  if (one.pubkey) options.authextra = { pubkey: one.pubkey };
  const wampy = new Wampy(url, options);
  let details;
  try {
    details = await wampy.connect();
  } catch (error) {
    throw new Refused(`${error.errorUri}: ${error.message}`);
  }
  await wampy.disconnect();
  return details;
}

main(attempt);
