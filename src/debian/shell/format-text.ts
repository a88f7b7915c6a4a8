/** What `printf` prints. */
export function formatText([format = "", ...args]: readonly string[]): string {
  let text = "";
  let at = 0;
  do {
    const start = at;
    text += format.replace(
      /\\([0-7]{1,3}|.)|%([-0]*\d*)([sdbcxo%])/gs,
      (whole, escape?: string, width?: string, kind?: string) => {
        if (escape !== undefined) return unescaped(escape, whole);
        if (kind === "%") return "%";
        const value = args[at++] ?? "";
        const shown =
          kind === "b"
            ? value.replace(/\\([0-7]{1,3}|.)/gs, (all, one: string) => unescaped(one, all))
            : number(value, kind);
        const size = Number(width ?? "");
        if (width?.startsWith("0") === true) return shown.padStart(size, "0");
        return size < 0 ? shown.padEnd(-size) : shown.padStart(size);
      },
    );
    if (at === start) break;
  } while (at < args.length);
  return text;
}

function number(value: string, kind: string | undefined): string {
  if (kind === "s" || kind === "c") return value;
  const base = { x: 16, o: 8 }[kind ?? ""] ?? 10;
  return Number(value === "" ? 0 : value).toString(base);
}

function unescaped(escape: string, whole: string): string {
  if (/^[0-7]+$/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
  return { n: "\n", t: "\t", r: "\r", "\\": "\\", '"': '"', "'": "'", a: "\x07" }[escape] ?? whole;
}
