// autobahn_peer.js: the cases by autobahn-js.
"use strict";

const autobahn = require("autobahn");
const nacl = require("tweetnacl");
const { Refused, main } = require("./cases.js");

function answer(one, method, extra) {
  if (method === "ticket") return one.secret;
  if (method === "cryptosign") {
    const seed = Uint8Array.from(Buffer.from(one.secret, "hex"));
    return autobahn.auth_cryptosign.sign_challenge(nacl.sign.keyPair.fromSeed(seed), extra);
  }
  const key = extra.salt
    ? autobahn.auth_cra.derive_key(one.secret, extra.salt, extra.iterations, extra.keylen)
    : one.secret;
  return autobahn.auth_cra.sign(key, extra.challenge);
}

function attempt(url, one) {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0,
      use_es6_promises: true, authmethods: [one.method], authid: one.authid,
      authextra: one.pubkey ? { pubkey: one.pubkey, channel_binding: null } : undefined,
      onchallenge: (session, method, extra) => answer(one, method, extra) });
    connection.onopen = (session, details) => {
      resolve(details);
      connection.close();
    };
    connection.onclose = (reason, details) => {
      reject(new Refused(`${details.reason}: ${details.message}`));
      return true;
    };
    connection.open();
  });
}

main(attempt);
