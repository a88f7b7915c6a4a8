import assert from "node:assert/strict";
import * as fs from "node:fs";
import { suite, test } from "node:test";
import * as zlib from "node:zlib";
import { fetchPackages } from "../../src/debian/index.ts";
import { day } from "../openpgp/openpgp-maker.ts";
import { packages, appFile, index, archive, failureOf, names, assertWhole } from "./sample-archive.ts";
import { addSuite, archiveKey, contentOf, machine, nowMs, serve } from "./test-archive.ts";

suite("from the archive", () => {
  test("packages in their order, their files, the suites; nothing twice", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const seen: number[] = [];
    const first = await fetchPackages(home.request(), {
      onProgress({ phase, doneBytes, totalBytes = 0 }) {
        if (phase === "fetching packages") seen.push(doneBytes / totalBytes);
      },
    });
    assert.equal(names(first), "tool lib app");
    assert.equal(seen.at(-1), 1);
    assertWhole(first);
    const [, , app] = first.packages;
    assert.equal(app?.control.get("Pre-Depends"), "tool (>= 1.0)");
    assert.deepEqual(
      [app?.version, app?.architecture, app?.priority, app?.section, app?.essential],
      ["1.0", "all", "optional", "misc", false],
    );
    assert.deepEqual(first.suites, [
      {
        url: server.url,
        suite: "bookworm",
        components: ["main"],
        codename: "bookworm",
        signedBy: archiveKey.fingerprint,
      },
    ]);
    assert.deepEqual(first.warnings, []);
    assert.ok(server.log.includes(index));
    server.log.length = 0;
    assert.deepEqual(await fetchPackages(home.request()), first);
    assert.deepEqual(server.log, ["dists/bookworm/InRelease"]);
  });

  test("by hash, with Release and Release.gpg, with an index for all architectures", async () => {
    const [app, lib, tool] = packages;
    await using server = await serve(
      archive({ byHash: true, isDetached: true, packages: [app!, lib!], indexOfAll: [tool!] }),
    );
    await using home = machine(server.url);
    assertWhole(await fetchPackages(home.request()));
    assert.equal(server.log.filter((line) => line.includes("by-hash/SHA256/")).length, 2);
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.ok(
      server.log.every((line) => line.startsWith("dists/bookworm/")),
      server.log.join(),
    );
  });

  test("an index that is listed only as it is compressed", async () => {
    await using server = await serve(archive({ isOnlyPacked: true }));
    await using home = machine(server.url);
    assertWhole(await fetchPackages(home.request()));
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.deepEqual(server.log, ["dists/bookworm/InRelease"]);
  });

  test("by hash on a mirror that has only the plain names", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url, { extra: "By-Hash: yes\n" });
    assertWhole(await fetchPackages(home.request()));
    assert.ok(server.log.some((line) => line.includes("by-hash/SHA256/")));
  });

  test("a name with a version, from another suite, and what has to be asked for", async () => {
    const files = archive();
    addSuite(files, "bookworm-updates", { packages: [{ Package: "lib", Version: "1:2.0" }] });
    addSuite(files, "bookworm-backports", {
      packages: [{ Package: "lib", Version: "1:3.0" }],
      fields: { NotAutomatic: "yes", ButAutomaticUpgrades: "yes" },
    });
    await using server = await serve(files);
    await using home = machine(server.url, { suites: "bookworm bookworm-updates bookworm-backports" });
    const versionOfLib = async (include: readonly string[]): Promise<string | undefined> => {
      const { packages: chosen } = await fetchPackages(home.request({ include }));
      return chosen.find(({ name }) => name === "lib")?.version;
    };
    assert.equal(await versionOfLib(["app"]), "1:2.0");
    assert.equal(await versionOfLib(["app", "lib=1:2.0~rc1"]), "1:2.0~rc1");
    assert.equal(await versionOfLib(["app", "lib=1:3.0"]), "1:3.0");
  });

  test("files of this machine", async () => {
    await using home = machine("file:/nowhere");
    for (const [file, content] of archive()) home.write(`mirror/${file}`, content);
    home.write("etc/apt/sources.list.d/test.sources", "");
    for (const scheme of ["file", "copy"]) {
      home.write(
        "etc/apt/sources.list",
        `deb [signed-by=${home.root}/keys/archive.gpg arch=amd64] ${scheme}:${home.root}/mirror bookworm main # here\n`,
      );
      assertWhole(await fetchPackages(home.request({ cacheFolder: `${home.cache}-${scheme}` })));
    }
  });

  test("a mirror and keyring that were given, without any apt", async () => {
    await using server = await serve(archive());
    await using home = machine("http://127.0.0.1:1/");
    const given = { mirrors: [server.url], keyrings: [`${home.root}/keys/archive.gpg`] };
    assertWhole(await fetchPackages(home.request(given)));
    assertWhole(await fetchPackages(home.request({ ...given, mirrors: [`${server.url} bookworm main`] })));
    assert.match(
      (await failureOf(home.request({ ...given, mirrors: [`${server.url} trixie`] }))).message,
      /dists\/trixie\/Release": it is not there/,
    );
    assert.match(
      (await failureOf(home.request({ ...given, mirrors: ["ftp://127.0.0.1/"] }))).message,
      /only http, https, file, copy/,
    );
  });

  test("several at once share a cache", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    for (const chosen of await Promise.all([1, 2, 3].map(() => fetchPackages(home.request())))) assertWhole(chosen);
    assert.deepEqual(
      fs.readdirSync(`${home.cache}/packages`).filter((name) => !name.endsWith(".deb")),
      [],
    );
  });
});

suite("what is on this machine", () => {
  test("without a network: the index that was verified, with a warning", async () => {
    await using server = await serve(archive({ validUntilMs: nowMs + day }));
    await using home = machine(server.url, { settings: 'Acquire::Retries "0";' });
    await fetchPackages(home.request());
    await server.stop();
    const offline = await fetchPackages(home.request());
    assertWhole(offline);
    assert.match(
      offline.warnings.join("\n"),
      /^cannot fetch ".*InRelease": the connection is refused; its index of 2026-05-31 is used/,
    );
    const later = await fetchPackages(home.request({ nowMs: nowMs + 9 * day }));
    assert.match(later.warnings.join("\n"), /it was valid until 2026-06-02T00:00:00Z/);
    assert.match(
      (await failureOf(home.request({ include: ["app"], cacheFolder: `${home.cache}-other` }))).message,
      /the connection is refused/,
    );
  });

  test("apt's own lists and packages are taken, if they are what the archive signed", async () => {
    const files = archive();
    await using server = await serve(files);
    await using home = machine(server.url);
    const list = `${server.url.slice(7).replace(/\/$/, "")}_dists_bookworm_main_binary-amd64_Packages`;
    const plain = zlib.gunzipSync(files.get(index)!);
    home.write(`var/lib/apt/lists/${list}`, plain);
    home.write("var/cache/apt/archives/lib_1%3a2.0~rc1_all.deb", contentOf("lib", "1:2.0~rc1"));
    home.write("var/cache/apt/archives/tool_1.0_all.deb", contentOf("tool", "1.1"));
    assertWhole(await fetchPackages(home.request()));
    assert.deepEqual(server.log.filter((line) => line !== "dists/bookworm/InRelease").toSorted(), [
      appFile,
      "pool/tool_1.0_all.deb",
    ]);
  });

  test("what was changed in the cache is fetched again", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    await fetchPackages(home.request());
    for (const folder of ["lists", "packages"]) {
      for (const name of fs.readdirSync(`${home.cache}/${folder}`)) {
        const file = `${home.cache}/${folder}/${name}`;
        const content = fs.readFileSync(file);
        content[100] = (content[100] ?? 0) ^ 1;
        fs.writeFileSync(file, content);
      }
    }
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.equal(server.log.length, 5);
  });
});
