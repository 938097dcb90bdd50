// node-q's client, in JavaScript: values are JavaScript's, unless they are typed by its own functions.
//
//     node_q_client.js HOST:PORT                   all but logins, where everybody is let in
//     node_q_client.js HOST:PORT USER:PASSWORD     logins, where only this user is let in
//     node_q_client.js HOST:PORT --tls CA.pem      an answer by TLS
//     node_q_client.js HOST:PORT --feed            updates of a tickerplant
//
// Each check is a line: `ok NAME`, or `FAIL NAME: …` and exit 1 at the end, as with the scripts
// beside this one.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const { promisify } = require("node:util");
const nodeq = require("node-q");
const Long = require("long");

const long = (number) => nodeq.long(Long.fromNumber(number));

const ANSWERS = {
  "2+2": 4,
  "til 5": [0, 1, 2, 3, 4],
  "til 0": [],
  "1 0N 3": [1, null, 3],
  "1%2 4": [0.5, 0.25],
  '"abc"': "abc",
  '"a"': "a",
  " `abc": "abc", // behind a backtick it takes a text for a symbol
  " `a`bc": ["a", "bc"],
  "(1;`a;2 3)": [1, "a", [2, 3]],
  "()": [],
  "echo[]": null,
  "count trade": 6,
};

const ERRORS = { "1+`a": "type", nosuch: "nosuch", "1 2+1 2 3": "length", "til -1": "domain" };

// What its functions type, and what it is when it comes back.
const VALUES = {
  boolean: [nodeq.boolean(true), true],
  booleans: [nodeq.booleans([true, false]), [true, false]],
  guid: [
    nodeq.guid("0a369037-75d3-b24d-6721-5a1d44d4bed5"),
    "0a369037-75d3-b24d-6721-5a1d44d4bed5",
  ],
  byte: [nodeq.byte(127), 127],
  bytes: [nodeq.bytes([0, 127]), [0, 127]],
  short: [nodeq.short(-3), -3],
  "short, null": [nodeq.short(null), null],
  shorts: [nodeq.shorts([-1, 32766]), [-1, 32766]],
  int: [nodeq.int(-100000), -100000],
  "int, infinity": [nodeq.int(Infinity), Infinity],
  ints: [nodeq.ints([1, -2]), [1, -2]],
  real: [nodeq.real(1.5), 1.5],
  reals: [nodeq.reals([1.5, -2.25]), [1.5, -2.25]],
  float: [nodeq.float(-1e300), -1e300],
  "float, minus infinity": [nodeq.float(-Infinity), -Infinity],
  floats: [nodeq.floats([0.1, -1e-9]), [0.1, -1e-9]],
  char: [nodeq.char("a"), "a"],
  symbol: [nodeq.symbol("a b"), "a b"],
  symbols: [nodeq.symbols(["", "ab"]), [null, "ab"]],
  "long number": [1234567890, 1234567890],
  "empty text": ["", ""],
  text: ["some text", "some text"],
  "long text": ["x".repeat(100000), "x".repeat(100000)],
  list: [[nodeq.short(1), "ab", nodeq.symbol("c")], [1, "ab", "c"]],
  dictionary: [{ a: 1, b: 2 }, { a: 1, b: 2 }],
  timestamp: [
    nodeq.timestamp(new Date(Date.UTC(2026, 10, 22, 1, 2, 3, 4))),
    new Date(Date.UTC(2026, 10, 22, 1, 2, 3, 4)),
  ],
};

let [done, failed] = [0, 0];

function tell(line) {
  fs.writeSync(1, line + "\n");
}

/** Whether something comes to what it should be. */
async function equal(name, act, expected) {
  done += 1;
  try {
    const found = await act();
    assert.deepStrictEqual(found, expected);
    tell(`ok ${name}`);
  } catch (error) {
    failed += 1;
    tell(`FAIL ${name}: ${String(error.message).replaceAll("\n", " ")}`);
  }
}

/** Whether something fails with this text. */
async function refuses(name, act, says) {
  const failure = async () => {
    try {
      return { came: await act() };
    } catch (error) {
      return error.message;
    }
  };
  await equal(name, failure, says);
}

async function open(parameters) {
  const q = await promisify(nodeq.connect)(parameters);
  return {
    ask: (...query) => promisify(q.k.bind(q))(...query),
    tell: (...message) => promisify(q.ks.bind(q))(...message),
    next: (event) => new Promise((resolve) => q.once(event, (...came) => resolve(came))),
    close: () => promisify(q.close.bind(q))(),
  };
}

async function everything(place) {
  const q = await open({ ...place, user: "ann", password: "" });
  for (const [text, value] of Object.entries(ANSWERS)) {
    await equal(`answer ${text}`, () => q.ask(text), value);
  }
  await equal("answer trade", async () => (await q.ask("trade")).map((row) => row.price), [
    101.25, 52.5, 101.5, 33.75, 52.25, 101,
  ]);
  for (const [text, says] of Object.entries(ERRORS)) {
    await refuses(`error ${text}`, () => q.ask(text), says);
  }
  await equal("the connection goes on after errors", () => q.ask("2+2"), 4);
  await equal("call +", () => q.ask("+", long(1), long(2)), 3);
  await equal("call til", () => q.ask("til", long(2)), [0, 1]);
  await refuses("call nosuch", () => q.ask("nosuch", 1), "nosuch");
  for (const [name, [value, back]] of Object.entries(VALUES)) {
    await equal(`echo ${name}`, () => q.ask("echo", value), back);
  }
  await equal("a hundred thousand longs", async () => {
    const longs = await q.ask("til 100000");
    return [longs.length, longs[99999]];
  }, [100000, 99999]);
  await q.tell("n:0");
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  await Promise.all(numbers.map((number) => q.tell(`n:n+${number}`)));
  await equal("1000 asyncs", () => q.ask("n"), 499500);
  await q.tell("nosuch");
  await equal("async error", () => q.ask("n"), 499500);
  const hundred = numbers.slice(0, 100);
  await equal("pipelined", () => Promise.all(hundred.map((each) => q.ask(String(each)))), hundred);
  await q.close();
}

async function logins(place, user, password) {
  const four = async (credentials) => {
    const q = await open({ ...place, ...credentials });
    const answer = await q.ask("2+2");
    await q.close();
    return answer;
  };
  const refused = "Connection closes (wrong auth?)";
  await equal("the right password", () => four({ user, password }), 4);
  await refuses("a wrong password", () => four({ user, password: password + "!" }), refused);
  await refuses("an unknown user", () => four({ user: user + "!", password }), refused);
  await refuses("no password", () => four({ user, password: "" }), refused);
  await refuses("nobody", () => four({}), refused);
  await equal("the right password again", () => four({ user, password }), 4);
}

async function answer(place) {
  const q = await open(place);
  await equal("an answer", () => q.ask("2+2"), 4);
  await q.close();
}

async function feed(place) {
  const q = await open(place);
  const first = q.next("upd");
  await equal("the schema", async () => (await q.ask(".u.sub", nodeq.symbol("trade"), nodeq.symbol("")))[0], "trade");
  for (const update of [first, q.next("upd")]) {
    await equal("an update", async () => {
      const [table, rows] = await update;
      return [table, rows.length > 0, Object.keys(rows[0])];
    }, ["trade", true, ["time", "sym", "price", "size"]]);
  }
  await q.close();
}

async function main(address, option, file) {
  const [, host, port] = /^(.*):(\d+)$/.exec(address);
  const place = { host, port: Number(port) };
  if (option === "--tls") {
    await answer({ ...place, useTLS: true, ca: [fs.readFileSync(file)] });
  } else if (option === "--feed") {
    await feed(place);
  } else if (option !== undefined) {
    const colon = option.indexOf(":");
    await logins(place, option.slice(0, colon), option.slice(colon + 1));
  } else {
    await everything(place);
  }
  tell(`${done} checks, ${failed} failed`);
  process.exit(failed || !done ? 1 : 0);
}

main(...process.argv.slice(2)).catch((error) => {
  tell(`FAIL ${error.stack}`);
  process.exit(1);
});
