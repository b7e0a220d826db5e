// wampy_sealed.js: the wampy.js half of sealed.lua: serves `join`, calls when asked to, and publishes
// what it hears, all in payload passthru mode.
// usage: wampy_sealed.js URL          prints "ready"
//
// Its session speaks CBOR: in JSON it has no bytes. Its payloads of the format "gcm" are encrypted
// by Node, as nonce, text and tag.
"use strict";

const crypto = require("crypto");
const { Wampy } = require("wampy");
const WebSocket = require("ws");
const { JsonSerializer } = require("wampy/JsonSerializer.js");
const { MsgpackSerializer } = require("wampy/MsgpackSerializer.js");
const { CborSerializer } = require("wampy/CborSerializer.js");

const [url] = process.argv.slice(2);
const uri = (name) => "interop.sealed.wampy_js." + name;
const KEY = Buffer.from("k".repeat(32));

const gcm = {
  encode(value) {
    const nonce = crypto.randomBytes(12);
    const cipher = crypto.createCipheriv("aes-256-gcm", KEY, nonce);
    const text = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
    return Buffer.concat([nonce, text, cipher.getAuthTag()]);
  },
  decode(bytes) {
    const all = Buffer.from(bytes);
    const decipher = crypto.createDecipheriv("aes-256-gcm", KEY, all.subarray(0, 12));
    decipher.setAuthTag(all.subarray(-16));
    return JSON.parse(Buffer.concat([decipher.update(all.subarray(12, -16)), decipher.final()]));
  },
};

const sealed = ({ ppt_scheme, ppt_serializer }) => ({ ppt_scheme, ppt_serializer });

async function main() {
  const wampy = new Wampy(url, { ws: WebSocket, realm: "realm1", autoReconnect: false,
    serializer: new CborSerializer(), payloadSerializers: { json: new JsonSerializer(),
      msgpack: new MsgpackSerializer(), cbor: new CborSerializer(), gcm } });
  await wampy.connect();
  await wampy.register(uri("join"), ({ details, argsList: [a, b], argsDict }) => ({
    argsList: [`${a}${argsDict.sep}${b} by ${details.ppt_serializer}`],
    argsDict: { n: a.length + b.length }, options: sealed(details),
  }));
  await wampy.register(uri("ask"), async ({ argsList: [to, format, args, kwargs] }) => {
    const { argsList: [text] } = await wampy.call(to, { argsList: args, argsDict: kwargs || {} },
      { ppt_scheme: "x_both", ppt_serializer: format });
    return { argsList: [text] };
  });
  await wampy.subscribe(uri("news"), ({ details, argsList }) =>
    wampy.publish("interop.sealed.lua.news", argsList, sealed(details)));
  console.log("ready");
}

main().catch((error) => { console.error(error); process.exit(1); });
