// features.js: what the router announces in WELCOME, used by autobahn-js. The same as features.py,
// and trust levels, which no library reads.
//
// usage: features.js URL PREFIX
"use strict";

const assert = require("assert");
const { Ear, run } = require("../js/pairs.js");

const prefix = process.argv[3];

function publish(session, topic, args, options) {
  return session.publish(prefix + topic, args, {}, { acknowledge: true, ...options });
}

// A procedure that answers with what `answer` makes of its details.
function register(session, uri, answer, options) {
  return session.register(prefix + uri, (args, kwargs, details) => answer(details), options);
}

const tests = {
  async "subscriptions by prefix and wildcard"(one, other) {
    const [byPrefix, wildcard] = [new Ear(), new Ear()];
    await byPrefix.subscribe(other, `${prefix}p.`, { match: "prefix" });
    await wildcard.subscribe(other, `${prefix}p..x`, { match: "wildcard" });
    await publish(one, "p.a.y", [1]);
    await publish(one, "p.b.x", [2]);
    for (const [value, topic] of [[1, "p.a.y"], [2, "p.b.x"]]) {
      const { args, details } = await byPrefix.next();
      assert.deepStrictEqual([args, details.topic], [[value], prefix + topic]);
    }
    const { args, details } = await wildcard.next();
    assert.deepStrictEqual([args, details.topic], [[2], `${prefix}p.b.x`]);
    assert.deepStrictEqual([byPrefix.heard, wildcard.heard], [[], []]);
  },

  async "a publisher is excluded unless he wants"(one) {
    const ear = new Ear();
    await ear.subscribe(one, `${prefix}self`);
    await publish(one, "self", ["unheard"]);
    await publish(one, "self", ["heard"], { exclude_me: false });
    assert.deepStrictEqual((await ear.next()).args, ["heard"]);
  },

  async "black and white lists choose"(one, other) {
    const ear = new Ear();
    await ear.subscribe(other, `${prefix}lists`);
    await publish(one, "lists", [1], { exclude: [other.id] });
    await publish(one, "lists", [2], { eligible: [] });
    await publish(one, "lists", [3], { exclude_authrole: ["anonymous"] });
    await publish(one, "lists", [4], { eligible_authrole: ["admin"] });
    await publish(one, "lists", [5], { eligible: [other.id] });
    assert.deepStrictEqual((await ear.next()).args, [5]);
  },

  async "a publisher is told"(one, other) {
    const ear = new Ear();
    await ear.subscribe(other, `${prefix}told`);
    await publish(one, "told", [], { disclose_me: true });
    assert.strictEqual((await ear.next()).details.publisher, one.id);
  },

  async "a caller is told"(one, other) {
    await register(other, "who", (details) => details.caller);
    assert.strictEqual(await one.call(`${prefix}who`, [], {}, { disclose_me: true }), one.id);
    await register(other, "always", (details) => details.caller, { disclose_caller: true });
    assert.strictEqual(await one.call(`${prefix}always`), one.id);
  },

  async "the most exact registration is called"(one, other) {
    const named = (name) => (details) => `${name} ${details.procedure}`;
    await register(other, "r.", named("prefix"), { match: "prefix" });
    await register(other, "r..x", named("wildcard"), { match: "wildcard" });
    await register(other, "r.a.x", () => "exact");
    assert.strictEqual(await one.call(`${prefix}r.b.y`), `prefix ${prefix}r.b.y`);
    assert.strictEqual(await one.call(`${prefix}r.a.x`), "exact");
  },

  async "callees share in turn"(one, other) {
    await register(one, "shared", () => "one", { invoke: "roundrobin" });
    await register(other, "shared", () => "other", { invoke: "roundrobin" });
    const got = [];
    for (let i = 0; i < 4; i += 1) got.push(await one.call(`${prefix}shared`));
    assert.deepStrictEqual(got, ["one", "other", "one", "other"]);
  },

  async "trust levels do not disturb who does not read them"(one, other) {
    const ear = new Ear();
    const [topic, procedure] = [`com.trusted.${prefix}t`, `com.trusted.${prefix}p`];
    await ear.subscribe(other, topic);
    await other.register(procedure, () => "called");
    await one.publish(topic, ["x"], {}, { acknowledge: true });
    assert.deepStrictEqual((await ear.next()).args, ["x"]);
    assert.strictEqual(await one.call(procedure), "called");
  },

  async "sessions are told of"(one, other) {
    const list = await one.call("wamp.session.list");
    assert.strictEqual(await one.call("wamp.session.count"), list.length);
    assert(list.includes(other.id));
    assert.strictEqual((await one.call("wamp.session.get", [other.id])).authrole, "anonymous");
  },

  async "registrations are told of"(one, other) {
    await register(other, "meta", () => null);
    const found = await one.call("wamp.registration.lookup", [`${prefix}meta`]);
    assert.strictEqual(await one.call("wamp.registration.match", [`${prefix}meta`]), found);
    assert.strictEqual((await one.call("wamp.registration.get", [found])).uri, `${prefix}meta`);
    assert.deepStrictEqual(await one.call("wamp.registration.list_callees", [found]), [other.id]);
  },

  async "subscriptions are told of"(one, other) {
    await new Ear().subscribe(other, `${prefix}meta`);
    const found = await one.call("wamp.subscription.lookup", [`${prefix}meta`]);
    assert((await one.call("wamp.subscription.match", [`${prefix}meta`])).includes(found));
    assert.strictEqual(await one.call("wamp.subscription.count_subscribers", [found]), 1);
    assert.deepStrictEqual(await one.call("wamp.subscription.list_subscribers", [found]),
      [other.id]);
  },
};

run(tests);
