// wampy_calls.js: calls in parts, payload passthru and cancelling, by wampy.js on both ends.
// usage: wampy_calls.js URL
//
// It has calls in parts, but does not announce them, nor that its callee can be interrupted: what
// it says of itself is set right here.
"use strict";

const assert = require("assert");
const { Wampy } = require("wampy");
const WebSocket = require("ws");
const { error_of, test, until } = require("../js/scenario.js");

const [url] = process.argv.slice(2);
const uri = (name) => "interop.rpc.wampy_js." + name;
const forever = () => new Promise(() => {}); // what a handler returns that does not answer yet

async function open(...features) {
  const wampy = new Wampy(url, { ws: WebSocket, realm: "realm1", autoReconnect: false });
  for (const role of ["caller", "callee"])
    for (const feature of features)
      wampy._wamp_features.roles[role].features[feature] = true;
  await wampy.connect();
  return wampy;
}

const refused = (promise) => error_of(promise.catch((error) => {
  throw Object.assign(error, { uri: error.errorUri || error.error });
}));

let caller, callee, plain;

test([
  ["joins", async () => {
    caller = await open("progressive_call_invocations");
    callee = await open("progressive_call_invocations", "call_canceling",
      "progressive_call_results");
    plain = await open();
  }],
  ["arguments in parts", async () => {
    const parts = [];
    await callee.register(uri("sum"), ({ details, argsList }) => {
      parts.push(argsList[0]);
      return details.progress ? forever() : { argsList: [parts] };
    });
    const call = caller.progressiveCall(uri("sum"), [1]);
    call.sendData([2], { progress: true });
    call.sendData([3], { progress: false });
    assert.deepStrictEqual((await call.result).argsList, [[1, 2, 3]]);
  }],
  ["arguments and results in parts", async () => {
    await callee.register(uri("double"), ({ details, argsList }) =>
      ({ argsList: [argsList[0] * 2], options: { progress: details.progress === true } }));
    const seen = [];
    const call = caller.progressiveCall(uri("double"), [1],
      { progress_callback: ({ argsList }) => { seen.push(argsList[0]); } });
    call.sendData([2], { progress: true });
    await until(() => seen.length === 2);
    call.sendData([3], { progress: false });
    assert.deepStrictEqual((await call.result).argsList, [6]);
    assert.deepStrictEqual(seen, [2, 4]);
  }],
  ["a callee that does not take parts", async () => {
    await plain.register(uri("plain"), () => null);
    const error = await refused(caller.progressiveCall(uri("plain"), [1]).result);
    assert.strictEqual(error.uri, "wamp.error.feature_not_supported");
  }],
  ["a callee that has enough before the last part", async () => {
    await callee.register(uri("enough"), () => ({ argsList: ["enough"] }));
    const call = caller.progressiveCall(uri("enough"), [1]);
    call.sendData([2], { progress: true });
    assert.deepStrictEqual((await call.result).argsList, ["enough"]);
    call.sendData([3], { progress: false });
    assert.deepStrictEqual((await caller.call(uri("enough"), [4])).argsList, ["enough"]);
  }],
  ["payload passthru", async () => {
    await plain.register(uri("sealed"), ({ details, argsList, argsDict }) => ({
      argsList: [details.ppt_scheme, argsList, argsDict],
      options: { ppt_scheme: "x_back", ppt_serializer: "json" },
    }));
    const result = await caller.call(uri("sealed"), { argsList: [1, "two"], argsDict: { k: [] } },
      { ppt_scheme: "x_own", ppt_serializer: "json" });
    assert.strictEqual(result.details.ppt_scheme, "x_back");
    assert.deepStrictEqual(result.argsList, ["x_own", [1, "two"], { k: [] }]);
  }],
  ["cancelling, in each mode", async () => {
    await callee.register(uri("hang"), forever);
    for (const mode of ["skip", "killnowait"]) {
      const call = caller.call(uri("hang"));
      caller.cancel(caller.getOpStatus().reqId, { mode });
      assert.strictEqual((await refused(call)).uri, "wamp.error.canceled");
    }
    await plain.register(uri("deaf"), forever); // nobody who could be killed
    const call = caller.call(uri("deaf"));
    caller.cancel(caller.getOpStatus().reqId, { mode: "kill" });
    assert.strictEqual((await refused(call)).uri, "wamp.error.canceled");
  }],
]);
