// kept.js: events that the router keeps, by autobahn-js. The same as kept.py.
//
// usage: kept.js URL PREFIX
"use strict";

const assert = require("assert");
const { Ear, open, run } = require("../js/pairs.js");

const prefix = process.argv[3];

function retain(session, topic, ...args) {
  return session.publish(topic, args, {}, { acknowledge: true, retain: true });
}

const tests = {
  async "a retained event comes to who asks"(one, other) {
    const ear = new Ear();
    await retain(one, `${prefix}state`, "first");
    await retain(one, `${prefix}state`, "second");
    await ear.subscribe(other, `${prefix}state`, { get_retained: true });
    assert.deepStrictEqual((await ear.next()).args, ["second"]);
    assert.deepStrictEqual(ear.heard, []);
  },

  async "a pattern gets the retained of each topic"(one, other) {
    const ear = new Ear();
    await retain(one, `${prefix}many.a`, 1);
    await retain(one, `${prefix}many.b`, 2);
    await ear.subscribe(other, `${prefix}many.`, { match: "prefix", get_retained: true });
    for (const [value, topic] of [[1, "many.a"], [2, "many.b"]]) {
      const { args, details } = await ear.next();
      assert.deepStrictEqual([args, details.topic], [[value], prefix + topic]);
    }
  },

  async "the history is told both ways"(one, other) {
    for (const i of [1, 2, 3, 4]) {
      await one.publish(`com.log.${prefix}x`, [i], { k: i }, { acknowledge: true });
    }
    const history = await other.call("wamp.subscription.lookup", ["com.log.", { match: "prefix" }]);
    const told = await other.call("wamp.subscription.get_events", [history]);
    assert.deepStrictEqual(told.args.map((event) => event.args), [[2], [3], [4]]);
    assert.deepStrictEqual(told.args[0].kwargs, { k: 2 });
    const theirs = await other.call("wamp.subscription.get_events", [history, 2]);
    assert.deepStrictEqual(theirs.map((event) => event.args), [[4], [3]]);
  },

  async "a testament is published"(_, other) {
    const ear = new Ear();
    const third = await open();
    await ear.subscribe(other, `${prefix}last`);
    const added = await third.call("wamp.session.add_testament",
      [`${prefix}last`, ["gone"], { k: 1 }]);
    assert(Number.isInteger(added));
    third.connection.close();
    const { args, kwargs } = await ear.next();
    assert.deepStrictEqual([[...args], { ...kwargs }], [["gone"], { k: 1 }]);
  },

  async "a subscription is taken back"(one, other) {
    const subscription = await new Ear().subscribe(other, `${prefix}news`);
    await one.call("wamp.subscription.remove_subscriber", [subscription.id, other.id]);
    await other.call("wamp.session.count"); // behind UNSUBSCRIBED
    assert.strictEqual(subscription.active, false);
  },
};

run(tests);
