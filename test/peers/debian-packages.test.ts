import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { AptConfiguration, readAptSources } from "../../src/debian/apt/index.ts";
import { fetchPackages, planPackages, type PackageRequest } from "../../src/debian/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

/**
 * What is chosen from the machine's own apt sources is what debootstrap and apt choose. The release and the mirror are
 * those that the machine has.
 */
const source = readAptSources(AptConfiguration.read(process.env)).find(({ suite }) => /^[a-z]+$/.test(suite));
const noPeers = skipWithout("apt-get", "debootstrap", "dpkg-deb");
const skip = noPeers === false && source === undefined ? "this machine has no apt sources" : noPeers;

suite("the machine's own archive", { skip }, () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = temporaryFolder();
  });

  function request(asked: Partial<PackageRequest>): PackageRequest {
    return {
      release: source!.suite,
      architecture: runPeer("dpkg", ["--print-architecture"]).trim(),
      include: [],
      priorities: [],
      cacheFolder: folder.join("cache"),
      env: process.env,
      nowMs: Date.now(),
      ...asked,
    };
  }

  async function planned(asked: Partial<PackageRequest>): Promise<string[]> {
    const { packages } = await planPackages(request(asked));
    return packages.map(({ name, version }) => `${name} ${version}`).toSorted();
  }

  test("a minimal system is debootstrap's", async () => {
    const printed = runPeer(
      "debootstrap",
      ["--print-debs", "--variant=minbase", source!.suite, folder.join("tree"), source!.url],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    // debootstrap adds apt, and usr-is-merged since its tree has no separate /usr.
    const ours = await planned({ include: ["apt", "usr-is-merged"], priorities: ["essential", "required"] });
    assert.deepEqual(
      ours.map((line) => line.replace(/ .*/, "")),
      printed.trim().split(/\s+/).toSorted(),
    );
  });

  const packageSets: readonly (readonly string[])[] = [
    ["openssh-server"],
    ["systemd-sysv", "linux-image-cloud-amd64", "grub-pc"],
    ["nginx", "mutt"],
    ["apache2", "php"],
  ];

  for (const names of packageSets) {
    test(`${names.join(", ")}: what apt would install on an empty system, in the same versions`, async () => {
      const settings = ["Dir::State::status=/dev/null", "Dir::State::extended_states=/dev/null"];
      const options = [...settings, "APT::Install-Recommends=false"].flatMap((setting) => ["-o", setting]);
      const log = runPeer("apt-get", ["install", "--simulate", ...options, ...names]);
      const apts = [...log.matchAll(/^Inst (\S+) \((\S+)/gm)].map(([, name, version]) => `${name} ${version}`);
      assert.deepEqual(await planned({ include: names }), apts.toSorted());
    });
  }

  test("what is fetched are the packages", async () => {
    const { packages, suites } = await fetchPackages(request({ include: ["hostname"] }));
    assert.ok(packages.some(({ name }) => name === "hostname"));
    for (const { name, version, architecture, file, control } of packages) {
      const shown = runPeer("dpkg-deb", ["--showformat", "${Package} ${Version} ${Architecture}", "-W", file]);
      assert.equal(shown, `${name} ${version} ${architecture}`);
      assert.equal(control.get("Package"), name);
    }
    assert.ok(suites.every(({ signedBy }) => /^[0-9A-F]{40,64}$/.test(signedBy)));
  });
});
