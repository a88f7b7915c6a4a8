import { Failure } from "../base/index.ts";

/** What becomes of permission bits, as chmod(1) would have it. */
export interface ModeChange {
  /** As it was written. */
  readonly text: string;
  /** The new low 12 bits of a mode. `isDirectory` decides what `X` means, and that set-id bits stay unless named. */
  apply(before: number, isDirectory: boolean): number;
}

const allBits = 0o7777;
const setIdBits = 0o6000;
/** What `+w` without a `u`, `g`, `o` or `a` does not give away: the umask of most machines. */
const usualUmask = 0o022;
/** An octal mode with fewer digits leaves the set-id bits of directories that it does not name (GNU chmod). */
const digitsThatNameAll = 5;

const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: allBits };
const permissionBits: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: setIdBits, t: 0o1000 };
const copyShifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/** One operator with its permissions. */
interface Step {
  readonly operator: string;
  /** Which bits it is about; undefined where nobody is named and the umask decides. */
  readonly reach: number | undefined;
  /** Set-id bits that it names: of a directory it changes no others. */
  readonly named: number;
  bits(mode: number, isDirectory: boolean): number;
}

/** Understands a mode as chmod(1) does: `644`, `u+x,go-w`, `a=rX`, `g=u`. Throws `usage` for anything else. */
export function parseModeChange(text: string): ModeChange {
  const steps = /^[0-7]+$/.test(text)
    ? [octalStep("=", text, text)]
    : text.split(",").flatMap((clause) => stepsOf(clause, text));
  return {
    text,
    apply: (before, isDirectory) => steps.reduce((mode, step) => applyStep(step, mode, isDirectory), before & allBits),
  };
}

function applyStep(step: Step, mode: number, isDirectory: boolean): number {
  const untouched = isDirectory ? setIdBits & ~step.named : 0;
  const bits = step.bits(mode, isDirectory) & (step.reach ?? ~usualUmask) & ~untouched;
  if (step.operator === "+") return mode | bits;
  if (step.operator === "-") return mode & ~bits;
  const kept = untouched | (step.reach === undefined ? 0 : ~step.reach);
  return (mode & kept & allBits) | bits;
}

function stepsOf(clause: string, whole: string): Step[] {
  const octal = /^([+=-])([0-7]+)$/.exec(clause);
  if (octal !== null) return [octalStep(octal[1] ?? "", octal[2] ?? "", whole, allBits)];
  const match = /^([ugoa]*)((?:[+=-](?:[ugo]|[rwxXst]*))+)$/.exec(clause);
  if (match === null) throw notUnderstood(whole);
  const [, who = "", actions = ""] = match;
  const reach = who === "" ? undefined : who.split("").reduce((bits, one) => bits | (whoBits[one] ?? 0), 0);
  return [...actions.matchAll(/([+=-])([ugo]|[rwxXst]*)/g)].map(([, operator = "", permissions = ""]) => ({
    operator,
    reach,
    named: permissions.includes("s") ? setIdBits & (reach ?? allBits) : 0,
    bits: (mode, isDirectory) => bitsOf(permissions, mode, isDirectory),
  }));
}

function octalStep(operator: string, digits: string, whole: string, named?: number): Step {
  const mode = Number.parseInt(digits, 8);
  if (mode > allBits) throw notUnderstood(whole);
  const own = digits.length < digitsThatNameAll ? mode & setIdBits : allBits;
  return { operator, reach: allBits, named: named ?? own, bits: () => mode };
}

function bitsOf(permissions: string, mode: number, isDirectory: boolean): number {
  const shift = copyShifts[permissions];
  if (shift !== undefined) return ((mode >>> shift) & 7) * 0o111;
  let bits = 0;
  for (const one of permissions) {
    if (one === "X") bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    else bits |= permissionBits[one] ?? 0;
  }
  return bits;
}

function notUnderstood(text: string): Failure {
  return new Failure("usage", `cannot understand the mode "${text}"`, { hint: "write 644, or u+x,go-w" });
}
