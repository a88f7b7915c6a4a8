import type { Problem } from "../file-system.ts";

const repair = 'let Windows repair it first ("chkdsk /f")';

/** What loses data, or may. */
export function error(message: string, hint: string = repair): Problem {
  return { severity: "error", message, hint };
}

export function warning(message: string): Problem {
  return { severity: "warning", message };
}
