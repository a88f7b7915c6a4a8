import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseModeChange } from "../../src/disk/index.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

const modes = [
  "644",
  "0",
  "7777",
  "u+x",
  "go-w",
  "a=rX",
  "u=rwX,go=",
  "+t",
  "u+s,g+s",
  "g=u",
  "o=g-w",
  "ug+rw,o-rwx",
  "u=s",
];
const befores = [0o644, 0o755, 0o000, 0o4711, 0o2750, 0o1777, 0o6755];

test("a mode means what it means to chmod(1)", { skip: skipWithout("chmod") }, async () => {
  await using folder = temporaryFolder();
  for (const kind of ["file", "directory"] as const) {
    const at = folder.join(kind);
    if (kind === "file") fs.writeFileSync(at, "");
    else fs.mkdirSync(at);
    for (const mode of modes) {
      for (const before of befores) {
        fs.chmodSync(at, before);
        // Without letters chmod spares what the umask takes away; here there is none.
        runPeer("sh", ["-c", `umask 0; chmod -- ${mode} "$0"`, at]);
        const wanted = fs.statSync(at).mode & 0o7777;
        const found = parseModeChange(mode)(before, kind === "directory");
        assert.equal(found.toString(8), wanted.toString(8), `${mode} on a ${kind} of ${before.toString(8)}`);
      }
    }
  }
});

test("what is no mode is refused", () => {
  for (const text of ["", "8", "u+q", "rwx", "77777", "u+x,", "x+u"]) {
    assert.throws(
      () => parseModeChange(text),
      (error) => error instanceof Failure && error.code === "usage",
      text,
    );
  }
});
