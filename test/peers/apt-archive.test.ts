import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { fetchPackages } from "../../src/debian/index.ts";
import { day } from "../openpgp/openpgp-maker.ts";
import {
  addSuite,
  machine,
  strangeKey,
  type Files,
  type SuiteOptions,
  type TestMachine,
} from "../debian/test-archive.ts";
import { runPeer, skipWithout } from "./peer.ts";

// apt goes by the machine's clock.
const nowMs = Date.now();
const packages = [{ Package: "app", Depends: "lib" }, { Package: "lib" }];

interface Outcome {
  readonly isTaken: boolean;
  readonly said: string;
}

function byApt(home: TestMachine): Outcome {
  const { env } = home.request();
  try {
    runPeer("apt-get", ["update", "--error-on=any"], { env });
    return { isTaken: true, said: runPeer("apt-get", ["install", "--download-only", "--yes", "app"], { env }) };
  } catch (error) {
    return { isTaken: false, said: String(error) };
  }
}

async function byUs(home: TestMachine): Promise<Outcome> {
  try {
    const { packages: chosen } = await fetchPackages(home.request({ nowMs }));
    return { isTaken: true, said: chosen.map(({ name }) => name).join(" ") };
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return { isTaken: false, said: error.message };
  }
}

/** A machine with an archive in a folder, which apt and we fetch from. */
function prepared(options: Partial<SuiteOptions>, change: (files: Files) => void, settings: string): TestMachine {
  const home = machine("file:/nowhere");
  const files: Files = new Map();
  addSuite(files, "bookworm", { packages, dateMs: nowMs - day, ...options });
  change(files);
  for (const [file, content] of files) home.write(`mirror/${file}`, content);
  home.write("etc/apt/sources.list.d/test.sources", "");
  home.write(
    "etc/apt/sources.list",
    `deb [signed-by=${home.root}/keys/archive.gpg] file:${home.root}/mirror bookworm main\n`,
  );
  for (const folder of ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial"])
    home.write(`${folder}/.keep`, "");
  home.write("var/lib/dpkg/status", "");
  home.write(
    "apt.conf",
    `Dir "${home.root}/"; Dir::State::status "${home.root}/var/lib/dpkg/status";
    APT::Sandbox::User "root"; Acquire::Retries::Delay "false"; APT::Architecture "amd64"; APT::Architectures { "amd64"; }; ${settings}`,
  );
  return home;
}

function changed(files: Files, file: string, change: (content: string) => string): void {
  files.set(file, Buffer.from(change(files.get(file)!.toString("latin1")), "latin1"));
}

suite("apt about the archives of these tests", { skip: skipWithout("apt-get", "gpgv") }, () => {
  const index = "dists/bookworm/main/binary-amd64/Packages.gz";
  const cases: readonly (readonly [
    what: string,
    isTaken: boolean,
    options?: Partial<SuiteOptions>,
    change?: ((files: Files) => void) | undefined,
    settings?: string,
  ])[] = [
    ["a good one", true],
    ["by hash", true, { byHash: true }],
    ["with a detached signature", true, { isDetached: true }],
    ["with an index for all architectures", true, { packages: packages.slice(0, 1), indexOfAll: packages.slice(1) }],
    ["signed by a strange key", false, { key: strangeKey }],
    ["expired", false, { dateMs: nowMs - 9 * day, validUntilMs: nowMs - day }],
    [
      "expired, which does not count",
      true,
      { dateMs: nowMs - 9 * day, validUntilMs: nowMs - day },
      undefined,
      'Acquire::Check-Valid-Until "false";',
    ],
    ["from the future", false, { dateMs: nowMs + day / 2 }],
    [
      "changed after it was signed",
      false,
      {},
      (files) => changed(files, "dists/bookworm/InRelease", (text) => text.replace("Suite: stable", "Suite: stablf")),
    ],
    ["without a signature", false, { isDetached: true }, (files) => files.delete("dists/bookworm/Release.gpg")],
    [
      "with text before the signed one",
      false,
      {},
      (files) => changed(files, "dists/bookworm/InRelease", (text) => `Origin: Debian\n${text}`),
    ],
    ["whose index was changed", false, {}, (files) => files.set(index, Buffer.from(files.get(index)!).fill(1, 20, 22))],
    ["whose index was cut off", false, {}, (files) => files.set(index, files.get(index)!.subarray(0, 50))],
    [
      "whose package was changed",
      false,
      {},
      (files) => files.set("pool/lib_1.0_all.deb", Buffer.from(files.get("pool/lib_1.0_all.deb")!).fill(1, 20, 22)),
    ],
    ["whose package is not there", false, {}, (files) => files.delete("pool/lib_1.0_all.deb")],
  ];

  for (const [what, isTaken, options = {}, change = () => undefined, settings = ""] of cases) {
    test(`${what}: ${isTaken ? "taken" : "refused"} by both`, async () => {
      await using home = prepared(options, change, settings);
      const ours = await byUs(home);
      assert.equal(ours.isTaken, isTaken, ours.said);
      const apts = byApt(home);
      assert.equal(apts.isTaken, isTaken, apts.said);
    });
  }
});
