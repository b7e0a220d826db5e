// scenario.js: what a foreign JavaScript peer does, as a service and as a tester.
//
// It knows no library: a peer hands it `open(url)`, which resolves to a session of six verbs
//   call(uri, args, kwargs) -> { args, kwargs }, rejected with { uri, args, kwargs }
//   stream(uri, args) -> { parts, args }: the first values of a result's parts, and its last args
//   register(uri, handler) / subscribe(uri, handler) -> handle; handler(args, kwargs, progress)
//   unregister(handle), unsubscribe(handle), publish(uri, args, kwargs, acknowledge)
// and close() and drop() (without GOODBYE). `fail(uri, args, kwargs)` makes what a handler throws.
// Everything happens below a prefix of one's own, so that pairs can run side by side. The same
// service and the same tests stand in py/scenario.py and lua/scenario.lua.
"use strict";

const assert = require("assert");

const REFUSED = "interop.error.refused";
const TEXT = 'Grüße, мир, 世界, 🎉, "quoted" \\ and\na line';
const LONG = "x".repeat(50000) + "é".repeat(25000); // 100,000 bytes of UTF-8
const BIG = 2 ** 53, LOW = -(2 ** 63);

async function serve(open, fail, url, prefix) {
  const session = await open(url);
  const events = [];
  let hung = 0;
  const one = (value) => ({ args: [value], kwargs: {} });
  const procedures = {
    echo: (args, kwargs) => one({ args, kwargs }),
    mirror: (args, kwargs) => ({ args, kwargs }),
    fail: (args, kwargs) => { throw fail(REFUSED, args, kwargs); },
    hang: () => { hung++; return new Promise(() => {}); },
    hung: () => one(hung),
    heard: ([mark]) => one(events.filter((event) => event.kwargs.mark === mark)),
    say: async ([topic, args, kwargs]) => {
      await session.publish(topic, args, kwargs, true);
      return one(true);
    },
    count: ([n], _, progress) => {
      for (let i = 1; i <= n; i++) progress(i);
      return one("done");
    },
    leave: () => process.exit(0),
  };
  for (const [name, handler] of Object.entries(procedures))
    await session.register(prefix + "." + name, handler);
  await session.subscribe(prefix + ".news", (args, kwargs) => { events.push({ args, kwargs }); });
  console.log("ready");
}

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing within " + seconds + " s")), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function error_of(promise) {
  let result;
  try { result = await promise; } catch (error) {
    if (error.uri) return error;
    throw error;
  }
  throw new Error("no error but " + JSON.stringify(result));
}

// `wampy` is true when the service is Python wampy: one result, keyword events, errors of its own.
function tests(open, url, prefix, wampy) {
  let a, b;
  const uri = (name) => prefix + "." + name;
  const echo = async (...args) => {
    const result = await a.call(uri("echo"), args, {});
    assert.deepStrictEqual(result.args[0], { args, kwargs: {} });
  };
  const heard = (mark) => until(async () => {
    const [events] = (await a.call(uri("heard"), [mark], {})).args;
    if (!events.length) return false;
    assert.deepStrictEqual(events, [{ args: wampy ? [] : [1, "two"], kwargs: { mark } }]);
    return true;
  });
  const said = async (topic, mark) =>
    a.call(uri("say"), [topic, wampy ? [] : [1, "two"], { mark }], {});

  return [
    ["joins", async () => { a = await open(url); b = await open(url); }],
    ["call with args and kwargs", async () => {
      const result = await a.call(uri("echo"), [1, "two", [3.5, null]], { four: { five: true } });
      assert.deepStrictEqual(result.args[0],
        { args: [1, "two", [3.5, null]], kwargs: { four: { five: true } } });
    }],
    !wampy && ["result with args and kwargs", async () => {
      const result = await a.call(uri("mirror"), [1, []], { two: {} });
      assert.deepStrictEqual([result.args, result.kwargs], [[1, []], { two: {} }]);
    }],
    ["error with args and kwargs", async () => {
      const error = await error_of(a.call(uri("fail"), [1, "why"], { code: 7 }));
      if (wampy) {
        assert.strictEqual(error.uri, uri("fail"));
        assert.deepStrictEqual(error.kwargs.call_args, [1, "why"]);
      } else {
        assert.deepStrictEqual([error.uri, error.args, error.kwargs],
          [REFUSED, [1, "why"], { code: 7 }]);
      }
    }],
    ["call of nothing", async () => {
      const error = await error_of(a.call(uri("nothing"), [], {}));
      assert.strictEqual(error.uri, "wamp.error.no_such_procedure");
    }],
    ["ten calls at once", async () => {
      const numbers = [...Array(10).keys()];
      const results = await Promise.all(numbers.map((i) => a.call(uri("echo"), [i], {})));
      assert.deepStrictEqual(results.map((result) => result.args[0].args[0]), numbers);
    }],
    !wampy && ["a result in parts", async () => {
      assert.deepStrictEqual(await a.stream(uri("count"), [3]),
        { parts: [1, 2, 3], args: ["done"] });
      assert.deepStrictEqual((await a.call(uri("count"), [0], {})).args, ["done"]);
    }],
    ["2^53 and -2^63", () => echo(BIG, LOW, -BIG)],
    ["non-ASCII text", () => echo(TEXT)],
    ["100 kB", () => echo(LONG)],
    ["publish, acknowledged", async () => {
      await a.publish(uri("news"), wampy ? [] : [1, "two"], { mark: "acknowledged" }, true);
      await heard("acknowledged");
    }],
    ["publish, not acknowledged", async () => {
      a.publish(uri("news"), wampy ? [] : [1, "two"], { mark: "silent" }, false);
      await heard("silent");
    }],
    ["subscribe", async () => {
      const event = new Promise((resolve) => {
        a.subscribe(uri("out"), (args, kwargs) => resolve({ args, kwargs }))
          .then(() => said(uri("out"), "mine"));
      });
      assert.deepStrictEqual(await event, { args: wampy ? [] : [1, "two"], kwargs: { mark: "mine" } });
    }],
    ["unsubscribe", async () => {
      const got = [];
      const gone = await a.subscribe(uri("gone"), () => got.push("gone"));
      await a.subscribe(uri("stays"), () => got.push("stays"));
      await a.unsubscribe(gone);
      await said(uri("gone"), "x");
      await said(uri("stays"), "x");
      await until(() => got.length > 0);
      assert.deepStrictEqual(got, ["stays"]);
    }],
    ["register and unregister", async () => {
      const mine = await a.register(uri("mine"), (args, kwargs) => ({ args: [args.length], kwargs }));
      const result = await b.call(uri("mine"), [1, 2], { three: 3 });
      assert.deepStrictEqual([result.args, result.kwargs], [[2], { three: 3 }]);
      await a.unregister(mine);
      const error = await error_of(b.call(uri("mine"), [], {}));
      assert.strictEqual(error.uri, "wamp.error.no_such_procedure");
    }],
    !wampy && ["a caller that leaves in mid-call", async () => {
      b.call(uri("hang"), [], {}).catch(() => {});
      await until(async () => (await a.call(uri("hung"), [], {})).args[0] === 1);
      b.drop();
      await echo("still there");
    }],
    ["a callee that leaves in mid-call", async () => {
      const error = await error_of(a.call(uri("leave"), [], {}));
      assert.notStrictEqual(error.uri, "wamp.error.no_such_procedure");
    }],
    ["leaves", () => a.close()],
  ].filter(Boolean);
}

// As clients of apps/06-weather.
function weather_tests(open, url) {
  let a;
  return [
    ["joins", async () => { a = await open(url); }],
    ["asks for the weather", async () => {
      const result = await a.call("get_weather", ["Quito"], {});
      assert.deepStrictEqual(result.args, [{ city: "Quito", degrees: 15 }]);
    }],
    ["asks for the weather of no city", async () => {
      const error = await error_of(a.call("get_weather", ["Atlantis"], {}));
      assert.deepStrictEqual([error.uri, error.args],
        ["com.example.weather.no_such_city", ["Atlantis"]]);
    }],
    ["hears of the weather", async () => {
      const event = new Promise((resolve) => {
        a.subscribe("wampy-weather", (args, kwargs) => resolve({ args, kwargs }))
          .then(() => a.publish("global-weather", [], { message: { wind: "calm" } }, true));
      });
      assert.deepStrictEqual(await event, { args: [], kwargs: { message: { wind: "calm" } } });
    }],
    ["leaves", () => a.close()],
  ];
}

async function test(tests) {
  for (const [name, run] of tests) {
    try {
      await within(10, run());
      console.log("ok - " + name);
    } catch (error) {
      console.log("not ok - " + name + " # " + String(error.stack || JSON.stringify(error))
        .replace(/\n/g, "\\n"));
    }
  }
  process.exit(0);
}

exports.test = test;
exports.until = until;
exports.error_of = error_of;

// PEER serve URL PREFIX, PEER test URL PREFIX [wampy], or PEER weather URL
exports.main = function (open, fail) {
  const [what, url, prefix, flavour] = process.argv.slice(2);
  const run = what === "serve" ? serve(open, fail, url, prefix)
    : test(what === "weather" ? weather_tests(open, url)
      : tests(open, url, prefix, flavour === "wampy"));
  run.catch((error) => { console.error(error); process.exit(1); });
};
