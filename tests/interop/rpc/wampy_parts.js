// wampy_parts.js: the wampy.js half of parts.lua: serves `total`, and calls in parts when asked to.
// usage: wampy_parts.js URL          prints "ready"
"use strict";

const { Wampy } = require("wampy");
const WebSocket = require("ws");

const [url] = process.argv.slice(2);
const uri = (name) => "interop.parts.wampy_js." + name;

async function main() {
  const wampy = new Wampy(url, { ws: WebSocket, realm: "realm1", autoReconnect: false });
  // it has these, and does not say so
  const { caller, callee } = wampy._wamp_features.roles;
  for (const feature of ["progressive_call_invocations", "call_canceling", "progressive_call_results"])
    callee.features[feature] = caller.features[feature] = true;
  await wampy.connect();
  let total = 0;
  await wampy.register(uri("total"), ({ details, argsList }) => {
    total += argsList[0];
    return { argsList: [total], options: { progress: details.progress === true } };
  });
  // Sends the numbers in parts to a procedure, and answers with what came of it.
  await wampy.register(uri("send"), async ({ argsList: [to, numbers] }) => {
    const seen = [];
    const call = wampy.progressiveCall(to, [numbers[0]],
      { progress_callback: (part) => { seen.push(part.argsList[0]); } });
    numbers.slice(1).forEach((n, i) => call.sendData([n], { progress: i + 2 < numbers.length }));
    const { argsList: [result] } = await call.result;
    return { argsList: [result, seen] };
  });
  console.log("ready");
}

main().catch((error) => { console.error(error); process.exit(1); });
