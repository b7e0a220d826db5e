// autobahn_app: the app under test in JavaScript: node autobahn_app.js callee|caller|subscriber URL
// The same three roles as in ../apps/*.lua, written as autobahn-js's own examples are.
"use strict";
const autobahn = require("autobahn");
const [role, url] = process.argv.slice(2);

const roles = {
  callee(session) {
    session.register("bench_echo", (args) => args[0]);
  },

  async caller(session) {
    let text = "begin";
    while (text !== "stop") text = await session.call("bench_next", [text]);
    connection.close();
  },

  subscriber(session) {
    let count = 0;
    session.subscribe("bench_event", ([seq]) => {
      if (seq > 0) count += 1;
      if (seq % 1000 === 0) session.publish("bench_ack", [], { seq, count });
    });
  },
};

const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0 });
connection.onopen = roles[role];
connection.open();
