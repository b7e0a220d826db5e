// pairs.js: tests with two sessions of autobahn-js, for the folders `kept` and `features`.
"use strict";

const autobahn = require("autobahn");

const url = process.argv[2];

function open() {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({ url, realm: "realm1", max_retries: 0,
      use_es6_promises: true });
    connection.onopen = (session) => resolve(Object.assign(session, { connection }));
    connection.onclose = (reason, details) => {
      reject(new Error(`${reason} ${details.reason}`));
      return true;
    };
    connection.open();
  });
}

// What a subscription hears: next() is a promise of { args, kwargs, details }.
class Ear {
  constructor() {
    this.heard = [];
    this.waiting = [];
  }

  subscribe(session, topic, options) {
    return session.subscribe(topic, (args, kwargs, details) => {
      const event = { args, kwargs, details };
      if (this.waiting.length) this.waiting.shift()(event);
      else this.heard.push(event);
    }, options);
  }

  next() {
    if (this.heard.length) return Promise.resolve(this.heard.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("nothing was heard")), 10000);
      this.waiting.push((event) => {
        clearTimeout(timer);
        resolve(event);
      });
    });
  }
}

// Each test gets two sessions that have joined; TAP on standard output.
async function run(tests) {
  let number = 0;
  for (const [name, test] of Object.entries(tests)) {
    number += 1;
    const [one, other] = [await open(), await open()];
    try {
      await test(one, other);
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      console.log(`not ok ${number} - ${name}: ${String(error.stack || error)
        .replace(/\n/g, "\\n")}`);
    }
    one.connection.close();
    other.connection.close();
  }
  process.exit(0);
}

module.exports = { Ear, open, run };
