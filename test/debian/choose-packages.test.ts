import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { choosePackages } from "../../src/debian/repository/choose-packages.ts";
import type { PriorityClass } from "../../src/debian/index.ts";

interface Wanted {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly priorities?: readonly PriorityClass[];
  readonly recommends?: boolean;
}

/** `app 1.0 Depends: lib, tool | other; Conflicts: x`, a line for each package. */
function indexOf(lines: string): string {
  return lines
    .trim()
    .split("\n")
    .map((line) => {
      const [, name, version, fields = ""] = /^\s*(\S+)(?: (\d\S*))?(?: (.*))?$/.exec(line) ?? [];
      const stated = fields
        .split(";")
        .map((field) => `${field.trim()}\n`)
        .join("");
      return `Package: ${name}\nVersion: ${version ?? "1"}\nArchitecture: amd64\n${stated.trim() === "" ? "" : stated}\n`;
    })
    .join("");
}

function chosen(lines: string, wanted: Wanted = { include: ["app"] }): string {
  const index = { name: "index", content: Buffer.from(indexOf(lines)), suiteNumber: 0, pin: 500 };
  const request = { architecture: "amd64", include: [], priorities: [], ...wanted };
  return choosePackages([index], request)
    .map(({ name }) => name)
    .join(" ");
}

function refusal(lines: string, wanted?: Wanted): string {
  try {
    return chosen(lines, wanted);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.message;
  }
}

suite("what is chosen", () => {
  const cases: readonly (readonly [what: string, lines: string, expected: string, wanted?: Wanted])[] = [
    ["the first alternative", "app Depends: a | b\na\nb", "a app"],
    ["the next one where the first is not there", "app Depends: a | b\nb", "b app"],
    ["the next one where the first is too old", "app Depends: a (>= 2) | b\na 1\nb", "b app"],
    ["the next one where the first cannot be installed", "app Depends: a | b\na Depends: gone\nb", "b app"],
    ["one that is needed anyway", "app Depends: a | b, c\na\nb\nc Depends: b", "b c app"],
    [
      "one that is needed further down, however deep",
      "app Depends: a | b, c\na\nb\nc Depends: d\nd Depends: b",
      "b d c app",
    ],
    ["one that does not conflict", "app Depends: a | b, c\na\nb\nc Conflicts: a", "b c app"],
    ["one that nothing conflicts with", "app Depends: a | b, c\na Breaks: c (<< 2)\nb\nc 1", "b c app"],
    ["what provides a name", "app Depends: mail\na Provides: mail", "a app"],
    ["the package of that name first", "app Depends: mail\na Provides: mail\nmail", "mail app"],
    [
      "of several that provide it, the one of higher priority",
      "app Depends: mail\na Provides: mail; Priority: optional\nb Provides: mail; Priority: standard",
      "b app",
    ],
    [
      "a provided version",
      "app Depends: api (>= 2)\na Provides: api\nb Provides: api (= 1)\nc Provides: api (= 2)",
      "c app",
    ],
    ["any architecture where that is allowed", "app Depends: a:any | b\na\nb", "b app"],
    ["any architecture", "app Depends: a:any | b\na Multi-Arch: allowed\nb", "a app"],
    [
      "a package that conflicts with what it provides itself",
      "app Depends: mail\na Provides: mail; Conflicts: mail",
      "a app",
    ],
    [
      "no second one of a kind",
      "app Depends: b, mail\na Provides: mail; Conflicts: mail\nb Provides: mail; Conflicts: mail",
      "b app",
    ],
    [
      "essential and required ones",
      "a Essential: yes\nb Priority: required\nc Priority: important\nd",
      "a b",
      { priorities: ["essential", "required"] },
    ],
    [
      "without those that are excluded",
      "a Priority: required\nb Priority: required; Depends: c | d\nc\nd",
      "d b",
      { priorities: ["required"], exclude: ["a", "c"] },
    ],
    [
      "what is recommended where it can be had",
      "app Recommends: a, gone, c, d | e\na Depends: b\nb\nc Conflicts: b\nd Depends: gone\ne Recommends: f\nf",
      "app b a e f",
      { include: ["app"], recommends: true },
    ],
    ["an alternative that was asked for", "a\nb\nc Depends: a", "a c", { include: ["a | b", "c"] }],
    ["a version that was asked for", "app 1\napp 2 Depends: a\na", "app", { include: ["app=1"] }],
    ["the newest version", "app 1\napp 2 Depends: a\na", "a app"],
  ];
  for (const [what, lines, expected, wanted] of cases) {
    test(what, () =>
      assert.equal(refusal(lines, wanted).split(" ").toSorted().join(" "), expected.split(" ").toSorted().join(" ")),
    );
  }

  test("what is recommended finds a way around what was decided before", () => {
    const lines = `app Depends: a | b, c | d, e | f, x | y; Recommends: r
      a
      b
      c
      d
      e
      f
      x
      y
      r Depends: p | q
      p Depends: s
      q
      s Conflicts: x`;
    const said = chosen(lines, { include: ["app"], recommends: true });
    assert.equal(said.split(" ").toSorted().join(" "), "a app c e q r x");
  });

  test("a decision is taken back where it leads nowhere, and only that one", () => {
    const lines = `app Depends: x | y, m | n, o | p, z | w
      x Depends: c
      c Conflicts: z, w
      y
      m
      n
      o
      p
      z
      w`;
    assert.equal(chosen(lines).split(" ").toSorted().join(" "), "app m o y z");
  });
});

suite("why not", () => {
  const cases: readonly (readonly [what: string, lines: string, message: RegExp, wanted?: Wanted])[] = [
    ["it is not there", "a", /^cannot install "app": it is not in these suites$/],
    ["another version is there", "app 1", /^cannot install "app \(= 2\)": there is 1$/, { include: ["app=2"] }],
    [
      "what it needs is not there",
      "app Depends: a\na Depends: b | c",
      /^cannot install "app": it depends on a, which depends on b \| c, which is not in these suites$/,
    ],
    [
      "what it needs is too old",
      "app Depends: a\na Pre-Depends: b (>= 2)\nb 1.5",
      /^cannot install "app": it depends on a, which pre-depends on b \(>= 2\), of which there is 1.5$/,
    ],
    [
      "two conflict",
      "app Depends: a, b\na\nb Conflicts: a",
      /^cannot install "app": it depends on b, which conflicts with a \(which app needs\)$/,
    ],
    [
      "two that were asked for conflict",
      "app Conflicts: b\nb",
      /^cannot install "b": it conflicts with app$/,
      { include: ["app", "b"] },
    ],
    [
      "all that provide it conflict",
      "app Depends: mail\na Provides: mail; Conflicts: app",
      /^cannot install "app": it depends on mail, and a conflicts with app$/,
    ],
    [
      "it is excluded",
      "app Depends: a\na",
      /^cannot install "app": it depends on a, which is excluded$/,
      { include: ["app"], exclude: ["a"] },
    ],
    [
      "several provide it",
      "a Provides: mail\nb Provides: mail",
      /^cannot install "mail": it is provided by a, b$/,
      { include: ["mail"] },
    ],
    ["it is no name", "a", /^cannot install "a b": it is no name of a package$/, { include: ["a b"] }],
    [
      "a long way down",
      `app Depends: a1\n${Array.from({ length: 9 }, (_, n) => `a${n + 1} Depends: a${n + 2}`).join("\n")}`,
      /^cannot install "app": it depends on a1, which depends on a2, which depends on a3, which …, which depends on a9, which depends on a10, which is not in these suites$/,
    ],
  ];
  for (const [what, lines, message, wanted] of cases) {
    test(what, () => assert.match(refusal(lines, wanted), message));
  }
});

suite("the order", () => {
  test("after what is needed, by name otherwise, essential ones first", () => {
    assert.equal(chosen("a\nz Essential: yes\nm Depends: a", { include: ["m", "a", "z"] }), "z a m");
  });

  test("in a circle after what is pre-depended on", () => {
    const order = chosen("app Depends: b\nb Depends: c\nc Depends: app; Pre-Depends: d\nd Depends: b").split(" ");
    assert.ok(order.indexOf("d") < order.indexOf("c"), order.join(" "));
  });
});

/** Small worlds, in which all sets can be tried. */
suite("random worlds", () => {
  const names = ["p0", "p1", "p2", "p3", "p4", "p5", "p6"];
  const name = fc.constantFrom(...names);
  const packageOf = fc.record({
    depends: fc.array(fc.array(name, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    conflicts: fc.array(name, { maxLength: 2 }),
    provides: fc.array(fc.constantFrom("v0", "v1", ...names), { maxLength: 1 }),
    strong: fc.boolean(),
  });
  const world = fc.array(packageOf, { minLength: names.length, maxLength: names.length });
  type World = readonly (typeof packageOf extends fc.Arbitrary<infer T> ? T : never)[];

  function text(packages: World): string {
    return packages
      .map(({ depends, conflicts, provides, strong }, n) => {
        const fields = [
          ...(depends.length > 0
            ? [`${strong ? "Pre-Depends" : "Depends"}: ${depends.map((group) => group.join(" | ")).join(", ")}`]
            : []),
          ...(conflicts.length > 0 ? [`Conflicts: ${conflicts.join(", ")}`] : []),
          ...(provides.length > 0 ? [`Provides: ${provides.join(", ")}`] : []),
        ];
        return `p${n} 1 ${fields.join("; ")}`;
      })
      .join("\n");
  }

  function isSound(packages: World, set: ReadonlySet<string>): boolean {
    const meets = (wanted: string, but?: string): boolean => {
      return [...set].some(
        (one) => one !== but && (one === wanted || packages[Number(one.slice(1))]!.provides.includes(wanted)),
      );
    };
    return [...set].every((one) => {
      const { depends, conflicts } = packages[Number(one.slice(1))]!;
      return (
        depends.every((group) => group.some((wanted) => meets(wanted))) &&
        !conflicts.some((wanted) => meets(wanted, one))
      );
    });
  }

  test("a set is found exactly where there is one, and it holds together", () => {
    fc.assert(
      fc.property(world, fc.uniqueArray(name, { minLength: 1, maxLength: 2 }), (packages, include) => {
        const said = refusal(text(packages), { include });
        const isPossible = Array.from(
          { length: 2 ** names.length },
          (_, mask) => new Set(names.filter((_name, n) => (mask >> n) % 2 === 1)),
        ).some((set) => include.every((one) => set.has(one)) && isSound(packages, set));
        if (!isPossible) assert.match(said, /^cannot install/);
        else {
          const set = new Set(said.split(" "));
          assert.ok(include.every((one) => set.has(one)) && isSound(packages, set), said);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("each comes after what it pre-depends on, where these are not in a circle", () => {
    const acyclic = world.map((packages) => {
      return packages.map((one, n) => ({
        ...one,
        conflicts: [],
        provides: [],
        depends: one.strong
          ? one.depends.map((group) => group.filter((wanted) => wanted > `p${n}`)).filter((group) => group.length > 0)
          : one.depends,
      }));
    });
    fc.assert(
      fc.property(acyclic, (packages) => {
        const order = chosen(text(packages), { include: names }).split(" ");
        for (const [n, { depends, strong }] of packages.entries()) {
          for (const wanted of strong ? depends.flat() : [])
            assert.ok(order.indexOf(wanted) < order.indexOf(`p${n}`), order.join(" "));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

suite("the index", () => {
  test("is read whatever the case of its fields, with CR, without an end, with blank lines before", () => {
    const content = Buffer.from(
      "\n\npackage: app\nVERSION: 1\nArchitecture: all\nDepends: b\nDescription: x\n y\n\n\nPackage: b\nVersion: 2\nArchitecture: amd64\nPackage-Type: deb\n\nPackage: c\nVersion: 1\nArchitecture: arm64",
    );
    const index = { name: "index", content, suiteNumber: 0, pin: 500 };
    const packages = choosePackages([index], { architecture: "amd64", include: ["app"], priorities: [] });
    assert.deepEqual(
      packages.map((one) => `${one.name} ${one.version}`),
      ["b 2", "app 1"],
    );
    assert.equal(packages[1]?.control.get("Description"), "x\n y");
  });

  test("any bytes end in a choice or a failure", () => {
    const line = fc.constantFrom(
      "Package: a",
      "Package: app",
      "Version: 1",
      "Version: :",
      "Architecture: amd64",
      "Provides: x (",
      "Depends: a",
      " more",
      "",
      "\0",
      "Depends: app |",
      "Depends: a",
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const index = { name: "index", content: Buffer.from(lines.join("\n")), suiteNumber: 0, pin: 500 };
        try {
          choosePackages([index], { architecture: "amd64", include: ["app"], priorities: [] });
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
