/** The verbs beside cp, rm, mkdir, mv, ln, chmod and chown: thousands of random lines are to come to the same. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseEditScript } from "../../src/cli/disk/edit-script.ts";
import { FileReader } from "../../src/device/index.ts";
import { editDisk } from "../../src/disk/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const isRoot = process.getuid?.() === 0;
const lineCount = 300;

/** A line of a script, and what says the same to the real programs, run in the folder that stands for the image. */
interface Line {
  readonly script: string;
  readonly real: readonly string[];
}

const names = ["a", "b", "c", "d", "e", "d/a", "d/e", "e/b", "d/e/a", "d/e/c", "e/l", "l", "m", "d/l"];
const linkTargets = ["a", "d", "e", "d/e", "l", ".", "nowhere", "a/b", "nowhere/b"];
const modes = ["700", "0755", "644", "00755", "u+x,go-w", "a=rX", "g=u", "u+s", "o+t", "go="];

function randomLine(dice: Dice, sources: string): Line {
  const path = (): string => dice.pick(names) + (dice.below(12) === 0 ? "/" : "");
  const line = (verb: string, real: string, options: readonly string[], ...paths: readonly string[]): Line => ({
    script: [verb, ...options, ...paths.map((one) => `/${one}`)].join(" "),
    real: [real, ...options, ...paths],
  });
  const flags = (...all: readonly string[]): string[] => all.filter(() => dice.below(2) === 0);
  const roll = dice.below(100);
  if (roll < 12) return line("mkdir", "mkdir", [...flags("-p"), ...(dice.below(3) === 0 ? ["-m", "750"] : [])], path());
  // With -f, rm takes no offence at "file/", but with -r it does.
  if (roll < 22) return line("rm", "rm", flags("-r"), path());
  if (roll < 24) return line("rm", "rm", ["-f", ...flags("-r")], dice.pick(["a", "b", "c", "d", "none"]));
  if (roll < 40) return line("mv", "mv", [], path(), ...(dice.below(4) === 0 ? [path()] : []), path());
  if (roll < 50) return line("ln", "ln", flags("-f"), path(), path());
  if (roll < 60) {
    // ln looks for the target from where it runs: ours, from where the link is, so as not to lose a file to itself.
    const isForced = dice.below(3) === 0;
    const options = ["-s", ...flags("-n"), ...(isForced ? ["-f"] : [])];
    const [target, at] = [isForced ? "no/where" : dice.pick(linkTargets), path()];
    return { script: ["ln", ...options, target, `/${at}`].join(" "), real: ["ln", ...options, target, at] };
  }
  if (roll < 70) return line("chmod", "chmod", [...flags("-R"), dice.pick(modes)], path());
  if (roll < 75 && isRoot) return line("chown", "chown", [...flags("-R"), `${dice.below(5)}:${dice.below(5)}`], path());
  if (roll < 80) {
    const [at, file] = [dice.pick(names), `${sources}/${dice.pick(["a", "c"])}`];
    const text = fs.readFileSync(file, "latin1");
    return { script: `write /${at} <<END\n${text}END`, real: ["cp", "-T", file, at] };
  }
  // cp takes one file twice with a warning, and a name with / at its end for a folder that it makes: put refuses both.
  const first = dice.below(5);
  const chosen = dice.below(4) === 0 ? [first, (first + 1 + dice.below(4)) % 5] : [first];
  const many = chosen.map((n) => `${sources}/${"abcde"[n]}`);
  const to = first < 3 ? path() : dice.pick(names);
  return { script: `put ${many.join(" ")} /${to}`, real: ["cp", "-r", "--", ...many, to] };
}

function makeSources(folder: string): void {
  fs.mkdirSync(`${folder}/d/e`, { recursive: true });
  fs.mkdirSync(`${folder}/e`);
  for (const name of ["a", "b", "c", "d/a", "d/b", "d/e/c", "e/b"]) {
    fs.writeFileSync(`${folder}/${name}`, `${name}\n`.repeat(name.length * 100));
    fs.chmodSync(`${folder}/${name}`, name === "b" ? 0o755 : 0o644);
  }
  fs.symlinkSync("a", `${folder}/d/l`);
  fs.symlinkSync("../d", `${folder}/e/l`);
}

/** Where put means to do otherwise than cp: it goes through links to directories, as when a disk is made. */
const meantOtherwise = /cannot overwrite non-directory/;

/**
 * Runs the real program on a copy, which takes the world's place where it succeeds. Undefined where it fails and
 * ours is not meant to.
 */
function runReal(folder: TemporaryFolder, { real }: Line): boolean | undefined {
  const [world, next] = [folder.join("world"), folder.join("next")];
  execFileSync("cp", ["-a", world, next]);
  const [program = "", ...args] = real;
  const words = ["-c", 'umask 022; exec "$0" "$@"', program, ...args];
  const { status, stderr } = spawnSync("sh", words, {
    cwd: next,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  fs.rmSync(status === 0 ? world : next, { recursive: true });
  if (status === 0) fs.renameSync(next, world);
  return status !== 0 && meantOtherwise.test(stderr) ? undefined : status === 0;
}

async function runOurs(image: string, { script }: Line): Promise<boolean> {
  try {
    await editDisk({ place: { image }, edits: parseEditScript(script), isRehearsal: false, nowMs: Date.now() });
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

function comparable(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  const entries = [...facts].filter(([name]) => name !== "lost+found" && name !== "");
  return Object.fromEntries(
    entries.map(([name, { modified: _, firstPath, ...rest }]) => [name, { ...rest, isFirst: firstPath === name }]),
  );
}

const skip = skipWithout("mke2fs", "e2fsck", "cp", "mv", "ln");

test("random lines come to what the real programs make of them", { skip }, async () => {
  await using folder = temporaryFolder();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = new Dice(seed);
  const image = folder.join("image");
  runPeer("mke2fs", ["-q", "-t", "ext4", image, "8M"]);
  fs.mkdirSync(folder.join("world"));
  makeSources(folder.join("sources"));
  let succeeded = 0;
  for (let n = 0; n < lineCount; n++) {
    const line = randomLine(dice, folder.join("sources"));
    const wanted = runReal(folder, line);
    const what = `seed ${seed}, line ${n}: ${line.script}`;
    if (wanted === undefined) continue;
    assert.equal(await runOurs(image, line), wanted, what);
    if (!wanted) continue;
    succeeded++;
    await using reader = await FileReader.open(image);
    await using fileSystem = await openFileSystem(reader);
    const [found, real] = [comparable(await factsOf(fileSystem)), comparable(factsOfFolder(folder.join("world")))];
    assert.deepEqual(Object.keys(found).toSorted(), Object.keys(real).toSorted(), what);
    for (const name of Object.keys(real)) assert.deepEqual(found[name], real[name], `${what}: ${name}`);
  }
  assert.ok(succeeded > lineCount / 5, "enough of them can be done");
  runPeer("e2fsck", ["-fn", image]);
  if (skipWithoutMount() !== false) return;
  const mountPoint = folder.join("mnt");
  await whileMounted(image, mountPoint, "ro", async () => {
    assert.deepEqual(comparable(factsOfFolder(mountPoint)), comparable(factsOfFolder(folder.join("world"))));
  });
});
