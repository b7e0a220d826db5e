// autobahn_calls.js: busy callees, procedures taken over and cancelling, by autobahn-js on both ends.
// usage: autobahn_calls.js URL router|crossbar
"use strict";

const assert = require("assert");
const autobahn = require("autobahn");
const { error_of, test, until } = require("../js/scenario.js");

const [url, router] = process.argv.slice(2);
const ours = router === "router";
const uri = (name) => "interop.rpc.autobahn_js." + name;

function open() {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0,
      use_es6_promises: true });
    connection.onopen = resolve;
    connection.onclose = (reason) => { reject(new Error(reason)); return true; };
    connection.open();
  });
}

const refused = (promise) => error_of(Promise.resolve(promise).catch((error) => {
  throw Object.assign(error, { uri: error.error });
}));

// A callee that answers when it is told to, and counts.
function worker() {
  const w = { running: 0, most: 0, answers: [] };
  w.handle = () => {
    w.most = Math.max(w.most, ++w.running);
    return new Promise((resolve) => { w.answers.push(resolve); }).then(() => { w.running--; });
  };
  return w;
}

let caller, one, two;

test([
  ["joins", async () => { [caller, one, two] = await Promise.all([open(), open(), open()]); }],
  ["two callees of one call at a time", async () => {
    const workers = [worker(), worker()];
    const options = { invoke: "roundrobin", concurrency: 1 };
    await one.register(uri("busy"), workers[0].handle, options);
    await two.register(uri("busy"), workers[1].handle, options);
    const first = [caller.call(uri("busy")), caller.call(uri("busy"))];
    await until(() => workers.every((w) => w.running === 1));
    const third = caller.call(uri("busy"));
    if (ours) { // it waits
      workers.forEach((w) => w.answers.shift()());
      await Promise.all(first);
      await until(() => workers.some((w) => w.running === 1));
    } else {
      assert.strictEqual((await refused(third)).uri, "crossbar.error.max_concurrency_reached");
    }
    workers.forEach((w) => w.answers.forEach((answer) => answer()));
    if (ours) await third;
    assert.deepStrictEqual(workers.map((w) => w.most), [1, 1]);
  }],
  ["concurrency must be at least 1", async () => {
    if (ours)
      assert.strictEqual((await refused(one.register(uri("none"), () => 1, { concurrency: 0 }))).uri,
        "wamp.error.invalid_argument");
  }],
  ["a procedure that is taken over", async () => {
    const old = await one.register(uri("mine"), () => "one");
    await two.register(uri("mine"), () => "two", { force_reregister: true });
    assert.strictEqual(await caller.call(uri("mine")), "two");
    await until(() => !old.active);
  }],
  ["cancelling", async () => {
    await one.register(uri("hang"), () => new Promise(() => {}));
    const call = caller.call(uri("hang"));
    call.cancel({ mode: "kill" }); // its callee cannot be interrupted: skip
    if (ours) assert.strictEqual((await refused(call)).uri, "wamp.error.canceled");
  }],
]);
