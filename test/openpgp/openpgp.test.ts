import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { keysNamed, parseKeyring, verifyCleartext, verifyDetached } from "../../src/openpgp/index.ts";
import {
  armour,
  certificate,
  clearsign,
  day,
  detached,
  makeKey,
  packet,
  type CertificateOptions,
  type KeyKind,
  type MakerKey,
  type SignatureOptions,
} from "./openpgp-maker.ts";

const made = Date.UTC(2025, 0, 1);
const signed = made + 100 * day;
const nowMs = made + 200 * day;
const text = "Origin: Test\nSuite: stable\n- a dash\nend of line blanks \t\n\nlast";

const primary = makeKey("eddsa", made);
const other = makeKey("eddsa", made);

/** The text that was verified, or the error. */
function outcome(
  message: string,
  keyring: Uint8Array,
  options: { readonly nowMs?: number; readonly anyTime?: boolean } = {},
): string {
  return attempt(
    () => verifyCleartext(Buffer.from(message), { keyring: parseKeyring(keyring, "ring"), nowMs, ...options }).text,
  );
}

function attempt(work: () => string): string {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return `${error.code}: ${error.message}`;
  }
}

function signedBy(key: MakerKey, options: Partial<SignatureOptions> = {}): string {
  return clearsign(text, [[key, { createdMs: signed, ...options }]]);
}

suite("signatures that count", () => {
  for (const kind of ["rsa", "eddsa", "ed25519", "p256"] satisfies readonly KeyKind[]) {
    test(`a text signed by a key of kind ${kind}, without blanks at the ends of its lines`, () => {
      const key = makeKey(kind, made);
      assert.equal(
        outcome(signedBy(key), certificate(key)),
        "Origin: Test\nSuite: stable\n- a dash\nend of line blanks\n\nlast\n",
      );
    });
  }

  test("the version 6 certificate and message of RFC 9580, appendix A.3 and A.6", () => {
    const ring = `-----BEGIN PGP PUBLIC KEY BLOCK-----

xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYf
GwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssYbE8GCaaX5NUt+mxy
KwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lw
gyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E/aLwIwRaLsdry0+VcallHhSu4RN6HWaE
QsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn
+eUBXbki+PSAld2nhJh/LVmFsS+60WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIh
BssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8
j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805
I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZvyl4GBg==
-----END PGP PUBLIC KEY BLOCK-----
`;
    const message = `-----BEGIN PGP SIGNED MESSAGE-----

What we need from the grocery store:

- - tofu
- - vegetables
- - noodles

-----BEGIN PGP SIGNATURE-----

wpgGARsKAAAAKQWCY5ijYyIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce6
2azJAAAAAGk2IHZJX1AhiJD39eLuPBgiUU9wUA9VHYblySHkBONKU/usJ9BvuAqo
/FvLFuGWMbKAdA+epq7V4HOtAPlBWmU8QOd6aud+aSunHQaaEJ+iTFjP2OMW0KBr
NK2ay45cX1IVAQ==
-----END PGP SIGNATURE-----
`;
    const keyring = parseKeyring(Buffer.from(ring), "ring");
    const verified = verifyCleartext(Buffer.from(message), { keyring, nowMs });
    assert.equal(verified.text, "What we need from the grocery store:\n\n- tofu\n- vegetables\n- noodles\n\n");
    assert.equal(
      verified.signatures[0]?.fingerprint,
      "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9",
    );
    assert.match(outcome(message.replace("tofu", "meat"), Buffer.from(ring)), /^mismatch: /);
  });

  test("a subkey signs for its certificate, an armoured keyring of several keys is read", () => {
    const subkey = makeKey("rsa", made + day);
    const ring = armour(
      "PUBLIC KEY BLOCK",
      Buffer.concat([certificate(other), certificate(primary, { flags: 1, subkeys: [{ key: subkey }] })]),
    );
    const keyring = parseKeyring(Buffer.from(`a comment\n${ring}`), "ring");
    const [signature] = verifyCleartext(Buffer.from(signedBy(subkey)), { keyring, nowMs }).signatures;
    assert.equal(signature?.fingerprint, subkey.fingerprint);
    assert.equal(signature?.primaryFingerprint, primary.fingerprint);
    assert.match(signature?.userId ?? "", /^Test Archive/);
  });

  test("one of several signatures is enough, unknown keys aside", () => {
    const message = clearsign(text, [
      [other, { createdMs: signed }],
      [primary, { createdMs: signed }],
    ]);
    assert.match(outcome(message, certificate(primary)), /^Origin/);
  });

  test("detached, binary and armoured, and over text with other line ends", () => {
    const content = Buffer.from("Origin: Test\nSuite: stable\n");
    const keyring = parseKeyring(certificate(primary), "ring");
    const binary = detached(content, primary, { createdMs: signed });
    const overText = detached(Buffer.from("Origin: Test\r\nSuite: stable\r\n"), primary, {
      createdMs: signed,
      type: 1,
    });
    for (const signature of [binary, Buffer.from(armour("SIGNATURE", binary)), overText]) {
      assert.equal(verifyDetached(content, signature, { keyring, nowMs })[0]?.fingerprint, primary.fingerprint);
    }
    assert.throws(
      () => verifyDetached(Buffer.from("Origin: Test\nSuite: Stable\n"), binary, { keyring, nowMs }),
      /was changed or damaged/,
    );
  });

  test("only the keys that a source names", () => {
    const subkey = makeKey("eddsa", made);
    const keyring = parseKeyring(
      Buffer.concat([certificate(other), certificate(primary, { subkeys: [{ key: subkey }] })]),
      "ring",
    );
    const fingerprints = (names: readonly string[]): string[] =>
      keysNamed(keyring, names).keys.map(({ key }) => key.fingerprint);
    assert.deepEqual(fingerprints([primary.fingerprint.toLowerCase()]), [primary.fingerprint, subkey.fingerprint]);
    assert.deepEqual(fingerprints([`${primary.fingerprint}!`]), [primary.fingerprint]);
    assert.deepEqual(fingerprints([subkey.fingerprint]), [subkey.fingerprint]);
  });
});

suite("signatures that do not count", () => {
  const subkey = makeKey("eddsa", made);
  const bySubkey = signedBy(subkey);
  const withSubkey = (
    options: Partial<NonNullable<CertificateOptions["subkeys"]>[0]>,
    rest: CertificateOptions = {},
  ): Buffer => {
    return certificate(primary, { ...rest, subkeys: [{ key: subkey, ...options }] });
  };
  const cases: readonly (readonly [what: string, message: string, ring: Buffer, said: RegExp])[] = [
    [
      "by a key that is not in the keyring",
      signedBy(other),
      certificate(primary),
      /^refused: no key of ring .* not in the keyring/,
    ],
    ["with MD5", signedBy(primary, { hash: 1 }), certificate(primary), /rests on MD5/],
    ["with SHA-1", signedBy(primary, { hash: 2 }), certificate(primary), /rests on SHA-1/],
    [
      "from the future",
      signedBy(primary, { createdMs: nowMs + 3 * day }),
      certificate(primary),
      /made on 2025-07-23, which is still to come/,
    ],
    ["older than its key", signedBy(primary, { createdMs: made - day }), certificate(primary), /older than its key/],
    [
      "after the key's end",
      signedBy(primary),
      certificate(primary, { lifetimeMs: 50 * day }),
      /the key expired on 2025-02-20/,
    ],
    [
      "itself expired",
      signedBy(primary, { subpackets: [[3, Buffer.of(0, 1, 0x51, 0x80)]] }),
      certificate(primary),
      /it expired on 2025-04-12/,
    ],
    [
      "that says what must be understood and is not known",
      signedBy(primary, { subpackets: [[0x80 | 20, Buffer.alloc(8)]] }),
      certificate(primary),
      /not known here and must be/,
    ],
    ["by a key that may only certify", signedBy(primary), certificate(primary, { flags: 1 }), /not in the keyring/],
    [
      "by a key that was stolen",
      signedBy(primary),
      certificate(primary, { revocation: { atMs: signed + day, reason: 2 } }),
      /was revoked/,
    ],
    [
      "after the key was given up",
      signedBy(primary),
      certificate(primary, { revocation: { atMs: signed - day, reason: 3 } }),
      /was revoked on 2025-04-10/,
    ],
    [
      "by a key whose own signature rests on SHA-1",
      signedBy(primary),
      certificate(primary, { hash: 2 }),
      /not in the keyring/,
    ],
    ["by a subkey that may not sign", bySubkey, withSubkey({ flags: 4 }), /not in the keyring/],
    [
      "by a subkey that does not sign its primary key",
      bySubkey,
      withSubkey({ withoutBackSignature: true }),
      /not in the keyring/,
    ],
    ["by a subkey that another one speaks for", bySubkey, withSubkey({ backSigner: other }), /not in the keyring/],
    ["by a subkey past its end", bySubkey, withSubkey({ lifetimeMs: day }), /the key expired on 2025-01-02/],
    [
      "by a subkey past its primary key's end",
      bySubkey,
      withSubkey({}, { lifetimeMs: 2 * day }),
      /the key expired on 2025-01-03/,
    ],
    ["by a revoked subkey", bySubkey, withSubkey({}, { subkeyRevocation: { atMs: signed, reason: 0 } }), /was revoked/],
    [
      "by a subkey of a revoked key",
      bySubkey,
      withSubkey({}, { revocation: { atMs: signed, reason: 0 } }),
      /was revoked/,
    ],
    ["by a short RSA key", ...shortRsa()],
  ];

  for (const [what, message, ring, said] of cases) {
    test(what, () => assert.match(outcome(message, ring), said));
  }

  function shortRsa(): readonly [string, Buffer, RegExp] {
    const key = makeKey("rsa", made, 1024);
    return [signedBy(key), certificate(key), /the key is too weak/];
  }

  test("the ends of keys are at the second", () => {
    const ring = certificate(primary, { lifetimeMs: 100 * day });
    assert.match(outcome(signedBy(primary, { createdMs: signed - 1000 }), ring), /^Origin/);
    assert.match(outcome(signedBy(primary, { createdMs: signed }), ring), /expired/);
  });

  test("a key that was given up in good order keeps what it signed before", () => {
    const ring = certificate(primary, { revocation: { atMs: signed + day, reason: 1 } });
    assert.match(outcome(signedBy(primary), ring), /^Origin/);
  });

  test("of several copies of a key, a revoked one and the latest end count", () => {
    const [plain, short, revoked] = [
      certificate(primary),
      certificate(primary, { lifetimeMs: day }),
      certificate(primary, { revocation: { atMs: signed, reason: 0 } }),
    ];
    const message = signedBy(primary);
    for (const rings of [
      [plain, short],
      [short, plain],
    ])
      assert.match(outcome(message, Buffer.concat(rings)), /^Origin/);
    for (const rings of [
      [plain, revoked],
      [revoked, plain],
    ])
      assert.match(outcome(message, Buffer.concat(rings)), /was revoked/);
  });

  test("where the clock does not count, the future does not either", () => {
    const message = signedBy(primary, { createdMs: nowMs + 30 * day });
    assert.match(outcome(message, certificate(primary), { anyTime: true }), /^Origin/);
  });

  test("a wrong signature of a known key ends it, whoever else has signed", () => {
    const good = signedBy(primary);
    const message = clearsign(text, [
      [primary, { createdMs: signed }],
      [other, { createdMs: signed }],
    ]);
    const changed = message.replace("Suite: stable", "Suite: stabler");
    assert.match(outcome(changed, certificate(primary)), /^mismatch: .* was changed or damaged/);
    assert.match(outcome(good.replace("last", "least"), certificate(primary)), /^mismatch: /);
  });
});

suite("messages that are not quite messages", () => {
  const good = signedBy(primary);
  const ring = certificate(primary);
  const cases: readonly (readonly [string, string])[] = [
    ["text before", `Suite: evil\n${good}`],
    ["text behind", `${good}Suite: evil\n`],
    ["a second message", `${good}${good}`],
    ["a header that is not Hash", good.replace("Hash: SHA512", "Suite: evil")],
    ["text between the head and the blank line", good.replace("Hash: SHA512\n", "Hash: SHA512\nSuite: evil\n")],
    ["a dash that is not escaped", good.replace("- - a dash", "-- a dash")],
    ["no signature", good.slice(0, good.indexOf("-----BEGIN PGP SIGNATURE"))],
    ["an end that is cut off", good.slice(0, -10)],
    ["a wrong checksum", good.replace(/\n=..../, "\n=AAAA")],
    ["other signs in the armour", good.replace(/\n=/, "\n!!!!\n=")],
    ["nothing", ""],
  ];
  for (const [what, message] of cases) {
    test(what, () => assert.match(outcome(message, ring), /^damaged: /));
  }

  test("CR LF at the ends of lines is fine", () => {
    assert.equal(outcome(good.replaceAll("\n", "\r\n"), ring), outcome(good, ring));
  });
});

suite("damage", () => {
  const rsa = makeKey("rsa", made);
  const message = clearsign(text, [[rsa, { createdMs: signed }]]);
  const ring = certificate(rsa);
  const expected = outcome(message, ring);

  test("no byte of a message can be changed so that another text counts", () => {
    const bytes = Buffer.from(message);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      const said = outcome(changed.toString("latin1"), ring);
      assert.ok(said === expected || /^(damaged|mismatch|refused): /.test(said), `byte ${at}: ${said}`);
    }
  });

  test("no byte of a signature packet or a certificate can be changed and another key counts", () => {
    const content = Buffer.from("content");
    const signature = detached(content, rsa, { createdMs: signed });
    for (const [whole, isKey] of [
      [signature, false],
      [ring, true],
    ] as const) {
      for (let at = 0; at < whole.length; at++) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        const said = attempt(() => {
          const keyring = parseKeyring(isKey ? changed : ring, "ring");
          return verifyDetached(content, isKey ? signature : changed, { keyring, nowMs })[0]?.fingerprint ?? "";
        });
        assert.ok(said === rsa.fingerprint || /^(damaged|mismatch|refused): /.test(said), `byte ${at}: ${said}`);
      }
    }
  });

  test("whatever is given as a keyring or a signature ends in a failure", () => {
    const keyring = parseKeyring(ring, "ring");
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(2, 6, 13, 14),
        fc.boolean(),
        (bytes, tag, isPacket) => {
          const given = isPacket ? packet(tag, Buffer.concat([Buffer.of(4), bytes])) : bytes;
          attempt(() => String(parseKeyring(given, "ring").keys.length));
          attempt(() => String(parseKeyring(Buffer.concat([ring, given]), "ring").keys.length));
          assert.match(
            attempt(() => String(verifyDetached(bytes, given, { keyring, nowMs }).length)),
            /^(damaged|mismatch|refused)/,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("any text in armour ends in a failure", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (inside) => {
        const said = outcome(
          `-----BEGIN PGP SIGNED MESSAGE-----\n\n${inside}\n-----BEGIN PGP SIGNATURE-----\n${inside}\n-----END PGP SIGNATURE-----\n`,
          ring,
        );
        assert.match(said, /^(damaged|mismatch|refused)/);
      }),
      { numRuns: 1000 },
    );
  });
});
