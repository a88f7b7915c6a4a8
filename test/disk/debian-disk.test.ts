/** A disk with Debian whose archive cannot be trusted, or has packages that are none: a refusal, and no disk. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { createDisk } from "../../src/disk/index.ts";
import { addSuite, machine, nowMs, serve, strangeKey, type Files, type SuiteOptions } from "../debian/test-archive.ts";
import { temporaryFolder } from "../temp.ts";
import { plainDisk } from "./plain-disk.ts";

/** Debian's names for what every system gets, none of which is a real package here. */
const names =
  "apt usr-is-merged systemd-sysv udev dbus libpam-systemd systemd-resolved systemd-timesyncd iproute2 iputils-ping netbase less nano klibc-utils linux-image-cloud-amd64";

async function refusal(options: Partial<SuiteOptions>): Promise<Failure> {
  const files: Files = new Map();
  addSuite(files, "bookworm", { packages: names.split(" ").map((Package) => ({ Package })), ...options });
  await using server = await serve(files);
  await using home = machine(server.url);
  await using folder = temporaryFolder();
  const { env, cacheFolder } = home.request();
  const debian = { release: "bookworm", packages: [], sshKeys: [], configure: false, cacheFolder, env };
  try {
    await createDisk({ ...plainDisk, path: folder.join("disk"), sizeBytes: 2e9, debian, nowMs });
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.deepEqual(fs.readdirSync(folder.path), [], "no disk, whole or half made");
    return error;
  }
  throw new assert.AssertionError({ message: "it was not refused" });
}

test("an index that a key unknown here has signed", async () => {
  const { code, message } = await refusal({ key: strangeKey });
  assert.equal(code, "refused");
  assert.match(message, /^cannot trust ".*InRelease": no key of .* has signed it: a signature by the key \w+ is there/);
});

test("an index that has expired", async () => {
  const { message } = await refusal({ dateMs: nowMs - 20 * 86_400_000, validUntilMs: nowMs - 86_400_000 });
  assert.match(message, /^cannot use the index of ".*": it was valid until /);
});

test("a package that does not unpack", async () => {
  const { code, message } = await refusal({});
  assert.equal(code, "damaged");
  assert.match(message, /^cannot read ".*\.deb": it is no ar archive/);
});
