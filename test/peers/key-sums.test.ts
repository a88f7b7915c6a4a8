/** Sums and signatures beside ISO files and in them, as the programs write them that everybody uses. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { addIsos, checkKey, createKey, listKey, type IsoVerification } from "../../src/key/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { GpgHome, gpgPeers } from "./gpg-home.ts";
import { holdfast } from "./holdfast-as-nobody.ts";
import { makeIso } from "./live-iso.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("xorriso", "implantisomd5", "sha256sum", "md5sum", "b2sum", "openssl", ...gpgPeers);
const nowMs = Date.now();

const isoFiles = {
  "boot/grub/loopback.cfg": "menuentry one {\n  linux /vmlinuz findiso=${iso_path}\n  initrd /initrd\n}\n",
  vmlinuz: "kernel",
  initrd: "x".repeat(300_000),
};

suite("an ISO that is added", { skip }, () => {
  let folder: TemporaryFolder;
  let key: string;
  let iso: string;
  let home: GpgHome;
  before(async () => {
    folder = temporaryFolder();
    home = new GpgHome();
    fs.mkdirSync(folder.join("downloads"));
    key = folder.join("key.img");
    iso = makeIso(folder, "downloads/some.iso", isoFiles);
    const request = { path: key, sizeBytes: "auto", table: "mbr", isosKind: "fat32", serial: false } as const;
    await createKey({ ...request, grubFrom: [], force: false, nowMs });
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const path = (name: string): string => folder.join("downloads", name);

  /** Runs a program in the folder of the ISO, and writes what it prints to a file there. */
  function list(file: string, program: string, ...args: readonly string[]): void {
    fs.writeFileSync(path(file), runPeer(program, args, { cwd: folder.join("downloads") }));
  }

  function clear(): void {
    for (const name of fs.readdirSync(folder.join("downloads"))) if (name !== "some.iso") fs.rmSync(path(name));
  }

  interface Wish {
    readonly source?: string;
    readonly keyrings?: readonly string[];
    readonly acceptsProblems?: boolean;
    readonly needsSignature?: boolean;
    readonly atMs?: number;
  }

  /** What adding finds out; the key stays as it is. */
  async function verify({ source = iso, atMs = nowMs, ...wish }: Wish = {}): Promise<
    IsoVerification & { warnings: readonly string[] }
  > {
    const verifyWish = { keyrings: [], keyringFolders: [], acceptsProblems: false, needsSignature: false, ...wish };
    const [added] = await addIsos({ key, isos: [source], isRehearsal: true, nowMs: atMs, verify: verifyWish });
    return { level: "none", evidence: [], ...added?.verified, warnings: added?.warnings ?? [] };
  }

  async function refused(message: RegExp, wish: Wish = {}, code = "mismatch"): Promise<void> {
    await assert.rejects(verify(wish), (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(`${error.message}\n${error.hint ?? ""}`, message);
      assert.equal(error.code, code);
      return true;
    });
  }

  test("lists of sha256sum and its kin, of openssl, and sums alone agree, and no longer once a digit differs", async () => {
    const lists: readonly (readonly [file: string, program: string, ...args: string[]])[] = [
      ["SHA256SUMS", "sha256sum", "some.iso"],
      ["SHA512SUMS", "sha512sum", "--binary", "./some.iso"],
      ["MD5SUMS", "md5sum", "some.iso"],
      ["sha1sum.txt", "sha1sum", "some.iso"],
      ["some.iso.sha256", "sha256sum", "--tag", "some.iso"],
      ["b2sums.txt", "b2sum", "some.iso"],
      ["Some-1-CHECKSUM", "openssl", "dgst", "-sha384", "some.iso"],
    ];
    for (const words of lists) {
      clear();
      list(...words);
      const [file] = words;
      const { level, evidence } = await verify();
      assert.deepEqual([level, evidence.map((one) => one.file)], ["sum", [file]]);
      const text = fs.readFileSync(path(file), "utf8");
      const digit = /[0-9a-f]{32,}/.exec(text)?.[0].at(-1) ?? "";
      fs.writeFileSync(path(file), text.replace(/([0-9a-f]{31,})[0-9a-f]/, `$1${digit === "0" ? "1" : "0"}`));
      await refused(new RegExp(`"${file}" says its .* is [0-9a-f]+, and it is [0-9a-f]+`));
    }
    clear();
    fs.writeFileSync(path("some.sha256"), runPeer("sha256sum", [iso]).slice(0, 64));
    assert.equal((await verify()).level, "sum");
    clear();
    assert.deepEqual(await verify(), { level: "none", evidence: [], warnings: [] });
  });

  test("a name of another file is not that of this one; under its old name a renamed ISO is found", async () => {
    clear();
    const sum = runPeer("sha256sum", [iso]).slice(0, 64);
    const wrong = "0".repeat(64);
    fs.writeFileSync(path("SHA256SUMS"), `${wrong}  ../some.iso\n${wrong}  other/some.iso\n${wrong}  some.iso.iso\n`);
    assert.equal((await verify()).level, "none");
    fs.writeFileSync(path("some.iso.sha256"), `${sum}  some-20260101.iso\n`);
    assert.deepEqual((await verify()).evidence, [{ file: "some.iso.sha256", algorithm: "sha256" }]);
    fs.writeFileSync(path("some.iso.sha256"), `${wrong}  some-20260101.iso\n`);
    await refused(/"some.iso.sha256" says its SHA-256 is 0{64}/);
    fs.rmSync(path("some.iso.sha256"));
    fs.writeFileSync(path("SHA256SUMS"), `${wrong}  other.iso\n${sum}  debian-12.iso\n`);
    const { level, evidence } = await verify();
    assert.deepEqual([level, evidence[0]?.listedAs], ["sum", "debian-12.iso"]);
  });

  test("lists that are damaged or far too long do not count, and it is said", async () => {
    clear();
    fs.writeFileSync(path("some.iso.sha256"), "no sum at all\n");
    assert.match((await verify()).warnings.join(), /there is no sum of some.iso in "some.iso.sha256"/);
    clear();
    fs.writeFileSync(path("SHA256SUMS"), "");
    fs.truncateSync(path("SHA256SUMS"), 2 ** 30);
    fs.mkdirSync(path("MD5SUMS"));
    const { level, warnings } = await verify();
    assert.equal(level, "none");
    assert.match(warnings.join(), /"SHA256SUMS" does not count: it has 1 GiB/);
    fs.rmdirSync(path("MD5SUMS"));
  });

  for (const algorithm of ["rsa3072", "ed25519", "nistp256/ecdsa", "dsa2048"]) {
    test(`${algorithm}: gpg's signatures of the ISO and of lists, from the key and from a subkey`, async () => {
      const name = `${algorithm.replace("/", "-")}@example.org`;
      const fingerprint = home.makeKey(name, algorithm);
      const sign = (args: readonly string[], file: string, output: string): void => {
        home.gpg(["--local-user", name, ...args, "--output", path(output), path(file)]);
      };
      const forms: readonly (readonly [words: readonly string[], from: string, to: string])[] = [
        [["--detach-sign"], "some.iso", "some.iso.sig"],
        [["--detach-sign", "--armor"], "some.iso", "some.iso.asc"],
        [["--detach-sign", "--armor"], "SHA256SUMS", "SHA256SUMS.sign"],
        [["--clearsign"], "SHA256SUMS", "SHA256SUMS.asc"],
        [["--clearsign"], "SHA256SUMS", "Some-CHECKSUM"],
        [["--sign"], "SHA256SUMS", "SHA256SUMS.gpg"],
        [["--sign", "--armor", "--compress-algo", "zlib"], "SHA256SUMS", "sha256sum.txt.asc"],
        [["--sign", "--compress-algo", "none"], "SHA256SUMS", "sha256sum.txt.gpg"],
      ];
      const check = async (words: readonly string[], from: string, to: string): Promise<void> => {
        clear();
        list("SHA256SUMS", "sha256sum", "some.iso");
        sign(words, from, to);
        if (to.startsWith("sha256sum.txt") || to === "Some-CHECKSUM") fs.rmSync(path("SHA256SUMS"));
        const keyrings = [home.export(folder.join("ring.asc"), name)];
        const { level, evidence } = await verify({ keyrings, needsSignature: true });
        const signers = evidence.flatMap((one) => one.signers ?? []);
        assert.deepEqual([level, signers], ["signed", [{ userId: name, fingerprint, file: to }]], to);
        const unknown = await verify();
        assert.notEqual(unknown.level, "signed");
        assert.equal(unknown.evidence.flatMap(({ unknownKeys = [] }) => unknownKeys).length, 1, to);
        await refused(
          /a signature is required, and the key [0-9A-F]{40} has.*\n.*--keyring/,
          { needsSignature: true },
          "refused",
        );
      };
      // How a signature is packed does not depend on who made it.
      for (const form of algorithm === "ed25519" ? forms : forms.slice(0, 1)) await check(...form);
      if (algorithm === "dsa2048") return; // primes of another such key take seconds to be found
      home.gpg(["--quick-add-key", fingerprint, algorithm, "sign", "1y"]);
      await check(["--clearsign"], "SHA256SUMS", "SHA256SUMS.asc");
    });
  }

  test("what was changed after it was signed is refused: the ISO, a list, a list that is signed in itself", async () => {
    clear();
    const name = "maker@example.org";
    home.makeKey(name, "ed25519");
    const keyrings = [home.export(folder.join("ring.asc"), name)];
    const changed = makeIso(folder, "downloads/changed.iso", { ...isoFiles, vmlinuz: "other" });
    home.gpg(["--local-user", name, "--detach-sign", "--output", path("changed.iso.sig"), iso]);
    await refused(/"changed.iso.sig": the signature by the key .* is not over this content/, {
      source: changed,
      keyrings,
    });
    const accepted = await verify({ source: changed, keyrings, acceptsProblems: true });
    assert.equal(accepted.level, "none");
    assert.match(accepted.warnings.join(), /not over this content/);
    fs.rmSync(path("changed.iso.sig"));
    list("SHA256SUMS", "sha256sum", "some.iso", "changed.iso");
    home.gpg(["--local-user", name, "--detach-sign", "--output", path("SHA256SUMS.sig"), path("SHA256SUMS")]);
    home.gpg(["--local-user", name, "--clearsign", "--output", path("SHA512SUMS"), path("SHA256SUMS")]);
    assert.equal((await verify({ keyrings })).level, "signed");
    fs.renameSync(iso, path("renamed.iso"));
    const renamed = await verify({ source: path("renamed.iso"), keyrings, needsSignature: true });
    assert.deepEqual([renamed.level, renamed.evidence[0]?.listedAs], ["signed", "some.iso"]);
    await refused(
      /a signature is required, and the key/,
      { source: path("renamed.iso"), needsSignature: true },
      "refused",
    );
    fs.renameSync(path("renamed.iso"), iso);
    fs.appendFileSync(path("SHA256SUMS"), "\n");
    await refused(/"SHA256SUMS.sig", about "SHA256SUMS": the signature .* is not over this content/, { keyrings });
    fs.rmSync(path("SHA256SUMS"));
    const text = fs.readFileSync(path("SHA512SUMS"), "utf8");
    fs.writeFileSync(path("SHA512SUMS"), text.replace("changed", "hanged"));
    await refused(/"SHA512SUMS", about "SHA512SUMS": the signature/, { keyrings });
    fs.writeFileSync(path("SHA512SUMS"), text.replace("=\n", "\n").replace(/^=.*$/m, "=AAAA"));
    const { level, warnings } = await verify({ keyrings });
    assert.equal(level, "none");
    assert.match(warnings.join(), /"SHA512SUMS" does not count: /);
    fs.writeFileSync(path("some.iso.sig"), "untrusted comment: signature of signify\nRWQ\n");
    assert.match((await verify({ keyrings })).warnings.join(), /"some.iso.sig" is a signature of another kind/);
  });

  test("a key that is revoked, or that expired before it signed, does not make it signed; a good signature beside does", async () => {
    clear();
    list("SHA256SUMS", "sha256sum", "some.iso");
    const old = ["--faked-system-time", "20250101T000000!"];
    const sign = (name: string, output: string, options: readonly string[] = []): void => {
      home.gpg([...options, "--local-user", name, "--detach-sign", "--output", path(output), path("SHA256SUMS")]);
    };
    const revoked = home.makeKey("revoked@example.org", "ed25519", old);
    sign("revoked@example.org", "SHA256SUMS.sig", old);
    home.revoke(revoked);
    const expired = home.makeKey("expired@example.org", "ed25519", old);
    sign("expired@example.org", "SHA256SUMS.sign", ["--faked-system-time", "20250601T000000!"]);
    home.gpg(["--faked-system-time", "20250102T000000!", "--quick-set-expire", expired, "1m"]);
    const keyrings = [home.export(folder.join("ring.asc"), "revoked@example.org", "expired@example.org")];
    const { level, warnings } = await verify({ keyrings });
    assert.equal(level, "sum");
    assert.match(warnings.join("\n"), /the key was revoked/);
    assert.match(warnings.join("\n"), /the key expired on 2025-0/);
    home.makeKey("good@example.org", "rsa3072");
    sign("good@example.org", "SHA256SUMS.gpg");
    const both = [...keyrings, home.export(folder.join("good.asc"), "good@example.org")];
    assert.equal((await verify({ keyrings: both })).level, "signed");
    assert.equal((await verify({ keyrings: [home.join("pubring.kbx")] })).level, "signed");
  });

  test("a signed list of hashes that are broken is a list, and no more", async () => {
    clear();
    list("MD5SUMS", "md5sum", "some.iso");
    home.makeKey("weak@example.org", "ed25519");
    home.gpg(["--local-user", "weak@example.org", "--detach-sign", "--output", path("MD5SUMS.sign"), path("MD5SUMS")]);
    const keyrings = [home.export(folder.join("ring.asc"), "weak@example.org")];
    assert.equal((await verify({ keyrings })).level, "sum");
    await refused(/a signature is required/, { keyrings, needsSignature: true }, "refused");
  });

  test("sums in the ISO: of implantisomd5, and lists of its files", async () => {
    clear();
    const tree = folder.join("tree");
    fs.mkdirSync(folder.join("tree/boot/grub"), { recursive: true });
    fs.mkdirSync(folder.join("tree/many"));
    for (const [name, content] of Object.entries(isoFiles)) fs.writeFileSync(`${tree}/${name}`, content);
    // What makes the ISO writes a table into this, and makes the other.
    fs.writeFileSync(`${tree}/boot/loader.bin`, "b".repeat(5000));
    fs.writeFileSync(`${tree}/boot/boot.cat`, "that of another disc");
    for (let n = 0; n < 200; n++) fs.writeFileSync(`${tree}/many/${n}`, String(n).repeat(n * 20));
    const names = runPeer("find", [".", "-type", "f"], { cwd: tree }).trim().split("\n");
    fs.writeFileSync(`${tree}/sha256sum.txt`, runPeer("sha256sum", names, { cwd: tree }));
    const build = (): string => {
      const target = path("listed.iso");
      const boot = ["-b", "boot/loader.bin", "-c", "boot/boot.cat", "-no-emul-boot", "-boot-info-table"];
      runPeer("xorriso", ["-as", "mkisofs", "-quiet", "-r", "-J", "-V", "LISTED", ...boot, "-o", target, tree]);
      return target;
    };
    const source = build();
    const listed = await verify({ source });
    assert.equal(listed.level, "embedded");
    assert.deepEqual(
      listed.evidence.map(({ file, fileCount }) => [file, fileCount]),
      [["sha256sum.txt", names.length - 2]],
    );
    runPeer("implantisomd5", [source]);
    assert.deepEqual(
      (await verify({ source })).evidence.map(({ file }) => file),
      ["isomd5", "sha256sum.txt"],
    );
    const bytes = fs.readFileSync(source);
    const at = bytes.indexOf(String(150).repeat(150 * 20));
    bytes.writeUInt8(0x39, at + 1000);
    fs.writeFileSync(source, bytes);
    assert.throws(() => runPeer("checkisomd5", [source]), "checkisomd5 finds it too");
    await refused(/what implantisomd5 left in it says its MD5 is/, { source });
    fs.writeFileSync(`${tree}/many/7`, "other");
    fs.appendFileSync(`${tree}/sha256sum.txt`, `${"0".repeat(64)}  ../../etc/passwd\n${"0".repeat(64)}  gone\n`);
    build();
    await refused(/"many\/7" in it differ from "sha256sum.txt" in it/, { source });
    fs.writeFileSync(`${tree}/many/7`, "7".repeat(140));
    build();
    const { level, warnings } = await verify({ source });
    assert.equal(level, "embedded");
    assert.match(warnings.join(), /2 of the files that "sha256sum.txt" in it lists are not there/);
  });

  test("what was found is kept on the key; an ISO that is refused leaves no trace there", async () => {
    clear();
    const sum = runPeer("sha256sum", [iso]).slice(0, 64);
    const wish = { keyrings: [], keyringFolders: [], acceptsProblems: false, needsSignature: false };
    fs.writeFileSync(path("SHA256SUMS"), `${sum.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))}  some.iso\n`);
    const request = { key, isos: [iso], isRehearsal: false, nowMs, verify: wish };
    fs.chmodSync(folder.path, 0o777);
    fs.chmodSync(key, 0o666);
    const { status, said } = holdfast("key", "add", key, iso);
    assert.equal(status, 3);
    assert.match(
      said,
      /^holdfast: cannot add ".*some.iso": "SHA256SUMS" says its SHA-256 is .*, and it is .*\nhint: .*\n$/,
    );
    assert.deepEqual((await listKey(key)).files, []);
    const onFinding = async ({ message }: { readonly message: string }): Promise<void> => assert.fail(message);
    await checkKey({ key, names: [] }, { onFinding });
    fs.writeFileSync(path("SHA256SUMS"), `${sum}  some.iso\n`);
    await addIsos(request);
    const [file] = (await listKey(key)).files;
    assert.equal(file?.sha256, sum);
    assert.deepEqual(file.verified, { level: "sum", evidence: [{ file: "SHA256SUMS", algorithm: "sha256" }] });
  });
});
