// autobahn_app: the app under test in JavaScript: node autobahn_app.js ROLE URL
// The same roles as in ../apps/*.lua, written as autobahn-js's own examples are: callee, caller,
// subscriber, stream_callee, stream_caller.
"use strict";
const autobahn = require("autobahn");
const [role, url] = process.argv.slice(2);

const spent = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) * 1000;
};

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

  async stream_callee(session) {
    const text = "x".repeat(32);
    let since;
    await session.register("bench_stream", ([count, warmup], kwargs, details) => {
      for (let i = 1; i <= count; i++) {
        if (i === warmup) since = process.cpuUsage();
        details.progress([i, text]);
      }
      return count;
    });
    await session.register("bench_spent", () => new autobahn.Result([spent(since), 0]));
    console.log("joined");
  },

  async stream_caller(session) {
    const count = Number(process.env.BENCH_COUNT), warmup = Number(process.env.BENCH_WARMUP);
    let seen = 0, bad = 0, since, began;
    const part = ({ args: [seq] }) => {
      seen += 1;
      if (seq !== seen) bad += 1;
      if (seen === warmup) {
        since = process.cpuUsage();
        began = process.hrtime.bigint();
      }
    };
    // autobahn-js hands on parts as when.js notifications
    await session.call("bench_stream", [count, warmup], {}, { receive_progress: true })
      .then(null, null, part);
    const caller_ns = spent(since), elapsed_ns = Number(process.hrtime.bigint() - began);
    const { args: [callee_ns, callee_kib] } = await session.call("bench_spent");
    console.log(JSON.stringify({ count: count - warmup, bad: bad + count - seen, elapsed_ns,
      caller_ns, caller_kib: 0, callee_ns, callee_kib }));
    connection.close();
  },
};

const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0 });
connection.onopen = roles[role];
connection.open();
