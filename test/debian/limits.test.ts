import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as zlib from "node:zlib";
import { suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { AptConfiguration } from "../../src/debian/apt/index.ts";
import { fetchPackages } from "../../src/debian/index.ts";
import { parseKeyring, verifyDetached } from "../../src/openpgp/index.ts";
import { certificate, clearsign, day, detached, packet } from "../openpgp/openpgp-maker.ts";
import { addSuite, archiveKey, machine, nowMs, serve, type Files } from "./test-archive.ts";

const MiB = 1024 * 1024;
const inRelease = "dists/bookworm/InRelease";

async function failureFrom(files: Files): Promise<string> {
  await using server = await serve(files);
  await using home = machine(server.url, { settings: 'Acquire::Retries "0";' });
  try {
    await fetchPackages(home.request());
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.message;
  }
  return "";
}

/** An archive whose Release file lists these. */
function listing(...listed: readonly string[]): Files {
  const text = `Codename: bookworm\nSuite: stable\nDate: ${new Date(nowMs - day).toUTCString()}\nSHA256:\n${listed.map((line) => ` ${line}\n`).join("")}`;
  return new Map([[inRelease, Buffer.from(clearsign(text, [[archiveKey, { createdMs: nowMs - day }]]))]]);
}

suite("limits, each at its last value and one past it", () => {
  test("the size of a Release file: 16 MiB", async () => {
    assert.match(
      await failureFrom(new Map([[inRelease, Buffer.alloc(16 * MiB, "x")]])),
      /does not begin as a signed message/,
    );
    assert.match(
      await failureFrom(new Map([[inRelease, Buffer.alloc(16 * MiB + 1, "x")]])),
      /it has more than 16777216 bytes/,
    );
  });

  test("the size of an index: 1 GiB", async () => {
    const line = (sizeBytes: number): string => `${"0".repeat(64)} ${sizeBytes} main/binary-amd64/Packages.gz`;
    assert.match(await failureFrom(listing(line(1024 * MiB))), /Packages.gz": it is not there/);
    assert.match(
      await failureFrom(listing(line(1024 * MiB + 1))),
      /it has 1073741825 bytes, at most 1073741824 are read/,
    );
  });

  test("an index that unpacks to more than was signed", async () => {
    const files: Files = new Map();
    addSuite(files, "bookworm", { packages: [{ Package: "app" }] });
    const packed = zlib.gzipSync(Buffer.alloc(64 * MiB));
    const line = (content: Uint8Array, sizeBytes: number, ending: string): string => {
      return `${crypto.hash("sha256", content)} ${sizeBytes} main/binary-amd64/Packages${ending}`;
    };
    const release = listing(line(packed, packed.length, ".gz"), line(Buffer.alloc(5), 5, ""));
    release.set("dists/bookworm/main/binary-amd64/Packages.gz", packed);
    assert.match(await failureFrom(release), /it unpacks to something else than its signed Release file says/);
  });

  test("signatures: 100", () => {
    const content = Buffer.from("content");
    const keyring = parseKeyring(certificate(archiveKey), "ring");
    const signature = detached(content, archiveKey, { createdMs: nowMs });
    const many = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => signature));
    assert.equal(verifyDetached(content, many(100), { keyring, nowMs }).length, 100);
    assert.throws(() => verifyDetached(content, many(101), { keyring, nowMs }), /more than 100 signatures/);
  });

  test("packets of a keyring: a million", () => {
    const trust = packet(12, Buffer.alloc(0));
    const many = Buffer.alloc(trust.length * 1_000_001);
    for (let at = 0; at < many.length; at += trust.length) trust.copy(many, at);
    assert.equal(parseKeyring(many.subarray(trust.length), "ring").keys.length, 0);
    assert.throws(() => parseKeyring(many, "ring"), /more than 1000000 packets/);
  });

  test("braces in apt's configuration: 100", async () => {
    await using home = machine("http://127.0.0.1/");
    const { env } = home.request();
    home.write("etc/apt/apt.conf", `${"a {".repeat(100)} b "1"; ${"};".repeat(100)}`);
    assert.equal(AptConfiguration.read(env).get(`${"a::".repeat(100)}b`), "1");
    home.write("etc/apt/apt.conf", `${"a {".repeat(101)} b "1"; ${"};".repeat(101)}`);
    assert.throws(() => AptConfiguration.read(env), Failure);
  });

  test("redirections: 10", async () => {
    const files: Files = new Map();
    addSuite(files, "bookworm", { packages: [{ Package: "app" }] });
    await using server = await serve(files);
    for (const [hops, expected] of [
      [10, ""],
      [11, "it leads on more than 10 times"],
    ] as const) {
      server.handler = (request, response, name) => {
        const done = Number(/\?(\d+)$/.exec(name)?.[1] ?? 0);
        const path = name.replace(/\?.*/, "");
        if (done === hops) {
          request.url = `/${path}`;
          response.writeHead(200).end(server.files.get(path));
        } else response.writeHead(302, { location: `/${path}?${done + 1}` }).end();
        return true;
      };
      await using home = machine(server.url);
      const said = await fetchPackages(home.request()).then(
        () => "",
        (error: Error) => error.message,
      );
      assert.ok(said.endsWith(expected), said);
      assert.equal(said === "", expected === "");
    }
  });
});
