/** From which of the sources packages are fetched. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fetchPackages } from "../../src/debian/index.ts";
import { armour, certificate } from "../openpgp/openpgp-maker.ts";
import { packages, archive, failureOf, assertWhole } from "./sample-archive.ts";
import { addSuite, archiveKey, machine, serve, strangeKey } from "./test-archive.ts";

suite("which sources", () => {
  test("refused by name: ways to fetch that are not spoken here", async () => {
    for (const url of ["mirror+file:/etc/apt/mirrors", "tor+http://example.org/", "ftp://example.org/"]) {
      await using home = machine(url);
      const { message } = await failureOf(home.request());
      assert.ok(message.includes(`"${url.replace(/[^/]$/, "$&/")}" of `), message);
      assert.match(message, /is not used: only http, https, file, copy are fetched from/);
    }
  });

  test("a mirror's suite by another name of the release, but of no other release", async () => {
    const files = archive();
    addSuite(files, "trixie", { packages: [{ Package: "app" }], suite: "testing" });
    addSuite(files, "stable", { packages, codename: "bookworm" });
    await using server = await serve(files);
    await using home = machine("http://127.0.0.1:1/");
    const given = { keyrings: [`${home.root}/keys/archive.gpg`] };
    assertWhole(await fetchPackages(home.request({ ...given, mirrors: [`${server.url} stable`] })));
    const failure = await failureOf(home.request({ ...given, mirrors: [`${server.url} trixie`] }));
    assert.match(failure.message, /its trixie is of trixie, bookworm is needed/);
  });

  test("another name of the release is found in the Release files", async () => {
    const files = archive();
    addSuite(files, "trixie", { packages: [{ Package: "app", Version: "2.0" }], suite: "testing" });
    await using server = await serve(files);
    await using home = machine(server.url, { suites: "bookworm trixie gone" });
    const version = async (release: string): Promise<string | undefined> => {
      return (await fetchPackages(home.request({ release }))).packages.find(({ name }) => name === "app")?.version;
    };
    assert.equal(await version("stable"), "1.0");
    assert.equal(await version("testing"), "2.0");
    const failure = await failureOf(home.request({ release: "sid" }));
    assert.equal(
      failure.message,
      'cannot find packages of "sid": the apt sources of this machine are for bookworm, trixie, gone',
    );
    assert.match(failure.hint ?? "", /--mirror/);
  });

  test("none at all, none that can be used, none for the architecture", async () => {
    await using home = machine("http://127.0.0.1:1/", { settings: 'Dir::Etc::sourceparts "/dev/null";' });
    assert.match((await failureOf(home.request())).message, /this machine has no apt sources for amd64/);
    await using cdrom = machine("cdrom:[Debian]/");
    cdrom.write("etc/apt/sources.list.d/test.sources", "");
    cdrom.write("etc/apt/sources.list", "deb cdrom:[Debian GNU/Linux 12]/ bookworm main\n");
    assert.match(
      (await failureOf(cdrom.request())).message,
      /"cdrom:\[Debian GNU\/Linux 12\]\/" of .*sources.list:1 is not used: only http/,
    );
    await using server = await serve(archive());
    await using other = machine(server.url);
    assert.match(
      (await failureOf(other.request({ architecture: "riscv64" }))).message,
      /for riscv64: these archives have none/,
    );
  });

  test("those of other makers with a suite of the same name are left out", async () => {
    await using theirs = await serve(archive({ packages: [{ Package: "app", Version: "9" }], origin: "Docker" }));
    await using server = await serve(archive());
    await using home = machine(server.url);
    home.write("etc/apt/sources.list", `deb [signed-by=${home.root}/keys/archive.gpg] ${theirs.url} bookworm main\n`);
    const chosen = await fetchPackages(home.request());
    assert.equal(chosen.packages.find(({ name }) => name === "app")?.version, "1.0");
    assert.match(chosen.warnings.join(), /is not used: it is of Docker, not of Debian/);
  });

  test("what apt goes by and is not read is said", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url, { settings: 'Acquire::http::Proxy-Auto-Detect "/usr/bin/true";' });
    home.write("etc/apt/preferences.d/pins", "Package: *\nPin: release a=stable\nPin-Priority: 1\n");
    home.write("etc/apt/preferences.d/none.txt", "Package: *\n");
    const { warnings } = await fetchPackages(home.request());
    assert.equal(warnings.length, 2);
    assert.match(warnings.join(), /finds its proxy by a program.*preferences in ".*pins" are not read/);
  });

  test("keys in the source itself, by fingerprint, or those that apt trusts", async () => {
    await using server = await serve(archive());
    const key = armour("PUBLIC KEY BLOCK", certificate(archiveKey));
    const embedded = key
      .trimEnd()
      .split("\n")
      .map((line) => ` ${line === "" ? "." : line}`)
      .join("\n");
    const source = (signedBy: string): string =>
      `Types: deb\nURIs: ${server.url}\nSuites: bookworm\nComponents: main\n${signedBy}`;
    const cases: readonly (readonly [signedBy: string, isTrusted: boolean, isTaken: boolean])[] = [
      [`Signed-By:\n${embedded}\n`, false, true],
      [`Signed-By: ${archiveKey.fingerprint}\n`, true, true],
      [`Signed-By: ${strangeKey.fingerprint}\n`, true, false],
      ["", true, true],
      ["", false, false],
    ];
    for (const [signedBy, isTrusted, isTaken] of cases) {
      await using home = machine(server.url);
      home.write("etc/apt/sources.list.d/test.sources", source(signedBy));
      if (isTrusted) home.write("etc/apt/trusted.gpg.d/archive.asc", key);
      home.write("etc/apt/trusted.gpg.d/broken.gpg", "KBXf");
      home.write("etc/apt/trusted.gpg.d/empty.gpg", "");
      if (isTaken) assertWhole(await fetchPackages(home.request()));
      else assert.match((await failureOf(home.request())).message, /has signed it/);
    }
  });

  test("a keyring that is not there", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const failure = await failureOf(home.request({ keyrings: [`${home.root}/absent.gpg`] }));
    assert.match(failure.message, /^cannot read the keyring ".*absent.gpg": no such file/);
  });
});
