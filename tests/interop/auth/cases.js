// cases.js: who joins, and who is refused, for the JavaScript peers of this folder. The same as
// cases.py.
"use strict";

const assert = require("assert");
const cases = require("./cases.json");

const REASON = "wamp.error.authentication_failed";

class Refused extends Error {}

async function joins(attempt, url, one) {
  const { authid, authrole, authmethod } = await attempt(url, one);
  assert.deepStrictEqual([authrole, authmethod], [one.role || "user", one.method]);
  if (one.authid) assert.strictEqual(authid, one.authid);
}

async function refused(attempt, url, one) {
  try {
    await attempt(url, one);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    assert(error.message.includes(REASON), `refused with ${error.message}`);
    return;
  }
  throw new Error("has joined");
}

async function main(attempt) {
  const todo = cases.joins.map((one) => [joins, one])
    .concat(cases.refused.map((one) => [refused, one]));
  for (const [number, [check, one]] of todo.entries()) {
    try {
      await check(attempt, process.argv[2], one);
      console.log(`ok ${number + 1} - ${one.name}`);
    } catch (error) {
      console.log(`not ok ${number + 1} - ${one.name}: ${String(error.stack || error)
        .replace(/\n/g, "\\n")}`);
    }
  }
  process.exit(0);
}

module.exports = { Refused, main };
