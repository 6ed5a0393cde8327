/**
 * Kills the process of the extensions between two of the extension's steps: a change on disk, or a request.
 * Nothing happens before the file `arm` is there, with the number of the step and a word of its own; what was done is
 * told in `told`.
 */
"use strict";
const children = require("node:child_process");
const { subscribe } = require("node:diagnostics_channel");
const { appendFileSync, readFileSync, rmSync, promises } = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const { join, sep } = require("node:path");

const folder = process.env.HEADWAY_KILLS;
const OURS = `${sep}headway.headway${sep}`;
let armedWith = "";
let left = 0;

/** What was read is kept as well, and news are told: neither is of the outbox. */
function isOfTheOutbox(path) {
  return path.includes(OURS) && !path.includes(`${sep}kept${sep}`) && !path.includes(`${sep}news${sep}`);
}

function armed() {
  try {
    const said = readFileSync(join(folder, "arm"), "utf8");
    if (said !== armedWith) left = Number(said.split(" ")[0]);
    armedWith = said;
    return true;
  } catch {
    return false;
  }
}

function tell(line) {
  appendFileSync(join(folder, "told"), `${line}\n`);
}

function step(name) {
  if (!armed()) return;
  if (left-- > 0) return tell(`step ${name}`);
  // The next process is to live.
  rmSync(join(folder, "arm"));
  tell(`died before ${name}`);
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

for (const name of ["open", "rename", "unlink", "link", "rm", "writeFile"]) {
  const real = promises[name];
  promises[name] = async function (...given) {
    if (!given.some((one) => isOfTheOutbox(String(one)))) return real.apply(this, given);
    step(name);
    const done = await real.apply(this, given);
    if (armed() && name === "rename") tell(`renamed ${given[1]}`);
    return done;
  };
}
for (const [channel, when] of [
  ["undici:request:create", "before"],
  ["undici:request:headers", "after"],
]) {
  subscribe(channel, ({ request }) => {
    if (request.method === "POST" && request.path.includes("/api/v1/")) step(`${when} send`);
  });
}

// The editor gives its options to no process that it starts: this one goes along by itself.
const { fork } = children;
children.fork = (path, given, options) => {
  const [list, more] = Array.isArray(given) ? [given, options ?? {}] : [[], given ?? {}];
  return fork(path, list, { ...more, execArgv: [...(more.execArgv ?? []), "--require", __filename] });
};
syncBuiltinESMExports();
