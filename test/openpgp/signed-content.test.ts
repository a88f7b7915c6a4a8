/** Files with their signatures in them, keyboxes, keys that are too weak. */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { openSigned, parseKeyring, verdictsOf, withDetached, type Verdict } from "../../src/openpgp/index.ts";
import { armour, certificate, clearsign, day, detached, makeKey, packet } from "./openpgp-maker.ts";

const nowMs = Date.UTC(2026, 0, 1);
const createdMs = nowMs - 10 * day;
const key = makeKey("eddsa", nowMs - 100 * day);
const ring = certificate(key);
const options = { keyring: parseKeyring(ring, "ring"), nowMs };
const content = Buffer.from("line one\nline two\n");
const signature = detached(content, key, { createdMs });

/** A packet of data that was signed (RFC 9580 §5.9). */
function literal(bytes: Uint8Array): Buffer {
  return packet(11, Buffer.concat([Buffer.from("b\u0004name"), Buffer.alloc(4), bytes]));
}

/** The same in parts, as gpg writes what it does not know the end of (RFC 9580 §4.2.1.4). */
function inParts(whole: Buffer): Buffer {
  const body = whole.subarray(6);
  const [first, rest] = [body.subarray(0, 16), body.subarray(16)];
  return Buffer.concat([whole.subarray(0, 1), Buffer.of(224 + 4), first, Buffer.of(rest.length), rest]);
}

function kinds(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map(({ kind }) => kind);
}

suite("a message with its signature in it", () => {
  const onePass = packet(4, Buffer.concat([Buffer.of(3, 0, 10, 22), Buffer.alloc(8), Buffer.of(1)]));
  const plain = Buffer.concat([onePass, literal(content), signature]);
  const forms: Readonly<Record<string, Uint8Array>> = {
    plain,
    "in parts": Buffer.concat([onePass, inParts(literal(content)), signature]),
    "packed as zip": packet(8, Buffer.concat([Buffer.of(1), zlib.deflateRawSync(plain)])),
    "packed as zlib, up to the end": Buffer.concat([Buffer.of(0xa3, 2), zlib.deflateSync(plain)]),
    armoured: Buffer.from(armour("MESSAGE", plain)),
    cleartext: Buffer.from(clearsign(content.toString(), [[key, { createdMs }]])),
  };
  for (const [name, file] of Object.entries(forms)) {
    test(`${name}: gives what was signed, and what the signature is worth`, () => {
      const signed = openSigned(file);
      assert.equal(Buffer.from(signed.content).toString(), content.toString());
      assert.deepEqual(kinds(verdictsOf(signed, options)), ["good"]);
    });
  }

  test("that is over other content is bad; by a stranger it is by an unknown key", () => {
    const other = openSigned(Buffer.concat([literal(Buffer.from("other")), signature]));
    assert.deepEqual(kinds(verdictsOf(other, options)), ["bad"]);
    const [verdict] = verdictsOf(openSigned(plain), { ...options, keyring: { names: [], keys: [] } });
    assert.ok(verdict?.kind === "unknown-key");
    assert.equal(verdict.issuer, key.fingerprint);
  });

  test("that is none, or is packed without end, is damaged", () => {
    const bomb = packet(8, Buffer.concat([Buffer.of(2), zlib.deflateSync(Buffer.alloc(65 * 2 ** 20))]));
    const nested = (depth: number): Buffer => {
      return depth === 0 ? plain : packet(8, Buffer.concat([Buffer.of(1), zlib.deflateRawSync(nested(depth - 1))]));
    };
    assert.deepEqual(kinds(verdictsOf(openSigned(nested(4)), options)), ["good"]);
    for (const file of [bomb, nested(5), signature, Buffer.concat([plain, literal(content)]), content]) {
      assert.throws(() => openSigned(file), { code: "damaged" });
    }
    fc.assert(
      fc.property(fc.nat({ max: plain.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: 40 }), (at, byte, cut) => {
        const changed = Buffer.from(plain.subarray(0, plain.length - cut));
        if (at < changed.length) changed[at] = byte;
        try {
          for (const verdict of verdictsOf(openSigned(changed), options)) {
            assert.ok(verdict.kind !== "good" || verdict.signature.fingerprint === key.fingerprint);
          }
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

suite("keyrings", () => {
  const u32 = (value: number): Buffer =>
    Buffer.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
  const header = Buffer.concat([u32(32), Buffer.of(1, 1, 0, 2), Buffer.from("KBXf"), Buffer.alloc(20)]);
  const blob = Buffer.concat([u32(20 + ring.length), Buffer.of(2, 1, 0, 0), u32(20), u32(ring.length), u32(0), ring]);
  const keybox = Buffer.concat([header, blob]);

  test("a keybox has its keys; a damaged one is a failure", () => {
    assert.deepEqual(
      parseKeyring(keybox, "box").keys.map((one) => one.primaryFingerprint),
      [key.fingerprint],
    );
    fc.assert(
      fc.property(fc.nat({ max: 80 }), fc.nat({ max: 255 }), fc.nat({ max: keybox.length }), (at, byte, size) => {
        const changed = Buffer.from(keybox.subarray(0, Math.max(12, size)));
        if (at < changed.length && at > 11) changed[at] = byte;
        try {
          parseKeyring(changed, "box");
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      }),
    );
  });

  test("only the keys that are asked for are looked at, by fingerprint or key ID", () => {
    const other = makeKey("eddsa", key.createdMs);
    const both = Buffer.concat([ring, certificate(other)]);
    for (const id of [other.fingerprint, other.fingerprint.slice(-16)]) {
      const found = parseKeyring(both, "ring", [id]).keys.map((one) => one.primaryFingerprint);
      assert.deepEqual(found, [other.fingerprint]);
    }
    assert.deepEqual(parseKeyring(both, "ring", []).keys, []);
  });

  test("a key that is too weak is not unknown: its signatures do not count, and it is said why", () => {
    const weak = makeKey("rsa", key.createdMs, 1024);
    const signed = withDetached(content, detached(content, weak, { createdMs }));
    const [verdict] = verdictsOf(signed, { keyring: parseKeyring(certificate(weak), "ring"), nowMs });
    assert.ok(verdict?.kind === "void");
    assert.match(verdict.why, /the key is too weak/);
  });
});
