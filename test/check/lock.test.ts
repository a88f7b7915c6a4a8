import assert from "node:assert/strict";
import test from "node:test";
import { completed, missingFrom } from "../../check/lock.ts";

const lock = {
  packages: {
    "": {},
    "node_modules/tool": {
      version: "1.2.3",
      dev: true,
      optionalDependencies: { "@tool/binding-linux-arm64-musl": "1.2.3", "@tool/win32-x64": "1.2.3" },
    },
    "node_modules/@tool/win32-x64": { version: "1.2.3" },
  },
};

test("a package for another platform that the lock file lacks is found and added", () => {
  assert.deepEqual(missingFrom(lock), [{ name: "@tool/binding-linux-arm64-musl", version: "1.2.3", dev: true }]);
  const whole = completed(lock);
  assert.deepEqual(missingFrom(whole), []);
  assert.deepEqual(whole.packages["node_modules/@tool/binding-linux-arm64-musl"], {
    version: "1.2.3",
    cpu: ["arm64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
  assert.deepEqual(whole.packages["node_modules/tool"], lock.packages["node_modules/tool"]);
});
