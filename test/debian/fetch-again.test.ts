/** Packages are fetched where runs before, or beside this one, have left something. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { suite, test } from "node:test";
import { fetchPackages, type PackageRequest } from "../../src/debian/index.ts";
import { day } from "../openpgp/openpgp-maker.ts";
import { appFile, archive, assertWhole } from "./sample-archive.ts";
import { contentOf, machine, nowMs, serve } from "./test-archive.ts";

suite("what runs before have left", () => {
  test("a run that was killed: the next one goes on; two at once both have all", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    server.handler = (_, response, name) => {
      if (name !== appFile) return false;
      response.writeHead(200, { "content-length": contentOf("app", "1.0").length });
      response.write(contentOf("app", "1.0").subarray(0, 1000));
      return true;
    };
    const first = inProcess(home.request());
    // All but the rest of one package has come in: now the process is killed.
    const killAt = contentOf("lib", "1:2.0~rc1").length + contentOf("tool", "1.0").length + 1000;
    first.child.stderr?.on("data", (text: Buffer) => {
      if (text.toString().split("\n").includes(String(killAt))) first.child.kill("SIGKILL");
    });
    assert.equal((await first.ended).status, null);
    server.handler = undefined;
    server.log.length = 0;
    const both = await Promise.all([inProcess(home.request()).ended, inProcess(home.request()).ended]);
    assert.deepEqual(both, [
      { status: 0, output: "tool lib app\n" },
      { status: 0, output: "tool lib app\n" },
    ]);
    assert.ok(
      server.log.some((line) => line.startsWith(`${appFile} bytes=`)),
      server.log.join(),
    );
    assertWhole(await fetchPackages(home.request()));
  });

  test("old leftovers are cleared away, new ones are not", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    await fetchPackages(home.request());
    const folder = `${home.cache}/packages`;
    for (const [name, age] of [
      ["old.part", 40],
      ["new.part", 20],
      ["old.new", 2],
      ["new.new", 0],
    ] as const) {
      fs.writeFileSync(`${folder}/${name}`, "");
      fs.utimesSync(`${folder}/${name}`, nowMs / 1000, (nowMs - age * day) / 1000);
    }
    await fetchPackages(home.request());
    assert.deepEqual(
      fs
        .readdirSync(folder)
        .filter((name) => !name.endsWith(".deb"))
        .toSorted(),
      ["new.new", "new.part"],
    );
  });

  test(
    "a disk that takes no more: what is there stays, and the next run goes on",
    { skip: process.platform !== "linux" },
    async () => {
      await using server = await serve(archive());
      await using home = machine(server.url);
      const full = inProcess(home.request(), "ulimit -f 16; ");
      let said = "";
      full.child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
      assert.equal((await full.ended).status, 1);
      assert.match(said, /cannot write ".*_all_[0-9a-f]{16}.deb": file too large/);
      assert.deepEqual(
        fs.readdirSync(`${home.cache}/packages`).filter((name) => name.endsWith(".deb")),
        [],
      );
      assertWhole(await fetchPackages(home.request()));
    },
  );

  interface Run {
    readonly child: ChildProcess;
    readonly ended: Promise<{ readonly status: number | null; readonly output: string }>;
  }

  function inProcess(request: PackageRequest, before = ""): Run {
    const fixture = `${import.meta.dirname}/fetch-packages-fixture.ts`;
    const command = `${before}exec "$0" "$@"`;
    const child = spawn("sh", ["-c", command, process.execPath, fixture, JSON.stringify(request)], { stdio: "pipe" });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    return { child, ended: new Promise((resolve) => child.on("close", (status) => resolve({ status, output }))) };
  }
});
