import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import {
  compareVersions,
  fieldOf,
  isVersionMet,
  parseRelations,
  parseStanza,
  parseStanzas,
} from "../../src/debian/control/index.ts";

suite("versions", () => {
  const ascending = [
    "0~~",
    "0~~a",
    "0~",
    "0",
    "0a",
    "0+",
    "0.0",
    "1~rc1-1",
    "1",
    "1-0+b1",
    "1-1~bpo12+1",
    "1-1",
    "1-1+b1",
    "1-1+b10",
    "1-1.1",
    "1.0-1",
    "1.2-1",
    "1.10-1",
    "1.10a-1",
    "1.10+dfsg-1",
    "2",
    "10",
    "1:0.1",
    "2:0",
  ];
  test("in the order of deb-version(7)", () => {
    for (const [n, older] of ascending.entries()) {
      for (const newer of ascending.slice(n + 1)) {
        assert.ok(compareVersions(older, newer) < 0, `${older} < ${newer}`);
        assert.ok(compareVersions(newer, older) > 0, `${newer} > ${older}`);
      }
    }
  });
  test("equal ones", () => {
    for (const [a, b] of [
      ["1", "1-0"],
      ["0:1", "1"],
      ["1.01", "1.1"],
      ["1.", "1.0"],
    ] as const) {
      assert.equal(compareVersions(a, b), 0, `${a} = ${b}`);
    }
  });
  test("a total order", () => {
    const version = fc
      .string({ unit: fc.constantFrom("0", "1", "9", "a", "z", "~", "+", ".", "-"), maxLength: 8 })
      .map((rest) => `1${rest}`);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        assert.equal(compareVersions(a, a), 0);
        assert.equal(Math.sign(compareVersions(a, b)), 0 - Math.sign(compareVersions(b, a)));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
      }),
    );
  });
});

suite("relationships", () => {
  test("groups, alternatives, versions and architectures", () => {
    assert.deepEqual(parseRelations("libc6 (>= 2.36), python3:any | perl(<<5), a (< 1) , ", "x"), [
      [{ name: "libc6", operator: ">=", version: "2.36" }],
      [
        { name: "python3", architecture: "any" },
        { name: "perl", operator: "<<", version: "5" },
      ],
      [{ name: "a", operator: "<=", version: "1" }],
    ]);
  });
  test("every operator", () => {
    const met = ["<<", "<=", "=", ">=", ">>"].map((operator) => {
      const [[relation] = []] = parseRelations(`a (${operator} 2)`, "x");
      return ["1", "2", "3"].map((version) => Number(isVersionMet(relation!, version))).join("");
    });
    assert.deepEqual(met, ["100", "110", "010", "011", "001"]);
  });
  test("what names no package", () => {
    for (const field of ["a b", "a (= )", "(>= 1)", "a (~ 1)", "a | ", "a (= 1", "-a", "a (= 1;2)"]) {
      assert.throws(
        () => parseRelations(field, "x"),
        (error) => error instanceof Failure && error.code === "damaged",
        field,
      );
    }
  });
});

suite("stanzas", () => {
  test("fields as written, in any case when asked for; comments left out", () => {
    const stanza = parseStanza("# comment\nPackage:  a \nDescription: short\n long\n .\n\tmore \nX-Empty:\n", "x");
    assert.deepEqual(
      [...stanza],
      [
        ["Package", "a"],
        ["Description", "short\n long\n .\n\tmore"],
        ["X-Empty", ""],
      ],
    );
    assert.equal(fieldOf(stanza, "PACKAGE"), "a");
    assert.equal(fieldOf(stanza, "other"), undefined);
  });
  test("several, parted by lines that are blank or have only blanks", () => {
    assert.deepEqual(
      parseStanzas("\nA: 1\n\n \n\nA: 2\nB: 3\n\n# only a comment\n", "x").map((one) => [...one.values()]),
      [["1"], ["2", "3"]],
    );
  });
  test("what is no stanza", () => {
    for (const text of [" continued", "no colon", "A: 1\na: 2", ": value", "A B: 1"]) {
      assert.throws(
        () => parseStanza(text, "x"),
        (error) => error instanceof Failure && error.code === "damaged",
        text,
      );
    }
  });
});
