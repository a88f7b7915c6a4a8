import { readParameters } from "./parameters.ts";
import type { Parameters } from "./structure.ts";
import { Tokens } from "./tokens.ts";

/** A media type (RFC 2045 §5). */
export interface ContentType {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameters;
}

/** What a part is that does not say it. */
export const plainText: ContentType = { type: "text", subtype: "plain", parameters: [["charset", "us-ascii"]] };
/** What a part of a `multipart/digest` is that does not say it (RFC 2046 §5.1.5). */
export const digestMessage: ContentType = { type: "message", subtype: "rfc822", parameters: [] };

/** `Content-Type`; undefined where it has no type and subtype: then the default holds (RFC 2045 §5.2). */
export function parseContentType(text: string): ContentType | undefined {
  const tokens = new Tokens(text);
  tokens.skipBlanks();
  const type = tokens.readUntil('/;"(,').toLowerCase();
  tokens.skipBlanks();
  if (type === "" || !tokens.skip("/")) return undefined;
  tokens.skipBlanks();
  const subtype = tokens.readUntil('/;"(,=').toLowerCase();
  if (subtype === "") return undefined;
  const parameters = readParameters(tokens);
  if (type === "text" && !parameters.some(([name]) => name === "charset")) {
    return { type, subtype, parameters: [...parameters, ...plainText.parameters] };
  }
  return { type, subtype, parameters };
}

/** `Content-Disposition` (RFC 2183); undefined where it says nothing. */
export function parseDisposition(text: string): { readonly type: string; readonly parameters: Parameters } | undefined {
  const tokens = new Tokens(text);
  tokens.skipBlanks();
  const type = (tokens.next === '"' ? tokens.readQuoted() : tokens.readUntil(';"(=')).toLowerCase();
  return type === "" ? undefined : { type, parameters: readParameters(tokens) };
}

/** `Content-Transfer-Encoding` in lower case; `7bit` where none is said. */
export function parseEncoding(text: string | undefined): string {
  if (text === undefined) return "7bit";
  const tokens = new Tokens(text);
  tokens.skipBlanks();
  const encoding = tokens.next === '"' ? tokens.readQuoted() : tokens.readUntil(';"(,');
  return encoding === "" ? "7bit" : encoding.toLowerCase();
}

/** `Content-Language` (RFC 3282): `de, en`. */
export function parseLanguages(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const tokens = new Tokens(text);
  const languages: string[] = [];
  while (!tokens.isAtEnd && languages.length < languageLimit) {
    tokens.skipBlanks();
    const language = tokens.readUntil(',"(');
    if (language !== "") languages.push(language);
    else if (!tokens.isAtEnd) tokens.at++;
  }
  return languages;
}

const languageLimit = 50;
