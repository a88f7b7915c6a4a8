/** Packages are fetched only where what the archive has signed says so. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { suite, test } from "node:test";
import { fetchPackages } from "../../src/debian/index.ts";
import { day } from "../openpgp/openpgp-maker.ts";
import { packages, appFile, index, archive, failureOf, refused, assertWhole } from "./sample-archive.ts";
import { addSuite, machine, nowMs, serve, strangeKey, type SuiteOptions } from "./test-archive.ts";

suite("an index that cannot be trusted", () => {
  const cases: readonly (readonly [what: string, options: Partial<SuiteOptions>, said: RegExp])[] = [
    [
      "of another key",
      { key: strangeKey },
      /^refused: cannot trust "URL\/dists\/bookworm\/InRelease": no key of .*archive.gpg has signed it/,
    ],
    [
      "past its end",
      { validUntilMs: nowMs - 1000 },
      /^refused: cannot use the index of .*: it was valid until 2026-05-31T23:59:59Z/,
    ],
    [
      "from the future",
      { dateMs: nowMs + day / 2 },
      /^refused: .* is still to come: the clock of this machine may be wrong/,
    ],
    [
      "of another suite",
      { codename: "buster", suite: "oldoldstable" },
      /^mismatch: cannot use .*: it is of buster \(oldoldstable\), bookworm is needed/,
    ],
    ["without checksums that are safe", { fields: { SHA256: "" } }, /^damaged: .* the field SHA256 is there twice/],
  ];
  for (const [what, options, said] of cases) {
    test(what, async () => {
      await using server = await serve(archive(options));
      assert.match(await refused(server), said);
      await using detached = await serve(archive({ ...options, isDetached: true }));
      assert.match((await refused(detached)).replace("/Release", "/InRelease"), said);
    });
  }

  test("changed after it was signed, or not signed at all", async () => {
    const files = archive();
    const release = files.get("dists/bookworm/InRelease")!;
    files.set("dists/bookworm/InRelease", Buffer.from(release.toString().replace("Origin: Debian", "Origin: Evilan")));
    await using server = await serve(files);
    assert.match(await refused(server), /^mismatch: cannot trust .* was changed or damaged/);
    files.set("dists/bookworm/InRelease", Buffer.from("Origin: Debian\n"));
    assert.match(await refused(server), /^damaged: cannot trust .* does not begin as a signed message does/);
    files.delete("dists/bookworm/InRelease");
    files.set("dists/bookworm/Release", release);
    assert.match(await refused(server), /^refused: cannot trust "URL\/dists\/bookworm\/Release": it is not signed/);
  });

  test("apt's settings say whether dates and signatures count", async () => {
    await using old = await serve(archive({ validUntilMs: nowMs - day, dateMs: nowMs - 2 * day }));
    for (const options of [
      { settings: 'Acquire::Check-Valid-Until "false";' },
      { extra: "Check-Valid-Until: no\n" },
      { settings: 'acquire::check-date "no";' },
    ]) {
      await using home = machine(old.url, options);
      assertWhole(await fetchPackages(home.request()));
    }
    await using strange = await serve(archive({ key: strangeKey }));
    await using home = machine(strange.url, { extra: "Trusted: yes\n" });
    const chosen = await fetchPackages(home.request());
    assert.match(chosen.warnings.join(), /is used without a signature, since apt's sources say that it is trusted/);
    assert.equal(chosen.suites[0]?.signedBy, "");
  });

  test("older than the one before: the newer one is used", async () => {
    const files = archive();
    await using server = await serve(files);
    await using home = machine(server.url);
    await fetchPackages(home.request());
    addSuite(files, "bookworm", {
      packages: packages.map((one) => ({ ...one, Version: "0.9" })),
      dateMs: nowMs - 9 * day,
    });
    server.handler = (request) => {
      delete request.headers["if-modified-since"];
      return false;
    };
    const chosen = await fetchPackages(home.request());
    assertWhole(chosen);
    assert.equal(chosen.packages[1]?.version, "1:2.0~rc1");
    assert.match(chosen.warnings.join(), /gives out an index of 2026-05-23, older than that of 2026-05-31/);
  });
});

suite("files that are not what was signed", () => {
  test("an index, a package, an index that unpacks to something else", async () => {
    const files = archive();
    const [good, package_] = [files.get(index)!, files.get(appFile)!];
    await using server = await serve(files);
    files.set(index, Buffer.from(good).fill(7, 20, 25));
    assert.match(await refused(server), /^mismatch: cannot use "URL\/.*Packages.gz": its SHA-256 is not the one/);
    files.set(index, Buffer.concat([good, good]));
    assert.match(await refused(server), /it has more than the \d+ bytes/);
    files.set(index, good);
    files.set(appFile, Buffer.from(package_).fill(7, 20, 25));
    await using home = machine(server.url);
    assert.match(
      (await failureOf(home.request())).message,
      /^cannot use ".*app_1.0_all.deb": its SHA-256 is not the one that the signed index has/,
    );
    assert.deepEqual(
      fs.readdirSync(`${home.cache}/packages`).filter((name) => name.startsWith("app")),
      [],
    );
    files.set(appFile, package_.subarray(0, 100));
    assert.match((await failureOf(home.request())).message, /it ends after 100 bytes, of \d+/);
    files.delete(appFile);
    const absent = await failureOf(home.request());
    assert.equal(
      `${absent.code}: ${absent.message.replace(server.url, "URL/")}`,
      'not-found: cannot fetch "URL/pool/app_1.0_all.deb": it is not there (HTTP 404)',
    );
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["Filename", /app has no proper Filename, Size and SHA256/],
    ["SHA256", /app has no proper Filename/],
    ["Size", /app has no proper Filename/],
    ["Depends", /Depends of app.*names no package/],
  ];
  for (const [field, said] of wrong) {
    test(`a stanza whose ${field} is none`, async () => {
      const value = field === "Filename" ? "pool/../../../etc/passwd" : "(";
      await using server = await serve(archive({ packages: [{ Package: "app", [field]: value }] }));
      assert.match(await refused(server), said);
    });
  }

  test("a package whose name or version would leave the folder", async () => {
    for (const one of [{ Package: "../app" }, { Package: "app", Version: "1/../../x" }]) {
      await using server = await serve(archive({ packages: [one] }));
      assert.match(await refused(server), /without a proper name and version/);
    }
  });
});
