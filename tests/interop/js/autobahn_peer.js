// autobahn_peer.js: the verbs of scenario.js by autobahn-js.
"use strict";

const autobahn = require("autobahn");
const scenario = require("./scenario.js");

const list = (args) => args || [];
const dict = (kwargs) => kwargs || {};

function unpack(result) {
  if (result instanceof autobahn.Result) return { args: list(result.args), kwargs: dict(result.kwargs) };
  return { args: result === null || result === undefined ? [] : [result], kwargs: {} };
}

function unpack_error(error) {
  if (!(error instanceof autobahn.Error)) throw error;
  throw { uri: error.error, args: list(error.args), kwargs: dict(error.kwargs) };
}

function verbs(connection, session) {
  return {
    call: (uri, args, kwargs) => Promise.resolve(session.call(uri, args, kwargs))
      .then(unpack, unpack_error),
    stream: async (uri, args) => {
      const parts = [];
      const result = await session.call(uri, args, {}, { receive_progress: true })
        .then(null, null, (part) => { parts.push(part); });
      return { parts, args: unpack(result).args };
    },
    register: (uri, handler) => Promise.resolve(session.register(uri, async (args, kwargs, details) => {
      const result = await handler(list(args), dict(kwargs), (value) => details.progress([value]));
      return new autobahn.Result(result.args, result.kwargs);
    })),
    unregister: (handle) => Promise.resolve(handle.unregister()),
    subscribe: (uri, handler) => Promise.resolve(
      session.subscribe(uri, (args, kwargs) => { handler(list(args), dict(kwargs)); })),
    unsubscribe: (handle) => Promise.resolve(handle.unsubscribe()),
    publish: (uri, args, kwargs, acknowledge) =>
      Promise.resolve(session.publish(uri, args, kwargs, { acknowledge })),
    drop: () => connection._transport.close(3000, "gone"),
    close: () => new Promise((resolve) => {
      connection.onclose = (reason) => resolve(reason);
      connection.close();
    }),
  };
}

const serializers = {
  json: () => new autobahn.serializer.JSONSerializer(),
  msgpack: () => new autobahn.serializer.MsgpackSerializer(),
  cbor: () => new autobahn.serializer.CBORSerializer(),
};

function open(url) {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0,
      serializers: [serializers[process.env.WAMPY_SERIALIZER || "json"]()] });
    connection.onopen = (session) => resolve(verbs(connection, session));
    connection.onclose = (reason, details) => {
      reject(new Error(reason + ": " + details.message));
      return true;
    };
    connection.open();
  });
}

scenario.main(open, (uri, args, kwargs) => new autobahn.Error(uri, args, kwargs));
