export function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, String.raw`\$&`) : text}"`;
}

/** What is said to people in an answer: in one line, whatever it is made of. */
export function humanText(text: string): string {
  return text.replaceAll(/[^ -~]+/g, (run) => (/[\r\n]/.test(run) ? " " : "?")) || "-";
}
