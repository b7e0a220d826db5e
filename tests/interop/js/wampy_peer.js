// wampy_peer.js: the verbs of scenario.js by wampy.js.
"use strict";

const { Wampy } = require("wampy");
const WebSocket = require("ws");
const { JsonSerializer } = require("wampy/JsonSerializer.js");
const { MsgpackSerializer } = require("wampy/MsgpackSerializer.js");
const { CborSerializer } = require("wampy/CborSerializer.js");
const scenario = require("./scenario.js");

const serializers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

// msgpackr reads integers of 64 bits as BigInt.
function plain(value) {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const list = (args) => plain(args || []);
const dict = (kwargs) => plain(kwargs || {});

function unpack_error(error) {
  if (!error.errorUri && !error.error) throw error;
  throw { uri: error.errorUri || error.error, args: list(error.argsList), kwargs: dict(error.argsDict) };
}

function payload(args, kwargs) {
  return { argsList: args, argsDict: kwargs };
}

async function open(url) {
  let sockets = [];
  class Socket extends WebSocket { // so that drop() can reach it
    constructor(...args) { super(...args); sockets.push(this); }
  }
  const serializer = new serializers[process.env.WAMPY_SERIALIZER || "json"]();
  const wampy = new Wampy(url, { ws: Socket, serializer, realm: "realm1", autoReconnect: false,
    uriValidation: "loose" });
  // it has parts of results as a callee, and does not say so
  wampy._wamp_features.roles.callee.features.progressive_call_results = true;
  await wampy.connect();
  return {
    call: (uri, args, kwargs) => wampy.call(uri, payload(args, kwargs)).then(
      (result) => ({ args: list(result.argsList), kwargs: dict(result.argsDict) }), unpack_error),
    stream: async (uri, args) => {
      const parts = [];
      const result = await wampy.call(uri, payload(args, {}),
        { progress_callback: ({ argsList }) => { parts.push(list(argsList)[0]); } });
      return { parts, args: list(result.argsList) };
    },
    register: async (uri, handler) => {
      await wampy.register(uri, async ({ argsList, argsDict, result_handler }) => {
        const result = await handler(list(argsList), dict(argsDict),
          (value) => result_handler({ argsList: [value], options: { progress: true } }));
        return payload(result.args, result.kwargs);
      });
      return uri;
    },
    unregister: (uri) => wampy.unregister(uri),
    subscribe: async (uri, handler) => {
      const got = await wampy.subscribe(uri,
        ({ argsList, argsDict }) => handler(list(argsList), dict(argsDict)));
      return got.subscriptionKey;
    },
    unsubscribe: (key) => wampy.unsubscribe(key),
    publish: (uri, args, kwargs) => wampy.publish(uri, payload(args, kwargs)), // acknowledged always
    drop: () => sockets.forEach((socket) => socket.terminate()),
    close: () => wampy.disconnect(),
  };
}

scenario.main(open, (uri, args, kwargs) =>
  Object.assign(new Error(uri), { error: uri, argsList: args, argsDict: kwargs }));
